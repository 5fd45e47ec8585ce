"""The servers of one provider: mostly one, several of the user's own are a pool."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from kontext_cli.batch.pace import Pace
from kontext_cli.engine.endings import none_left
from kontext_cli.errors import KontextError
from kontext_cli.providers.base import Provider
from kontext_cli.settings.settings import not_listed

_MOST_UNREACHED = 5
"""Submits in a row that a server does not take, beyond those in flight, after which it is
considered down."""
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 60.0


class Server:
    """One server: how many jobs of ours are in flight there, and whether it takes more.

    In a pool, a server that fails to take a job is left alone for a while, longer each time, and
    is given one job at a time until it accepts one.
    """

    def __init__(
        self,
        provider: Provider,
        pace: Pace,
        *,
        in_pool: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.provider = provider
        self.pace = pace
        self.in_flight = 0
        self.others = 0
        """How many jobs of others it has, where it says."""
        self.given = 0
        """How many jobs it was given so far."""
        self.trouble: KontextError | None = None
        """The error with which it failed to take a job; None since it took one."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when it may have room that had none."""
        self.in_pool = in_pool
        self._clock = clock
        self._is_proven = not in_pool
        self._failures = 0
        self.is_told = False
        """Whether the user knows of its trouble."""
        self.refused: set[str] = set()
        """The rows that it refused since it took a job."""
        self._back_at = 0.0

    @property
    def is_proven(self) -> bool:
        """Whether it took a job, and has not failed to since."""
        return self._is_proven

    @property
    def is_down(self) -> bool:
        """Whether it failed so often that it is not expected to return soon."""
        return self._failures >= _MOST_UNREACHED + (0 if self.in_pool else self.pace.most)

    @property
    def has_room(self) -> bool:
        """Whether one more job may be in flight."""
        return self.in_flight < (self.pace.limit if self._is_proven else 1)

    @property
    def is_away(self) -> bool:
        """Whether it is left alone after a failure."""
        return self._back_at > self._clock()

    @property
    def wait(self) -> float:
        """Seconds until it may be given a job, 0 if it may now."""
        return max(self.pace.wait, self._back_at - self._clock(), 0.0)

    def accepted(self) -> None:
        """To be called when it took a job."""
        self._is_proven, self._failures, self.trouble, self.is_told = True, 0, None, False
        self.refused.clear()
        self.on_change()

    def failed(self, trouble: KontextError) -> None:
        """To be called when it did not take a job, or may have lost it."""
        self.trouble = trouble
        if not self.in_pool:
            self._failures += 1
        elif not self.is_away:  # all that were in flight fail together
            self._failures += 1
            self._is_proven = False
            delay = min(_FIRST_DELAY * 2 ** (self._failures - 1), _LONGEST_DELAY)
            self._back_at = self._clock() + delay

    def leave(self) -> None:
        """To be called when a job there has ended."""
        self.in_flight -= 1
        self.on_change()

    @contextmanager
    def visit(self) -> Iterator[None]:
        """Count a job that is there already."""
        self.in_flight += 1
        try:
            yield
        finally:
            self.leave()


class Pool:
    """The servers of a provider; each job goes to the one with the fewest of ours in flight, and
    of others, where that is known."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.servers = servers
        self._closed = False
        self._changed = asyncio.Event()
        for server in servers:
            server.on_change = self._wake

    @property
    def most(self) -> int:
        """How many jobs may be in flight at all of them."""
        return sum(server.pace.most for server in self.servers)

    @property
    def is_one(self) -> bool:
        """Whether there is one server only."""
        return len(self.servers) == 1

    @property
    def is_down(self) -> bool:
        """Whether no server takes jobs any more."""
        return all(server.is_down for server in self.servers)

    def trouble(self) -> KontextError:
        """Why no server takes jobs."""
        return none_left([each.trouble for each in self.servers if each.trouble is not None])

    def find(self, server: str | None) -> Server:
        """The server of a job. Raises UsageError if it is not in the pool."""
        if server is None:
            return self.servers[0]
        for each in self.servers:
            if each.provider.server == server:
                return each
        raise not_listed(self.servers[0].provider.name, server)

    async def enter(self) -> Server | None:
        """Wait for a server that may be given a job, and count the job; None once it is closed."""
        while not self._closed:
            ready = [server for server in self.servers if server.has_room]
            if server := min(
                (each for each in ready if not each.wait),
                key=lambda each: (each.in_flight + each.others, each.given),
                default=None,
            ):
                server.in_flight += 1
                server.given += 1
                return server
            soonest = min((each.wait for each in ready), default=None)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), soonest)
        return None

    def close(self) -> None:
        """Let nobody wait any longer."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
