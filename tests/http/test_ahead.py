"""Connections that are opened before their request is made."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import httpx2
import pytest

from kontext_cli.http.client import AHEAD, client
from sockets import Conversation, in_time, wire

STALE = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nstale"


async def say(talk: Conversation) -> None:
    await talk.answer(b"right")


async def get(there: httpx2.AsyncClient, url: str, how: str | None = "use") -> bytes:
    return (await there.get(url, extensions={AHEAD: how})).content


def test_a_request_takes_the_connection_that_was_opened_for_it() -> None:
    async def work() -> list[tuple[int, int]]:
        counts = []
        async with wire(say) as server, client({}) as there:
            assert await get(there, server.url, "open") == b""
            assert await get(there, server.url) == b"right"
            counts.append((server.connections, len(server.heard)))
            assert await get(there, server.url) == b"right"
            counts.append((server.connections, len(server.heard)))
        return counts

    assert in_time(work()) == [(1, 1), (2, 2)]


def test_other_requests_leave_it_alone() -> None:
    async def work() -> int:
        async with wire(say) as server, client({}) as there:
            await get(there, server.url, "open")
            assert await get(there, server.url, None) == b"right"
            assert await get(there, server.url) == b"right"
            return server.connections

    assert in_time(work()) == 2


def test_what_is_not_used_is_closed_at_the_end() -> None:
    async def work() -> None:
        async with wire(say) as server:
            async with client({}) as there:
                await get(there, server.url, "open")
                await get(there, server.url, "open")
                await get(there, server.url)
            await server.until_all_have_left()

    in_time(work())


@asynccontextmanager
async def odd_at_first(first: bytes | None) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that says ``first`` on its first connection, or closes it, before any request; and
    an event that is set when it has. It answers on all others."""
    done = asyncio.Event()
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        if len(serving) == 1:
            writer.write(first or b"")
            if first is None:
                writer.close()
            done.set()
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nright")
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", done
        await asyncio.gather(*filter(None, serving))


@pytest.mark.parametrize("first", [STALE, None], ids=["spoke first", "closed it"])
def test_one_that_is_of_no_use_by_then_is_not_used(first: bytes | None) -> None:
    async def work() -> bytes:
        async with odd_at_first(first) as (url, done), client({}) as there:
            await get(there, url, "open")
            await done.wait()
            for _ in range(20):  # what was written or closed arrives
                await asyncio.sleep(0)
            return await get(there, url)

    assert in_time(work()) == b"right"


def test_one_that_cannot_be_opened_is_opened_by_the_request() -> None:
    async def work() -> None:
        async with client({}) as there:
            await get(there, "http://127.0.0.1:9", "open")
            with pytest.raises(httpx2.ConnectError):
                await get(there, "http://127.0.0.1:9")

    in_time(work())
