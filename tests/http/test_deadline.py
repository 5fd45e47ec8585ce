"""Time limits hold, whatever they are moved to."""

import asyncio

import pytest

from kontext_cli.http.deadlines import GRACE, Deadline, in_time, time_left


def test_a_limit_that_is_over_is_not_put_off_by_being_set_again() -> None:
    async def work() -> None:
        long_ago = asyncio.get_running_loop().time() - 60
        async with Deadline(60) as limit:
            while True:
                limit.reschedule(long_ago)
                await asyncio.sleep(0)

    with pytest.raises(TimeoutError):
        asyncio.run(work())


def test_a_limit_may_be_lifted() -> None:
    async def work() -> bool:
        async with Deadline(0) as limit:
            limit.reschedule(None)
            for _ in range(100):
                await asyncio.sleep(0)
        return limit.expired()

    assert not asyncio.run(work())


def test_what_happens_as_the_time_is_up_has_happened() -> None:
    async def work() -> str:
        loop = asyncio.get_running_loop()
        event: asyncio.Future[None] = loop.create_future()
        turns = 0

        def turn() -> None:
            nonlocal turns
            turns += 1
            if turns == 5:
                event.set_result(None)
            else:
                loop.call_soon(turn)

        loop.call_soon(turn)
        async with Deadline(0):
            await in_time(event, 0)
        return "in time"

    assert asyncio.run(work()) == "in time"


@pytest.mark.parametrize(
    ("timeout", "took", "left"),
    [(1, 0, 1), (1, 0.25, 0.75), (60, 90, GRACE), (0.01, 0.02, 0.01)],
)
def test_time_left(timeout: float, took: float, left: float) -> None:
    assert time_left(timeout, took) == left
