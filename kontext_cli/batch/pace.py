"""How many jobs of one provider are in flight, adapted to its rate limit."""

import sys
import time
from collections.abc import Callable

_OWN_FILES = 64
"""File descriptors that do not belong to jobs: streams, journal, locks, event loop."""
_WINDOW = 1.0
"""Seconds in which several 429 responses count as one: their requests were sent together."""


def within_descriptors(jobs: int) -> int:
    """``jobs`` in flight, or fewer if this process has too few file descriptors: a job can use a
    connection for its calls, one for its file, and the file."""
    if sys.platform == "win32":
        return jobs
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return jobs if soft == resource.RLIM_INFINITY else min(jobs, max((soft - _OWN_FILES) // 3, 1))


class Pace:
    """Limits the jobs in flight: halved on a 429 response, raised as jobs are accepted.

    Additive increase, multiplicative decrease, between one and ``most``.
    """

    def __init__(self, most: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.most = most
        self.limit = most
        """The number of jobs that are allowed in flight now."""
        self._clock = clock
        self._succeeded = 0
        self._counted_at = -_WINDOW
        self._closed_until = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the provider accepts submits again, 0 if it does now."""
        return max(self._closed_until - self._clock(), 0.0)

    def throttled(self, wait: float | None) -> None:
        """To be called on a 429 response; ``wait`` is its Retry-After in seconds, if it has one."""
        now = self._clock()
        self._closed_until = max(self._closed_until, now + (wait or 0.0))
        if now - self._counted_at < max(_WINDOW, wait or 0.0):
            return
        self._counted_at = now
        self._succeeded = 0
        self.limit = max(self.limit // 2, 1)

    def succeeded(self) -> None:
        """To be called when a job was accepted; as many as the limit raise it by one."""
        self._succeeded += 1
        if self._succeeded >= self.limit and self.limit < self.most:
            self._succeeded = 0
            self.limit += 1
