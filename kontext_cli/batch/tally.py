"""The results of a batch: a counter for each final state, the cost, and the exit code."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from kontext_cli.errors import Interrupted, KontextError
from kontext_cli.job import Cost, Job, State
from kontext_cli.journal.faults import Away

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
_RUNNING = (State.SUBMITTING, State.QUEUED, State.RUNNING)
_MIXED = 9
_BY_CAUSE = (3, 4, 10)
"""Exit codes of errors that stop a batch: key or account, identical refusals, budget."""


@dataclass(slots=True)
class Tally:
    """Counts rows as they end; the others are ``planned``.

    ``spent`` is the cost of this run's submits in US dollars, by source: estimate or provider.
    ``unpriced`` counts accepted jobs without a known price. ``waits`` is false if jobs are left at
    the provider on purpose.
    """

    total: int
    waits: bool = True
    counts: Counter[Kind] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    spent: Counter[str] = field(default_factory=Counter)
    unpriced: int = 0

    def count(self, job: Job) -> Kind:
        """Count a row by the state of its job."""
        kind = kind_of(job)
        self.counts[kind] += 1
        if kind not in ("saved", "skipped", "planned"):
            self.codes[self._code(job, kind)] += 1
        return kind

    def skip(self) -> None:
        """Count a row whose files exist."""
        self.counts["skipped"] += 1

    def _code(self, job: Job, kind: Kind) -> int:
        if job.error is not None:
            return job.error.exit_code
        is_left = kind == "running" and not self.waits
        return 0 if is_left else job.state.exit_code

    def spend(self, cost: Cost) -> None:
        """Add the cost of a job that was accepted, or may have been."""
        if cost.usd is None:
            self.unpriced += 1
        else:
            self.spent[cost.source] += cost.usd  # type: ignore[assignment]

    @property
    def ended(self) -> int:
        """The number of rows that have ended."""
        return self.counts.total() - self.counts["planned"]

    @property
    def planned(self) -> int:
        """The number of rows that were not started, or are planned again."""
        return self.total - self.ended

    @property
    def cost(self) -> Cost:
        """What this run spent: an estimate if any part of it is, unknown if any price is."""
        usd = round(sum(self.spent.values()), 6)
        if self.unpriced:
            return Cost(usd or None, "unknown")
        return Cost(usd, "provider" if set(self.spent) == {"provider"} else "estimate")

    def exit_code(self, stop: KontextError | None = None) -> int:
        """The exit code: of the error that stopped the batch, else of all its rows, else 9."""
        by_cause = isinstance(stop, Interrupted | Away)
        if stop is not None and (by_cause or stop.exit_code in _BY_CAUSE):
            return stop.exit_code
        codes = {code for code, count in self.codes.items() if code and count}
        if not codes:
            return stop.exit_code if stop is not None else 0
        if len(codes) == 1 and not self.counts["saved"] and not self.counts["skipped"]:
            return codes.pop()
        return _MIXED

    def record(self) -> dict[str, Any]:
        """The counters for JSON, in order; they add up to ``total``."""
        counted: dict[str, int] = {kind: self.counts[kind] for kind in KINDS}
        return {"total": self.total, **counted, "planned": self.planned}


def kind_of(job: Job) -> Kind:
    """Which counter a job belongs to."""
    if job.skipped:
        return "skipped"
    if job.state in _RUNNING:
        return "running"
    return job.state.value  # type: ignore[return-value]
