"""How far a batch is: jobs in flight, rate, and time left, as numbers."""

import math
import time
from collections.abc import Callable

from kontext_cli.batch.tally import Kind, Tally
from kontext_cli.job import Job

Clock = Callable[[], float]

UNSUCCESSFUL: tuple[Kind, ...] = ("failed", "moderated", "unknown", "canceled", "expired")
"""Final states without an image."""


class BatchProgress:
    """How far a batch is.

    The rate is an average that forgets over two minutes, of the rows that were under way in this
    run: those that were there already say nothing about the ones to come.
    """

    _MEMORY = 120.0
    _FIRST = 3

    def __init__(self, tally: Tally, clock: Clock = time.monotonic) -> None:
        self.tally = tally
        self.clock = clock
        self.stopping = False
        self._under_way: set[str] = set()
        self._at: float | None = None
        self._span = 0.0
        self._rows = 0.0
        self._images = 0.0
        self._made = 0

    def began(self, job: Job) -> None:
        """A job is under way."""
        self._under_way.add(job.id)
        if self._at is None:
            self._at = self.clock()

    def ended(self, job: Job) -> None:
        """A row is at its end; only one that was under way took time."""
        if job.id in self._under_way:
            self._under_way.remove(job.id)
            self._forget()
            self._rows += 1
            self._images += len(job.files)
            self._made += 1

    @property
    def in_flight(self) -> int:
        """How many jobs are under way."""
        return len(self._under_way)

    @property
    def failed(self) -> int:
        """How many rows ended otherwise than they should; the open ones are not among them."""
        return sum(self.tally.counts[kind] for kind in UNSUCCESSFUL)

    @property
    def images_per_minute(self) -> float | None:
        """The rate; None before three rows were made."""
        if self._made < self._FIRST or not self._span:
            return None
        self._forget()
        return 60 * self._images / self._span

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes; None before three rows were made."""
        if self._made < self._FIRST or not self._rows:
            return None
        self._forget()
        rows = self.in_flight if self.stopping else self.tally.total - self.tally.ended
        return rows * self._span / self._rows

    def _forget(self) -> None:
        """Let what was counted fade by the time that has passed since."""
        now = self.clock()
        passed = now - (now if self._at is None else self._at)
        self._at = now
        fading = math.exp(-passed / self._MEMORY)
        self._rows *= fading
        self._images *= fading
        self._span = self._span * fading + passed
