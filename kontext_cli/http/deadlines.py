"""Time limits that allow for a process that was stopped: by Ctrl-Z, or while a machine slept."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

_TURNS = 16
"""Turns of the event loop in which what is there already can be read."""
_LATE = 0.1
"""Seconds after its time at which a timer counts as late: the process did not run meanwhile."""
GRACE = 2.0
"""Seconds for what arrives behind that: several megabytes that waited at the other end."""


def time_left(timeout: float, took: float) -> float:
    """The seconds of ``timeout`` that are left after work with a `Deadline` of it, which ``took``
    so many. Where none are, the process was stopped: a while for what arrived meanwhile."""
    rest = timeout - took
    return rest if rest > 0 else min(GRACE, timeout)


class Alarm:
    """Calls ``ring`` at a time of the event loop's clock.

    The event loop fires timers before it reads what came while the process was stopped. So what is
    readable is read first, for a few turns; a timer that is late waits ``GRACE`` seconds more.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._when = 0.0
        self._has_rung = False
        self._timer: asyncio.Handle | None = None

    def set(self, when: float | None) -> None:
        """Ring at ``when`` instead of any time before; None for never.

        One that is due already, and still would be, is not put off; one that rang is over.
        """
        if self._has_rung:
            return
        now = self._loop.time()
        if self._timer is not None:
            if when is not None and max(when, self._when) <= now:
                return
            self._timer.cancel()
            self._timer = None
        if when is not None:
            self._when = max(when, now)
            self._timer = self._loop.call_at(self._when, self._fire)

    def _fire(self) -> None:
        now = self._loop.time()
        if now - self._when > _LATE:
            self._timer = self._loop.call_at(now + GRACE, self._turn, _TURNS)
        else:
            self._turn(_TURNS)

    def _turn(self, left: int) -> None:
        if left:
            self._timer = self._loop.call_soon(self._turn, left - 1)
        else:
            self._has_rung = True
            self._ring()


class Deadline:
    """`asyncio.timeout` on an `Alarm`: raises TimeoutError out of the block that takes too long."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timeout = asyncio.timeout(None)
        self._alarm = Alarm(self._expire)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        if self._seconds is not None:
            self._alarm.set(asyncio.get_running_loop().time() + self._seconds)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._alarm.set(None)
        await self._timeout.__aexit__(kind, error, traceback)

    def reschedule(self, when: float | None) -> None:
        """Move the limit to another time of the event loop's clock; None for no limit."""
        self._alarm.set(when)

    def expired(self) -> bool:
        """Whether the block was ended by this limit."""
        return self._timeout.expired()

    def _expire(self) -> None:
        self._timeout.reschedule(asyncio.get_running_loop().time())


async def in_time(event: asyncio.Future[None], seconds: float | None) -> None:
    """Wait for an event that nobody else waits for. Raises TimeoutError."""

    def expire() -> None:
        if not event.done():
            event.set_exception(TimeoutError())

    if seconds is None:
        return await event
    alarm = Alarm(expire)
    alarm.set(asyncio.get_running_loop().time() + seconds)
    try:
        return await event
    finally:
        alarm.set(None)
