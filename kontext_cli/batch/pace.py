"""How many jobs of one provider are in flight: what it bears, found out as it goes."""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable

_OWN_FILES = 64
"""Descriptors that are not those of jobs: streams, journal, locks, the loop."""
_ONCE_IN = 1.0
"""Seconds in which several refusals count as one: they answer requests that left together."""


def bearable(jobs: int) -> int:
    """As many of ``jobs`` in flight as this process has file descriptors for: each job may hold a
    connection for its calls, one for its file, and the file."""
    if sys.platform == "win32":
        return jobs
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return jobs if soft == resource.RLIM_INFINITY else min(jobs, max((soft - _OWN_FILES) // 3, 1))


class Pace:
    """Halves the jobs in flight when a provider says 429, and raises them as jobs succeed.

    Additive increase, multiplicative decrease, never above ``most`` nor below one.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.limit = most
        """Jobs that may be in flight now."""
        self.in_flight = 0
        self._clock = clock
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._succeeded = 0
        self._counted_at = -_ONCE_IN
        self._closed_until = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the provider takes submits again, 0 where it does."""
        return max(self._closed_until - self._clock(), 0.0)

    def throttled(self, wait: float | None) -> None:
        """The provider is too busy, and asks to come back in ``wait`` seconds, if it says."""
        now = self._clock()
        self._closed_until = max(self._closed_until, now + (wait or 0.0))
        if now - self._counted_at < max(_ONCE_IN, wait or 0.0):
            return
        self._counted_at = now
        self._succeeded = 0
        self.limit = max(self.limit // 2, 1)

    def succeeded(self) -> None:
        """A job was accepted; as many as fit in the limit raise it by one."""
        self._succeeded += 1
        if self._succeeded >= self.limit and self.limit < self.most:
            self._succeeded = 0
            self.limit += 1
            self._wake()

    async def enter(self) -> None:
        """Wait for a place."""
        while self.in_flight >= self.limit:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            await turn
        self.in_flight += 1

    def leave(self) -> None:
        """Give a place back."""
        self.in_flight -= 1
        self._wake()

    def _wake(self) -> None:
        for _ in range(self.limit - self.in_flight):
            while self._waiting and self._waiting[0].done():
                self._waiting.popleft()
            if self._waiting:
                self._waiting.popleft().set_result(None)
