"""The table of jobs: every statement on it, each within a transaction of its caller."""

import heapq
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from kontext_cli.errors import JobIdTaken
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
from kontext_cli.journal.spending import Spent

OPEN_STATES = "('submitting', 'queued', 'running', 'ready')"
_JOBS = f"SELECT {COLUMNS} FROM jobs"  # noqa: S608
PUT = (
    f"INSERT INTO jobs ({COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
    " ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in Row._fields[1:])
    + " WHERE jobs.created_at = excluded.created_at"
)
ADD = (
    f"INSERT INTO jobs ({COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"  # noqa: S608
    " ON CONFLICT DO NOTHING"
)
_OF_ROW = "SELECT state, id, attempt, details FROM jobs WHERE batch = ? AND row = ? LIMIT 2"
_OWNERS = "SELECT DISTINCT owner FROM jobs WHERE owner IS NOT NULL"
_LAST_BATCH = "SELECT batch FROM jobs WHERE batch IS NOT NULL ORDER BY id DESC LIMIT 1"
_FILES = "SELECT id, details FROM jobs ORDER BY id DESC"
_MOST = f"LIMIT {MOST_CANDIDATES + 1}"


class Table(ABC):
    """The table ``jobs`` of one connection; ids sort by time.

    What only one database can do, or each in its own way, is left to its store.
    """

    def __init__(self, db: Any) -> None:
        """``db`` is a connection as sqlite3 has it: `?` stands for a value."""
        self._db = db

    def put(self, row: Row) -> None:
        """Insert or update a job.

        Where another job has its row of the batch by now, it is stored outside the batch: its
        request id and its files must not be lost. Raises JournalFault as ``take`` does.
        """
        if not self.take(row):
            self.take(row._replace(row=None))

    def take(self, row: Row) -> bool:
        """Insert or update a job, False where another has its row of the batch.

        Raises JobIdTaken where another job has its id: two processes can draw the same one.
        """
        count = self.try_to_put(row)
        if count == 0:
            raise JobIdTaken(f"another job has the id {row.id}", hint="run it again")
        return count is not None

    def set_state(self, job_id: str, state: State, owner: str | None) -> None:
        """Change the state and the owner of a job, and nothing else."""
        self._db.execute(
            "UPDATE jobs SET state = ?, owner = ? WHERE id = ?", (state.value, owner, job_id)
        )

    def row(self, job_id: str) -> Row | None:
        """The row of an id."""
        return next(self._rows("WHERE id = ?", job_id), None)

    def of_ids(self, ids: Sequence[str]) -> dict[str, Row]:
        """The rows of these ids, by the id."""
        if not ids:
            return {}
        marks = ", ".join("?" * len(ids))
        return {row.id: row for row in self._rows(f"WHERE id IN ({marks})", *ids)}

    def after(self, job_id: str, most: int) -> list[Row]:
        """The next rows after an id, in the order of ids."""
        return list(self._rows(f"WHERE id > ? ORDER BY id LIMIT {most}", job_id))

    def count(self) -> int:
        """How many jobs there are."""
        return int(self._db.execute("SELECT count(*) FROM jobs").fetchone()[0])

    def add(self, rows: Sequence[Row]) -> int:
        """Insert new jobs, and return how many: those whose row of a batch is taken are not."""
        return int(self._db.executemany(ADD, rows).rowcount) if rows else 0

    def others_of_request(self, row: Row) -> Iterator[Row]:
        """The other jobs with the request id of a row, at any provider."""
        return self._rows("WHERE request_id = ? AND id != ?", row.request_id, row.id)

    def newest(self, batch: str | None = None) -> Iterator[Row]:
        """All rows, or those of one batch, the newest first; read lazily."""
        if batch is None:
            return self._many_rows("ORDER BY id DESC")
        return self._many_rows("WHERE batch = ? ORDER BY id DESC", ascii_text(batch))

    def of_batch(self, batch: str, row: str | None) -> Iterator[Row]:
        """The jobs of one batch that belong to its rows, or to one row, by their attempts."""
        if row is not None:
            values = (ascii_text(batch), ascii_text(row))
            return self._rows("WHERE batch = ? AND row = ? ORDER BY attempt", *values)
        return self._many_rows(
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
        for job_id, details in self._many(_FILES):
            with suppress(ValueError):
                yield from ((str(job_id), file) for file in files_of(str(details)))

    def planned(self, batch: str) -> Iterator[Row]:
        """The jobs of a batch that were taken and not sent."""
        return self._rows("WHERE batch = ? AND state = 'planned'", ascii_text(batch))

    def last_attempt(self, row: Row) -> Row | None:
        """The last job of the same row of a batch."""
        last = "WHERE batch = ? AND row = ? ORDER BY attempt DESC LIMIT 1"
        return next(self._rows(last, row.batch, row.row), None)

    def newest_of_states(self, states: Collection[State]) -> Iterator[Row]:
        """The rows of some states, the newest first; from one range of the index for each."""
        newest = "WHERE state = ? ORDER BY id DESC"
        ranges = [self._many_rows(newest, each.value) for each in states]
        return heapq.merge(*ranges, key=lambda row: row.id, reverse=True)

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
            conditions.append(f"state NOT IN {OPEN_STATES}")
            if living:
                marks = ", ".join("?" * len(living))
                conditions.append(f"(owner IS NULL OR owner NOT IN ({marks}))")
                values += living
        sets = [(*values, each) for each in set(ids)] or [tuple(values)]
        deleting = f"DELETE FROM jobs WHERE {' AND '.join(conditions)}"  # noqa: S608
        return int(self._db.executemany(deleting, sets).rowcount)

    @abstractmethod
    def try_to_put(self, row: Row) -> int | None:
        """Insert or update a job by ``PUT``: 0 where another job has its id, None where another
        has its row of the batch."""

    @abstractmethod
    def expect(self, rows: Sequence[Row]) -> None:
        """These rows are to be put, or taken, by this transaction: what that needs may be read at
        once."""

    @abstractmethod
    def lock(self) -> None:
        """Keep all others from writing until the end of the transaction."""

    @abstractmethod
    def limit_budget(self, row: Row, usd: float) -> None:
        """Let the transaction fail where its jobs pass the budget of their batch.

        Raises BudgetFault for a job of unknown price.
        """

    @abstractmethod
    def reserved(self, batch: str) -> int:
        """What is reserved of the budget of a batch, in millionths of a US dollar."""

    @abstractmethod
    def budgets(self) -> Mapping[str, int]:
        """What each batch has ever reserved or spent, in millionths of a US dollar."""

    @abstractmethod
    def raise_budgets(self, budgets: Mapping[str, int]) -> None:
        """Let each batch have reserved or spent at least as much."""

    @abstractmethod
    def open(self) -> Iterator[Row]:
        """The rows of open jobs, the oldest first."""

    @abstractmethod
    def spent(self, within: timedelta | None) -> list[Spent]:
        """What the jobs of the last time, or all, cost; reads the whole table."""

    def _rows(self, clause: str, *values: str | None) -> Iterator[Row]:
        return map(stored_row, self._db.execute(f"{_JOBS} {clause}", values))

    def _many_rows(self, clause: str, *values: str | None) -> Iterator[Row]:
        """Rows that may be all there are."""
        return map(stored_row, self._many(f"{_JOBS} {clause}", *values))

    def _many(self, query: str, *values: str | None) -> Iterator[Sequence[Any]]:
        """The results of a query, read lazily."""
        rows: Iterator[Sequence[Any]] = self._db.execute(query, values)
        return rows


def _conditions(
    older_than: timedelta | None, states: Collection[State]
) -> tuple[list[str], list[str]]:
    """The SQL conditions for jobs of an age and of some states, and their values."""
    conditions: list[str] = []
    values: list[str] = []
    if older_than is not None:
        conditions.append("created_at < ?")
        values.append(moment(ago(older_than)))
    if states:
        conditions.append(f"state IN ({', '.join('?' * len(states))})")
        values += [state.value for state in states]
    return conditions, values


def ago(age: timedelta) -> datetime:
    """The moment that long ago, in UTC; the first one of all if it is longer."""
    try:
        return datetime.now(UTC) - age
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
