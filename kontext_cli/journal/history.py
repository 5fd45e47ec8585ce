"""How long jobs took and what they cost, worked out by SQLite: there may be a million."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from kontext_cli.errors import JournalFault
from kontext_cli.journal.codec import plain_text
from kontext_cli.journal.database import READ, all_faults, connect
from kontext_cli.journal.file import FILE
from kontext_cli.journal.spending import Spent

RunTimes = Mapping[tuple[str, str, str], float]
"""The usual seconds from a job's start to its files, by provider, model and operation."""

_NEWEST_SAVED = """
    SELECT json_extract(details, '$.provider'),
           json_extract(details, '$.model'),
           json_extract(details, '$.operation'),
           (julianday(json_extract(details, '$.finished_at')) - julianday(created_at)) * 86400
    FROM (SELECT created_at, details FROM jobs WHERE state = 'saved' ORDER BY id DESC LIMIT 300)
    WHERE json_valid(details)
"""
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


def run_times(folder: Path) -> RunTimes:
    """The median of the jobs that were saved last; empty where the journal cannot be read.

    Reads through a connection of its own, so that nothing waits for it.
    """
    path = folder / FILE
    with (
        suppress(JournalFault),
        all_faults(f"cannot read the journal `{path}`"),
        closing(connect(path, READ)) as db,
    ):
        return median_times(db.execute(_NEWEST_SAVED))
    return {}


def median_times(jobs: Iterable[tuple[str, str, str, object]]) -> RunTimes:
    """The median of the seconds that jobs took, by provider, model and operation."""
    times: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for provider, model, operation, seconds in jobs:
        if isinstance(seconds, float) and seconds > 0:
            times[provider, model, operation].append(seconds)
    return {key: sorted(each)[len(each) // 2] for key, each in times.items()}


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
