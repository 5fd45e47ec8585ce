"""The progress of a batch: jobs in flight, rate and time left."""

import math
import time
from collections.abc import Callable

from kontext_cli.batch.tally import Kind, Tally
from kontext_cli.job import Job

Clock = Callable[[], float]

UNSUCCESSFUL: tuple[Kind, ...] = ("failed", "moderated", "unknown", "canceled", "expired")
"""Final states without an image."""


class BatchProgress:
    """The progress of a batch.

    The rate is a moving average over two minutes, of rows that were run: skipped rows say nothing
    about the others.
    """

    _MEMORY = 120.0
    _FIRST = 3

    def __init__(self, tally: Tally, clock: Clock = time.monotonic) -> None:
        self.tally = tally
        self.clock = clock
        self.stopping = False
        self.longest_id = 0
        """The characters of the longest id of a row, for columns that do not move."""
        self._running: set[str] = set()
        self._left: set[str] = set()
        self._at: float | None = None
        self._span = 0.0
        self._rows = 0.0
        self._images = 0.0
        self._made = 0

    def began(self, job: Job) -> None:
        """A job has started."""
        self._running.add(job.id)
        if self._at is None:
            self._at = self.clock()

    def left(self, job: Job) -> None:
        """A job is in flight no more; its row ends with it, or goes on with another job."""
        if job.id in self._running:
            self._running.remove(job.id)
            self._left.add(job.id)

    def ended(self, job: Job) -> None:
        """A row has ended; skipped rows are not counted in the rate."""
        self.left(job)
        if job.id in self._left:
            self._left.remove(job.id)
            self._decay()
            self._rows += 1
            self._images += len(job.files)
            self._made += 1

    @property
    def in_flight(self) -> int:
        """The number of jobs in flight."""
        return len(self._running)

    @property
    def failed(self) -> int:
        """The number of rows that ended without an image; open ones are not counted."""
        return sum(self.tally.counts[kind] for kind in UNSUCCESSFUL)

    @property
    def images_per_minute(self) -> float | None:
        """The rate; None until three rows have ended."""
        if self._made < self._FIRST or not self._span:
            return None
        self._decay()
        return 60 * self._images / self._span

    @property
    def seconds_left(self) -> float | None:
        """The estimated time for the rest; None until three rows have ended."""
        if self._made < self._FIRST or not self._rows:
            return None
        self._decay()
        rows = self.in_flight if self.stopping else self.tally.total - self.tally.ended
        return rows * self._span / self._rows

    def _decay(self) -> None:
        """Weigh down what was counted by the time that has passed since."""
        now = self.clock()
        passed = now - (now if self._at is None else self._at)
        self._at = now
        weight = math.exp(-passed / self._MEMORY)
        self._rows *= weight
        self._images *= weight
        self._span = self._span * weight + passed
