"""What the jobs in the journal cost, in groups."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

By = Literal["day", "provider", "model", "batch", "total"]
CostSource = Literal["provider", "estimate", "unknown"]


class Spent(NamedTuple):
    """What the jobs alike in all this cost, in US dollars: 0 where ``source`` is `unknown`.

    ``day`` is the local day of the submit. ``in_doubt``: they may not have been billed.
    """

    day: str | None
    provider: str | None
    model: str | None
    batch: str | None
    source: CostSource
    in_doubt: bool
    jobs: int
    usd: float


@dataclass(slots=True)
class Sum:
    """Jobs and their cost in US dollars; ``in_doubt`` is the part that may not have been billed."""

    jobs: int = 0
    usd: float = 0.0
    in_doubt: float = 0.0

    def add(self, jobs: int, usd: float, in_doubt: float) -> None:
        """Add jobs and their cost."""
        self.jobs += jobs
        self.usd += usd
        self.in_doubt += in_doubt


Group = dict[CostSource, Sum]
"""What a group of jobs cost, by who says so; those without a price are `unknown`, and cost 0."""


def grouped(spent: Iterable[Spent], by: By) -> dict[str | None, Group]:
    """The sums of each day, provider, model or batch, or of all jobs under the key None.

    The newest day is first, else the group that cost most; jobs without such a key are last.
    """
    groups: dict[str | None, Group] = {}
    for each in spent:
        group = groups.setdefault(None if by == "total" else getattr(each, by), {})
        of_source = group.setdefault(each.source, Sum())
        of_source.add(each.jobs, each.usd, each.usd if each.in_doubt else 0.0)
    ordered = sorted(groups.items(), key=lambda item: item[0] or "", reverse=by == "day")
    if by != "day":
        ordered.sort(key=lambda item: usd_of(item[1]), reverse=True)
    return dict(sorted(ordered, key=lambda item: item[0] is None))


def usd_of(group: Group) -> float:
    """What a group cost as far as is known, in US dollars."""
    return round(sum(each.usd for each in group.values()), 6)


def united(groups: Iterable[Group]) -> Group:
    """Several groups as one."""
    whole: Group = {}
    for group in groups:
        for source, each in group.items():
            whole.setdefault(source, Sum()).add(each.jobs, each.usd, each.in_doubt)
    return whole
