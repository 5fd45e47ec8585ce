"""How far a batch is: what is under way, how fast it goes, what it cost, how long it takes."""

import math
import time
from collections.abc import Callable

from kontext_cli.batch.tally import Kind, Tally
from kontext_cli.cli.report import cost_text
from kontext_cli.job import Job
from kontext_cli.words import dollars

Clock = Callable[[], float]

NOT_WELL: tuple[Kind, ...] = ("failed", "moderated", "unknown", "canceled", "expired")
"""How rows end that neither have a picture nor are still to get one."""


class Course:
    """How far a batch is: what is under way, how fast it goes, and how long it still takes.

    The rate is an average that forgets over two minutes, of the rows that were under way in this
    run: those that were there already say nothing about the ones to come.
    """

    _MEMORY = 120.0
    _FIRST = 3
    _LONGEST = 100 * 3600.0

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
    def place(self) -> str:
        """How many rows have ended, of how many."""
        return f"[{self.tally.ended}/{self.tally.total}]"

    @property
    def failed(self) -> int:
        """How many rows ended otherwise than they should; the open ones are not among them."""
        return sum(self.tally.counts[kind] for kind in NOT_WELL)

    @property
    def spent(self) -> str:
        """What was spent so far; empty where nothing was submitted."""
        text = spent_text(self.tally)
        return "" if text == "nothing" else text

    @property
    def rate(self) -> str:
        """Images in a minute; empty before three rows were made."""
        if self._made < self._FIRST or not self._span:
            return ""
        self._forget()
        rate = 60 * self._images / self._span
        return f"{rate:.0f} images/min" if rate >= 9.95 else f"{rate:.1f} images/min"

    @property
    def left(self) -> str:
        """How long it still takes; empty before three rows were made."""
        if self._made < self._FIRST or not self._rows:
            return ""
        self._forget()
        rows = self.in_flight if self.stopping else self.tally.total - self.tally.ended
        seconds = rows * self._span / self._rows
        return f"{duration(seconds)} left" if seconds < self._LONGEST else ""

    def _forget(self) -> None:
        """Let what was counted fade by the time that has passed since."""
        now = self.clock()
        passed = now - (now if self._at is None else self._at)
        self._at = now
        fading = math.exp(-passed / self._MEMORY)
        self._rows *= fading
        self._images *= fading
        self._span = self._span * fading + passed


def spent_text(tally: Tally) -> str:
    """What this run spent, in words; an estimate is told in cents."""
    cost = tally.cost
    if not tally.spent and not tally.priceless:
        return "nothing"
    if not cost.usd:
        return cost_text(cost)
    if cost.source == "provider":
        return dollars(cost.usd)
    amount = f"${cost.usd:.2f}" if cost.usd >= 0.01 else dollars(cost.usd)
    return f"{'at least' if tally.priceless else 'about'} {amount}"


def duration(seconds: float) -> str:
    """A time to come, as roughly as it is known."""
    if seconds <= 90:
        return f"{math.ceil(round(seconds, 1) / 5) * 5} s"
    minutes = math.ceil(round(seconds) / 60)
    if minutes <= 90:
        return f"{minutes} min"
    hours, minutes = divmod(math.ceil(minutes / 5) * 5, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
