"""Bytes that come before anything was asked: they are nobody's answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpcore2
import pytest

from kontext_cli.http.certificates import tls_context
from kontext_cli.http.connections import Connections, Stream
from sockets import AUTHORITY, Conversation, a_call, in_time, transport, wire

STALE = b'HTTP/1.1 200 OK\r\ncontent-length: 23\r\n\r\n{"request_id": "stale"}'


@asynccontextmanager
async def a_connection_with_early_bytes() -> AsyncIterator[Stream]:
    """Connected to a server that speaks first, when that has arrived."""
    over = asyncio.Event()

    async def speak_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STALE)
        with suppress(ConnectionError):
            await reader.read()
            writer.close()
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(speak_first, "127.0.0.1", 0) as server:
        stream = await Connections().connect_tcp(*server.sockets[0].getsockname())
        assert isinstance(stream, Stream)
        while not stream.get_extra_info("is_readable"):  # noqa: ASYNC110
            await asyncio.sleep(0)
        yield stream
        await stream.aclose()
        await over.wait()


def test_no_request_leaves_on_a_connection_that_spoke_first() -> None:
    async def work() -> None:
        async with a_connection_with_early_bytes() as stream:
            with pytest.raises(httpcore2.ConnectError):
                await stream.write(b"POST / HTTP/1.1\r\n\r\n")

    in_time(work())


def test_what_came_in_the_clear_is_not_read_as_if_it_were_encrypted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))

    async def work() -> None:
        async with a_connection_with_early_bytes() as stream:
            with pytest.raises(httpcore2.ConnectError):
                await stream.start_tls(tls_context(), "provider.example")
            with pytest.raises(httpcore2.ConnectError):
                await stream.write(b"POST / HTTP/1.1\r\n\r\n")

    in_time(work())


@pytest.mark.parametrize("late", [False, True])
def test_a_connection_on_which_more_came_than_was_asked_for_is_not_used_again(late: bool) -> None:
    async def say(talk: Conversation) -> None:
        await talk.answer(b'{"status": "IN_QUEUE"}')
        if late:
            await asyncio.sleep(0)
        await talk.answer(b'{"status": "COMPLETED"}')

    async def work() -> int:
        async with wire(say) as server, transport(server.url) as there:
            for _ in range(3):
                reply = await there.ask(a_call(server.url))
                assert reply.object == {"status": "IN_QUEUE"}
                for _ in range(9):  # until the rest is here, too
                    await asyncio.sleep(0)
            return server.connections

    assert in_time(work()) == 3
