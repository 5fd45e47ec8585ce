"""Limits on the duration and the speed of an exchange: with timeouts for single reads alone, a slow
server could keep it open for ever."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

from kontext_cli.http.deadlines import Deadline


class Limits(NamedTuple):
    """When an exchange is aborted.

    ``answer`` and ``transfer`` are the seconds that an exchange may take, all its tries together:
    ``answer`` for small requests, ``transfer`` where images may be transferred. A try fails when
    fewer than ``least_bytes`` pass in ``window`` seconds.
    """

    answer: float = 60.0
    transfer: float = 300.0
    least_bytes: int = 1024
    window: float = 30.0


class TooSlow(Exception):
    """One try was too slow; it is worth a retry."""


class OutOfTime(Exception):
    """The exchange has used up its time, all tries together."""


class Throughput:
    """The bytes of one transfer, seen through a window that slides with the clock."""

    def __init__(self, began: float, limits: Limits) -> None:
        """``began`` is in seconds, of the same clock as ``moved``."""
        self._least = limits.least_bytes
        self._window = limits.window
        self._recent: deque[tuple[float, int]] = deque([(began, 0)])
        self._sum = 0

    def moved(self, now: float, count: int) -> None:
        """Note that ``count`` bytes passed at ``now``."""
        self._recent.append((now, count))
        self._sum += count
        while self._sum - self._recent[0][1] >= self._least:
            self._sum -= self._recent.popleft()[1]

    @property
    def too_slow_at(self) -> float:
        """When the window will hold too little, unless more comes."""
        return self._recent[0][0] + self._window


class Try:
    """One try of an exchange under way."""

    def __init__(self, limits: Limits, timeout: Deadline) -> None:
        self._clock = asyncio.get_running_loop().time
        self._throughput = Throughput(self._clock(), limits)
        self._timeout = timeout

    def moved(self, count: int) -> None:
        """Note that ``count`` bytes passed, in either direction."""
        self._throughput.moved(self._clock(), count)
        self._timeout.reschedule(self._throughput.too_slow_at)

    def waits(self) -> None:
        """Suspend the speed limit: all was sent, and the answer has not begun."""
        self._timeout.reschedule(None)


class Exchange:
    """One exchange in all its tries; the waits between them are not counted."""

    def __init__(self, seconds: float, limits: Limits) -> None:
        self._left = seconds
        self._limits = limits

    @asynccontextmanager
    async def one_try(self) -> AsyncIterator[Try]:
        """Hold what happens inside to the limits. Raises TooSlow and OutOfTime."""
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            async with Deadline(self._left) as total, Deadline(self._limits.window) as pace:
                yield Try(self._limits, pace)
        except TimeoutError:
            if total.expired():
                raise OutOfTime from None
            if pace.expired():
                raise TooSlow from None
            raise
        finally:
            self._left -= clock() - began
