"""The budget of a run, in millionths of a dollar so that sums are exact."""

from kontext_cli.errors import OverBudget
from kontext_cli.job import Cost
from kontext_cli.words import dollars

_PARTS = 1_000_000


class Budget:
    """Reserves the price of each submit; it is released where nothing was billed.

    A submit that was sent and not answered counts as spent. Without a limit all is allowed.
    """

    def __init__(self, limit: float | None, reserved: float = 0.0) -> None:
        """``limit`` is US dollars, of which ``reserved`` were given away before this run."""
        self.limit = limit
        self._before = round(reserved * _PARTS)
        self._left = None if limit is None else round(limit * _PARTS) - self._before

    def check(self, costs: list[Cost]) -> None:
        """Check that the whole plan is within the limit. Raises OverBudget."""
        if self._left is None:
            return
        if any(cost.usd is None for cost in costs):
            raise OverBudget(
                "the price is not known in advance, so --max-cost cannot be enforced",
                hint="set the price of the model in config.toml, or omit --max-cost; where it "
                "depends on the size of the input images, give these as files, not as URLs",
            )
        total = sum(_parts(cost) for cost in costs)
        if total > self._left:
            part = "run part of it with --limit, or: " if costs[1:] else ""
            left = f"{dollars(max(self._left, 0) / _PARTS)} {'left ' if self._before else ''}"
            raise OverBudget(
                f"the estimated cost of {dollars(total / _PARTS)} exceeds the "
                f"{left}of --max-cost; nothing was sent",
                hint=f"{part}use --max-cost {(total + self._before) / _PARTS} or higher",
            )

    def reserve(self, cost: Cost) -> bool:
        """Reserve the price of a submit; False if it exceeds what is left."""
        if self._left is None:
            return True
        if cost.usd is None or _parts(cost) > self._left:
            return False
        self._left -= _parts(cost)
        return True

    def settle(self, reserved: Cost, spent: Cost | None) -> None:
        """Replace a reserved price by what the job cost; None for nothing."""
        if self._left is not None:
            self._left += _parts(reserved) - (_parts(spent) if spent else 0)

    def exhausted(self) -> OverBudget:
        """The error that stops a run when its jobs cost more than was estimated."""
        return OverBudget(
            f"the budget of {dollars(self.limit or 0)} (--max-cost) is spent",
            hint="the remaining rows stay planned; run the batch again to continue",
        )


def _parts(cost: Cost) -> int:
    return round((cost.usd or 0) * _PARTS)
