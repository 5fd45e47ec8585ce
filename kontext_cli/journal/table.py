"""The table of jobs: every statement on it, each within a transaction of its caller."""

import heapq
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from kontext_cli.errors import JournalFault
from kontext_cli.job import State
from kontext_cli.journal.codec import (
    COLUMNS,
    Row,
    Saved,
    SavedFile,
    ascii_text,
    files_of,
    moment,
    saved_of,
    stored_row,
)
from kontext_cli.journal.lookup import MOST_CANDIDATES
from kontext_cli.journal.schema import OPEN_JOBS, OPEN_STATES
from kontext_cli.journal.spending import Spent, spent_jobs

_JOBS = f"SELECT {COLUMNS} FROM jobs"  # noqa: S608
_PUT = (
    f"INSERT INTO jobs ({COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in Row._fields[1:])
    + " WHERE jobs.created_at = excluded.created_at"
)
_OF_ROW = "SELECT state, id, attempt, details FROM jobs WHERE batch = ? AND row = ? LIMIT 2"
_OWNERS = "SELECT DISTINCT owner FROM jobs WHERE owner IS NOT NULL"
_LAST_BATCH = "SELECT batch FROM jobs WHERE batch IS NOT NULL ORDER BY id DESC LIMIT 1"
_FILES = "SELECT id, details FROM jobs ORDER BY id DESC"
_NEWEST_IDS = "SELECT id FROM jobs ORDER BY id DESC LIMIT 500"
_MOST = f"LIMIT {MOST_CANDIDATES + 1}"


class Table:
    """The table ``jobs`` of one connection; ids sort by time."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def put(self, row: Row) -> None:
        """Insert or update a job.

        Where another job has its row of the batch by now, it is stored outside the batch: its
        request id and its files must not be lost. Raises JournalFault where another job has its
        id: two processes can draw the same one.
        """
        try:
            count = self._db.execute(_PUT, row).rowcount
        except sqlite3.IntegrityError:
            count = self._db.execute(_PUT, row._replace(row=None)).rowcount
        if count == 0:
            raise JournalFault(f"another job has the id {row.id}", hint="run it again")

    def set_state(self, job_id: str, state: State, owner: str | None) -> None:
        """Change the state and the owner of a job, and nothing else."""
        self._db.execute(
            "UPDATE jobs SET state = ?, owner = ? WHERE id = ?", (state.value, owner, job_id)
        )

    def row(self, job_id: str) -> Row | None:
        """The row of an id."""
        return next(self._rows("WHERE id = ?", job_id), None)

    def others_of_request(self, row: Row) -> Iterator[Row]:
        """The other jobs with the request id of a row, at any provider."""
        return self._rows("WHERE request_id = ? AND id != ?", row.request_id, row.id)

    def newest(self) -> Iterator[Row]:
        """All rows, the newest first; read lazily."""
        return self._rows("ORDER BY id DESC")

    def newest_of_batch(self, batch: str) -> Iterator[Row]:
        """The rows of one batch, the newest first."""
        return self._rows("WHERE batch = ? ORDER BY id DESC", ascii_text(batch))

    def of_batch(self, batch: str, row: str | None) -> Iterator[Row]:
        """The jobs of one batch that belong to its rows, or to one row, by their attempts."""
        if row is not None:
            values = (ascii_text(batch), ascii_text(row))
            return self._rows("WHERE batch = ? AND row = ? ORDER BY attempt", *values)
        return self._rows(
            "WHERE batch = ? AND row IS NOT NULL ORDER BY row, attempt", ascii_text(batch)
        )

    def saved_of_row(self, batch: str, row: str) -> Saved | None:
        """The job of one row of a batch, if that is the only one, is saved and can be read."""
        found = self._db.execute(_OF_ROW, (ascii_text(batch), ascii_text(row))).fetchmany(2)
        if len(found) != 1 or found[0][0] != State.SAVED:
            return None
        with suppress(ValueError):
            return saved_of(*found[0][1:])
        return None

    def last_batch(self) -> str | None:
        """The batch of the newest job that belongs to one."""
        found = self._db.execute(_LAST_BATCH).fetchone()
        return None if found is None else str(found[0])

    def saved_files(self) -> Iterator[tuple[str, SavedFile]]:
        """Each saved file with the id of its job, the newest job first; read lazily."""
        for job_id, details in self._db.execute(_FILES):
            with suppress(ValueError):
                yield from ((str(job_id), file) for file in files_of(str(details)))

    def last_attempts(self, row: Row) -> Iterator[Row]:
        """The jobs of the same row of a batch, the last one first."""
        return self._rows("WHERE batch = ? AND row = ? ORDER BY attempt DESC", row.batch, row.row)

    def newest_of_states(self, states: Collection[State]) -> Iterator[Row]:
        """The rows of some states, the newest first; from one range of the index for each."""
        ranges = [self._rows("WHERE state = ? ORDER BY id DESC", each.value) for each in states]
        return heapq.merge(*ranges, key=lambda row: row.id, reverse=True)

    def spent(self, within: timedelta | None) -> list[Spent]:
        """What the jobs of the last time, or all, cost; reads the whole table."""
        return [*spent_jobs(self._db, "" if within is None else moment(_ago(within)))]

    def open(self) -> Iterator[Row]:
        """The rows of open jobs, the oldest first."""
        return map(stored_row, self._db.execute(OPEN_JOBS))

    def named(self, name: str) -> Collection[Row]:
        """The rows that match a name, at most one more than are shown; one for a complete id."""
        name = ascii_text(name.strip()) or ""
        if not name:
            return ()
        start = name.lower()
        by_id = self._rows(f"WHERE id >= ? AND id < ? ORDER BY id {_MOST}", start, f"{start}~")
        found = {row.id: row for row in by_id}
        if start in found:
            return (found[start],)
        by_request = self._rows(f"WHERE request_id = ? ORDER BY rowid DESC {_MOST}", name)
        return (found | {row.id: row for row in by_request}).values()

    def drop_planned(self, row: Row) -> None:
        """Delete earlier attempts at the same row that were never sent."""
        self._db.execute(
            "DELETE FROM jobs WHERE batch = ? AND row = ? AND attempt < ? AND state = ?",
            (row.batch, row.row, row.attempt, State.PLANNED.value),
        )

    def newest_ids(self) -> list[str]:
        """The newest ids, as candidates for what was meant."""
        return [str(job_id) for (job_id,) in self._db.execute(_NEWEST_IDS)]

    def owners(self) -> list[str]:
        """The tokens of all processes that own jobs; reads the whole table."""
        return [str(owner) for (owner,) in self._db.execute(_OWNERS)]

    def delete(
        self,
        ids: Collection[str],
        older_than: timedelta | None,
        states: Collection[State],
        living: Collection[str] = (),
    ) -> int:
        """Delete the rows that meet all conditions given, and return their number.

        Only rows of ``ids`` can be open, or owned by one of the processes that are ``living``.
        """
        conditions, values = _conditions(older_than, states)
        if ids:
            conditions.append("id = ?")
        else:
            owned = f"owner IN ({', '.join('?' * len(living))})"
            conditions.append(f"state NOT IN {OPEN_STATES} AND (owner IS NULL OR NOT {owned})")
            values += living
        sets = [(*values, each) for each in set(ids)] or [tuple(values)]
        deleting = f"DELETE FROM jobs WHERE {' AND '.join(conditions)}"  # noqa: S608
        return self._db.executemany(deleting, sets).rowcount

    def _rows(self, clause: str, *values: str | None) -> Iterator[Row]:
        return map(stored_row, self._db.execute(f"{_JOBS} {clause}", values))


def _conditions(
    older_than: timedelta | None, states: Collection[State]
) -> tuple[list[str], list[str]]:
    """The SQL conditions for jobs of an age and of some states, and their values."""
    conditions: list[str] = []
    values: list[str] = []
    if older_than is not None:
        conditions.append("created_at < ?")
        values.append(moment(_ago(older_than)))
    if states:
        conditions.append(f"state IN ({', '.join('?' * len(states))})")
        values += [state.value for state in states]
    return conditions, values


def _ago(age: timedelta) -> datetime:
    try:
        return datetime.now(UTC) - age
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
