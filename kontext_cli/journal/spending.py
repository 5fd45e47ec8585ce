"""What the jobs in the journal cost, added up by SQLite: there may be a million."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

from kontext_cli.journal.codec import plain_text

By = Literal["day", "provider", "model", "batch", "total"]
CostSource = Literal["provider", "estimate", "unknown"]

_SPENT = """
    SELECT day, provider, model, batch,
           CASE WHEN usd IS NULL THEN 'unknown' WHEN source = 'provider' THEN source
                ELSE 'estimate' END,
           billed = 'maybe', count(*), total(usd)
    FROM (
        SELECT date(created_at, 'localtime') AS day,
               json_extract(details, '$.provider') AS provider,
               json_extract(details, '$.model') AS model,
               batch,
               json_extract(details, '$.cost.source') AS source,
               CASE WHEN json_extract(details, '$.cost.usd') BETWEEN 0 AND 1e9
                    THEN json_extract(details, '$.cost.usd') END AS usd,
               CASE WHEN state IN ('ready', 'saved') THEN 'yes'
                    WHEN json_array_length(details, '$.outputs') > 0 THEN 'yes'
                    WHEN state IN ('submitting', 'queued', 'running', 'unknown') THEN 'maybe'
                    WHEN json_type(details, '$.error.billed') = 'text'
                    THEN json_extract(details, '$.error.billed')
                    WHEN request_id IS NULL THEN 'no' ELSE 'maybe' END AS billed
        FROM (
            SELECT created_at, state, batch, request_id,
                   CASE WHEN json_valid(details) THEN details ELSE '{}' END AS details
            FROM jobs WHERE state != 'planned' AND created_at >= ? LIMIT -1
        )
        LIMIT -1
    )
    WHERE billed != 'no'
    GROUP BY 1, 2, 3, 4, 5, 6
"""
"""Tells whether a job was billed as `bill_so_far` does. A damaged job counts, at an unknown price.

Without the limits SQLite would merge the queries, and read the JSON several times.
"""


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


def spent_jobs(db: sqlite3.Connection, since: str) -> Iterator[Spent]:
    """What all jobs cost that were made since a moment, but for those that certainly were not
    billed."""
    for *keys, source, in_doubt, jobs, usd in db.execute(_SPENT, (since,)):
        day, provider, model, batch = (key if isinstance(key, str) else None for key in keys)
        yield Spent(day, provider, model, _name(batch), source, bool(in_doubt), jobs, usd)


def _name(batch: str | None) -> str | None:
    """The name of a batch as it was typed; one that is damaged as it is stored."""
    with suppress(ValueError):
        return batch and plain_text(batch)
    return batch


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
