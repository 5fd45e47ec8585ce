"""How long jobs took, to estimate how long others will take."""

import sqlite3
from collections import defaultdict
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from kontext_cli.errors import JournalFault
from kontext_cli.journal.database import READ, all_faults, connect
from kontext_cli.journal.file import FILE

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
        return _medians(db)
    return {}


def _medians(db: sqlite3.Connection) -> RunTimes:
    times: defaultdict[tuple[str, str, str], list[float]] = defaultdict(list)
    for provider, model, operation, seconds in db.execute(_NEWEST_SAVED):
        if isinstance(seconds, float) and seconds > 0:
            times[provider, model, operation].append(seconds)
    return {key: sorted(each)[len(each) // 2] for key, each in times.items()}
