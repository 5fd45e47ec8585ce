"""The window through which a transfer is seen."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.http.deadlines import Deadline
from kontext_cli.http.throughput import Limits, Throughput, Try

LIMITS = Limits(least_bytes=100, window=10.0)


def enough(moved: list[tuple[float, int]], now: float) -> bool:
    """The rule, said plainly: the last ten seconds, or the first, hold a hundred bytes."""
    recent = sum(count for at, count in moved if at > now - LIMITS.window)
    return now < LIMITS.window or recent >= LIMITS.least_bytes


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 150)), max_size=30))
def test_a_transfer_is_too_slow_when_the_window_holds_too_little(
    steps: list[tuple[int, int]],
) -> None:
    throughput = Throughput(0.0, LIMITS)
    moved: list[tuple[float, int]] = []
    now = 0.0
    for seconds, count in steps:
        now += seconds
        if now >= throughput.too_slow_at:
            break
        moved.append((now, count))
        throughput.moved(now, count)
    end = throughput.too_slow_at
    assert enough(moved, end - 0.001)
    assert not enough(moved, end)


class Noted(Deadline):
    """Notes to when it is moved."""

    def __init__(self) -> None:
        super().__init__(60)
        self.moved: list[float | None] = []

    def reschedule(self, when: float | None) -> None:
        self.moved.append(when)


def test_while_the_answer_to_an_upload_is_waited_for_nothing_has_to_move() -> None:
    async def work() -> list[float | None]:
        limit = Noted()
        attempt = Try(LIMITS, limit)
        attempt.moved(1)
        attempt.waits()
        return limit.moved

    moved, waits = asyncio.run(work())
    assert moved is not None
    assert waits is None
