"""Servers that answer a byte at a time, or never: each exchange has an end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kontext_cli.errors import Unreachable
from kontext_cli.http.throughput import Limits
from kontext_cli.http.transport import Submission, Transport
from sockets import IMAGE, Conversation, Say, a_call, download, in_time, transport, wire

Exchange = Callable[[Transport, str], Awaitable[object]]

SHORT = Limits(answer=0.05, transfer=0.05)
"""Of the whole; any pace is quick enough."""
FAST = Limits(window=0.02, least_bytes=10**9)
"""Of the pace; no server is quick enough."""


async def drip_headers(talk: Conversation) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nx: ")
    await talk.drip(b"x")


async def drip_body(talk: Conversation) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 60000000\r\n\r\n")
    await talk.drip()


async def stall(_talk: Conversation) -> None:
    await asyncio.Event().wait()


async def stall_in_the_body(talk: Conversation) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nx")
    await stall(talk)


async def think(talk: Conversation) -> None:
    await asyncio.sleep(0.2)
    await talk.answer()


async def status(there: Transport, base: str) -> object:
    return await there.ask(a_call(base, "status"))


async def result(there: Transport, base: str) -> object:
    return await there.ask(a_call(base, "result"))


async def image(there: Transport, base: str) -> object:
    return await download(there, f"{base}/a.png")


async def upload(there: Transport, base: str) -> object:
    return await there.put(f"{base}/in.png", b"x" * 1000, "image/png")


async def tries(say: Say, exchange: Exchange, limits: Limits) -> int:
    """How often it is tried until a server is given up."""
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async with wire(say) as server, transport(server.url, limits=limits, sleep=wait) as there:
        with pytest.raises(Unreachable, match="too slowly"):
            await exchange(there, server.url)
    return len(waits) + 1


@pytest.mark.parametrize("exchange", [status, result, image, upload])
@pytest.mark.parametrize("say", [drip_headers, drip_body, stall, stall_in_the_body])
def test_when_its_time_is_up_an_exchange_is_over(say: Say, exchange: Exchange) -> None:
    assert in_time(tries(say, exchange, SHORT)) == 1


@pytest.mark.parametrize("exchange", [status, image])
@pytest.mark.parametrize("say", [drip_headers, drip_body, stall, stall_in_the_body])
def test_a_try_that_is_too_slow_is_followed_by_others(say: Say, exchange: Exchange) -> None:
    assert in_time(tries(say, exchange, FAST)) == 5


def test_an_upload_that_nobody_reads_is_given_up() -> None:
    async def deaf(there: Transport, base: str) -> object:
        return await there.put(f"{base}/x-stay-deaf", bytes(32 * 2**20), "image/png")

    assert in_time(tries(stall, deaf, FAST)) == 5


def test_all_tries_together_have_one_end() -> None:
    both = Limits(transfer=0.05, window=0.02, least_bytes=10**9)
    assert in_time(tries(stall, image, both)) < 5


def test_what_was_uploaded_may_be_thought_about() -> None:
    async def work() -> bool:
        limits = Limits(window=0.1)
        async with wire(think) as server, transport(server.url, limits=limits) as there:
            return (await there.put(f"{server.url}/in.png", b"x", "image/png")).ok

    assert in_time(work())


def test_after_a_slow_try_comes_a_quick_one() -> None:
    turns = 0

    async def say(talk: Conversation) -> None:
        nonlocal turns
        turns += 1
        await (stall_in_the_body(talk) if turns == 1 else talk.answer(IMAGE))

    async def work() -> bytes:
        limits = Limits(window=0.1)
        async with wire(say) as server, transport(server.url, limits=limits) as there:
            return await download(there, f"{server.url}/a.png")

    assert in_time(work()) == IMAGE


def test_the_provider_may_think_about_a_submit_for_as_long_as_it_wants() -> None:
    """Its end is the user's `--timeout`: what is cut short here may be on the bill."""

    async def work() -> bool:
        limits = Limits(answer=0.05, transfer=0.05, window=0.05)
        async with wire(think) as server, transport(server.url, limits=limits) as there:
            call = a_call(server.url, "submit")
            return (await there.submit(call, Submission(), blocking=True)).ok

    assert in_time(work())
