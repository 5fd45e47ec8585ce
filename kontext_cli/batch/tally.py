"""What became of the rows of a batch: counters that add up, what was spent, and the exit code."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from kontext_cli.errors import Interrupted, KontextError
from kontext_cli.job import Cost, Job, State

Kind = Literal[
    "saved",
    "skipped",
    "failed",
    "moderated",
    "unknown",
    "ready",
    "running",
    "canceled",
    "expired",
    "planned",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
_ON_THE_WAY = (State.SUBMITTING, State.QUEUED, State.RUNNING)
_MIXED = 9
_BY_CAUSE = (3, 4, 10)
"""Of what stops a batch: a key or an account, a request that nobody takes, the budget."""
_WITHOUT_ERROR: Mapping[Kind, int] = {
    "failed": 4,
    "canceled": 4,
    "expired": 4,
    "moderated": 5,
    "unknown": 11,
    "running": 7,
}
"""The code of a row that is told without an error of its own; as `status` has it."""


@dataclass(slots=True)
class Tally:
    """Counts rows as they end. Those that have not are ``planned``.

    ``spent`` is US dollars of what this run submitted, by who says so: an estimate or the
    provider. ``priceless`` counts accepted jobs whose price nobody knows. ``waits`` is false
    where jobs are left at the provider on purpose.
    """

    total: int
    waits: bool = True
    counts: Counter[Kind] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    priceless: int = 0

    def count(self, job: Job) -> Kind:
        """Count a row by its job, as far as that got."""
        kind = kind_of(job)
        self.counts[kind] += 1
        if kind not in ("saved", "skipped", "planned"):
            self.codes[self._code(job, kind)] += 1
        return kind

    def _code(self, job: Job, kind: Kind) -> int:
        if job.error is not None:
            return job.error.exit_code
        left_there = kind == "running" and not self.waits
        return 0 if left_there else _WITHOUT_ERROR.get(kind, 0)

    def spend(self, cost: Cost) -> None:
        """Add what a job that was accepted, or may have been, costs."""
        if cost.usd is None:
            self.priceless += 1
        else:
            self.spent[cost.source] += cost.usd  # type: ignore[assignment]

    @property
    def ended(self) -> int:
        """How many rows are no longer planned."""
        return self.counts.total() - self.counts["planned"]

    @property
    def planned(self) -> int:
        """How many rows were not started, or were put back."""
        return self.total - self.ended

    @property
    def cost(self) -> Cost:
        """What this run spent; an estimate where any part of it is, unknown where a price is."""
        usd = round(sum(self.spent.values()), 6)
        if self.priceless:
            return Cost(usd or None, "unknown")
        return Cost(usd, "provider" if set(self.spent) == {"provider"} else "estimate")

    def exit_code(self, stop: KontextError | None = None) -> int:
        """The code of the batch: by what stopped it, else what its rows have in common."""
        if isinstance(stop, Interrupted) or (stop and stop.exit_code in _BY_CAUSE):
            return stop.exit_code
        codes = {code for code, count in self.codes.items() if code and count}
        if not codes:
            return stop.exit_code if stop is not None else 0
        if len(codes) == 1 and not self.counts["saved"] and not self.counts["skipped"]:
            return codes.pop()
        return _MIXED

    def record(self) -> dict[str, Any]:
        """The counters for JSON, in their order; they add up to ``total``."""
        counted: dict[str, int] = {kind: self.counts[kind] for kind in KINDS}
        return {"total": self.total, **counted, "planned": self.planned}


def kind_of(job: Job) -> Kind:
    """Which counter a job belongs to."""
    if job.skipped:
        return "skipped"
    if job.state in _ON_THE_WAY:
        return "running"
    return job.state.value  # type: ignore[return-value]
