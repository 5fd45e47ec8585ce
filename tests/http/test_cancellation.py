"""Requests that are called off at any moment leave the way free for the next, and nothing open."""

import asyncio
import random
from contextlib import suppress

from kontext_cli.http.transport import Submission, Transport
from soaking import soaked
from sockets import IMAGE, Conversation, a_call, download, in_time, transport, wire

CANCELED = soaked(400, 2_000)
FOLLOWING = 100
AT_ONCE = 40


def test_after_many_canceled_requests_the_next_succeed() -> None:
    dice = random.Random(7)

    async def say(talk: Conversation) -> None:
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        await talk.answer(IMAGE if talk.path == "/a.png" else b'{"status": "IN_QUEUE"}')

    async def request(there: Transport, base: str, number: int) -> None:
        match number % 4:
            case 0:
                await there.ask(a_call(base))
            case 1:
                assert await download(there, f"{base}/a.png") == IMAGE
            case 2:
                await there.submit(a_call(base, "submit"), Submission(), blocking=False)
            case _:
                await there.put(f"{base}/in.png", IMAGE, "image/png")

    async def call_off(there: Transport, base: str, number: int) -> None:
        task = asyncio.create_task(request(there, base, number))
        for _ in range(dice.randrange(60)):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def work() -> None:
        async with wire(say) as server:
            async with transport(server.url) as there:
                for first in range(0, CANCELED, AT_ONCE):
                    batch = range(first, first + AT_ONCE)
                    await asyncio.gather(*(call_off(there, server.url, each) for each in batch))
                following = (request(there, server.url, each) for each in range(FOLLOWING))
                await asyncio.gather(*following)
            await server.until_all_have_left()

    in_time(work())


def test_as_many_connections_are_kept_as_jobs_are_in_flight() -> None:
    """Each poll on a connection of its own would be a TLS handshake each."""
    in_flight = 200
    arrived = asyncio.Barrier(in_flight)

    async def say(talk: Conversation) -> None:
        await arrived.wait()
        await talk.answer(b'{"status": "IN_QUEUE"}')

    async def work() -> int:
        async with wire(say) as server, transport(server.url) as there:
            for _ in range(2):
                polls = (there.ask(a_call(server.url)) for _ in range(in_flight))
                await asyncio.gather(*polls)
            return server.connections

    assert in_time(work()) == in_flight
