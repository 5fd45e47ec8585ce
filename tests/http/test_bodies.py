"""Answers that are cut short, too long, or packed."""

import asyncio
import gzip
import json

import pytest

from kontext_cli.errors import (
    BadMedia,
    KontextError,
    OutcomeUnknown,
    Unreachable,
)
from kontext_cli.http.call import Reply
from kontext_cli.http.transport import Submission
from sockets import (
    IMAGE,
    Conversation,
    Memory,
    Say,
    a_call,
    download,
    in_time,
    transport,
    wire,
)

RESULT = json.dumps({"images": [{"url": "https://files.example/a.png"}]}).encode()
OK = b"HTTP/1.1 200 OK\r\n"


async def cut_short(talk: Conversation) -> None:
    await talk.send(OK + b"content-length: 2700\r\n\r\n" + IMAGE[:100])
    talk.hang_up()


async def chunks_without_end(talk: Conversation) -> None:
    await talk.send(OK + b"transfer-encoding: chunked\r\n\r\n5\r\n\x89PNG,\r\n")
    talk.hang_up()


async def closed_too_soon(talk: Conversation) -> None:
    await talk.send(OK + b"connection: close\r\n\r\n" + IMAGE[:100])
    talk.hang_up()


async def packed(talk: Conversation) -> None:
    await talk.answer(gzip.compress(IMAGE), headers=["content-encoding: gzip"])


FAULTS = [cut_short, chunks_without_end, closed_too_soon, packed]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_file_that_is_not_whole_is_fetched_again(fault: Say) -> None:
    rest = [fault, fault]

    async def say(talk: Conversation) -> None:
        await (rest.pop()(talk) if rest else talk.answer(IMAGE))

    async def work() -> bytes:
        async with wire(say) as server, transport(server.url) as there:
            return await download(there, f"{server.url}/a.png")

    assert in_time(work()) == IMAGE


@pytest.mark.parametrize(
    ("fault", "error", "reason"),
    [
        (cut_short, Unreachable, "hung up"),
        (chunks_without_end, Unreachable, "hung up"),
        (closed_too_soon, BadMedia, "no image"),
        (packed, BadMedia, "compressed"),
    ],
)
def test_a_file_that_is_never_whole_is_given_up(
    fault: Say, error: type[KontextError], reason: str
) -> None:
    async def work() -> None:
        sink = Memory()
        async with wire(fault) as server, transport(server.url) as there:
            with pytest.raises(error, match=reason):
                await there.download(f"{server.url}/a.png", sink, sink.check)
            assert len(server.heard) == 5
            assert sink.restarts == 4

    in_time(work())


@pytest.mark.parametrize("length", [10, 2**20, 64 * 2**20 + 1])
def test_chunks_overrule_the_length_that_is_announced_beside_them(length: int) -> None:
    """RFC 9112, 6.3."""

    async def say(talk: Conversation) -> None:
        head = b"transfer-encoding: chunked\r\ncontent-length: %d\r\n\r\n" % length
        await talk.send(OK + head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(IMAGE), IMAGE))

    async def work() -> None:
        async with wire(say) as server, transport(server.url) as there:
            assert await download(there, f"{server.url}/a.png") == IMAGE
            assert len(server.heard) == 1

    in_time(work())


def test_a_file_is_asked_for_as_it_is() -> None:
    async def work() -> dict[str, str]:
        async with wire(lambda talk: talk.answer(IMAGE)) as server:
            async with transport(server.url) as there:
                await download(there, f"{server.url}/a.png")
            return server.heard[0].headers

    headers = in_time(work())
    assert headers["accept-encoding"] == "identity"
    assert "authorization" not in headers


@pytest.mark.parametrize("length", [64 * 2**20 + 1, 10**18])
def test_a_file_that_announces_too_much_is_not_read(length: int) -> None:
    async def say(talk: Conversation) -> None:
        await talk.send(OK + b"content-length: %d\r\n\r\n" % length)
        await asyncio.Event().wait()

    async def work() -> None:
        async with wire(say) as server, transport(server.url) as there:
            with pytest.raises(BadMedia, match="larger than 64 MiB") as refused:
                await download(there, f"{server.url}/a.png")
            assert refused.value.billed == "yes"
            assert len(server.heard) == 1

    in_time(work())


class Full:
    """A sink that takes a little."""

    def write(self, chunk: bytes) -> None:
        raise BadMedia("larger than it may be", billed="yes")

    def restart(self) -> None:
        raise AssertionError("it will be as large the next time")


def test_a_file_that_is_too_large_is_not_fetched_again() -> None:
    async def check(_announced: int | None) -> None:
        raise AssertionError("there is nothing to check")

    async def work() -> None:
        async with wire(lambda talk: talk.answer(IMAGE)) as server:
            async with transport(server.url) as there:
                with pytest.raises(BadMedia, match="larger"):
                    await there.download(f"{server.url}/a.png", Full(), check)
            assert len(server.heard) == 1

    in_time(work())


async def ask_for_result(*faults: Say) -> tuple[Reply, int]:
    """The answer after these faults, and how often was asked."""
    rest = list(faults)

    async def say(talk: Conversation) -> None:
        await (rest.pop(0)(talk) if rest else talk.answer(RESULT))

    async with wire(say) as server, transport(server.url) as there:
        return await there.ask(a_call(server.url, "result")), len(server.heard)


async def half_unpacked(talk: Conversation) -> None:
    data = gzip.compress(RESULT)
    await talk.answer(data[: len(data) // 2], headers=["content-encoding: gzip"])


async def not_packed_at_all(talk: Conversation) -> None:
    await talk.answer(RESULT, headers=["content-encoding: gzip"])


async def half(talk: Conversation) -> None:
    await talk.send(OK + b"connection: close\r\n\r\n" + RESULT[:20])
    talk.hang_up()


async def a_web_page(talk: Conversation) -> None:
    await talk.answer(b"<html>log in first</html>")


@pytest.mark.parametrize(
    "fault",
    [cut_short, chunks_without_end, half_unpacked, not_packed_at_all, half, a_web_page],
)
def test_a_result_that_is_cut_short_is_asked_for_again(fault: Say) -> None:
    reply, asked = in_time(ask_for_result(fault, fault))
    assert (reply.body, asked) == (RESULT, 3)


def test_a_result_that_is_always_cut_short_is_not_the_jobs_end() -> None:
    with pytest.raises(Unreachable, match="cut short") as failed:
        in_time(ask_for_result(*[half] * 5))
    assert failed.value.state is None


def test_a_small_answer_that_unpacks_without_end_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kontext_cli.http.transport.MOST_REPLY_BYTES", 2**20)
    bomb = gzip.compress(bytes(20 * 2**20))

    async def say(talk: Conversation) -> None:
        await talk.answer(bomb, headers=["content-encoding: gzip"])

    async def work() -> None:
        async with wire(say) as server, transport(server.url) as there:
            with pytest.raises(Unreachable, match="more than"):
                await there.ask(a_call(server.url))
            assert len(server.heard) == 1

    in_time(work())


@pytest.mark.parametrize("fault", [cut_short, chunks_without_end, not_packed_at_all])
def test_a_submit_whose_answer_is_cut_short_is_not_sent_again(fault: Say) -> None:
    async def work() -> None:
        async with wire(fault) as server, transport(server.url) as there:
            with pytest.raises(OutcomeUnknown):
                await there.submit(a_call(server.url, "submit"), Submission(), blocking=False)
            assert len(server.heard) == 1

    in_time(work())
