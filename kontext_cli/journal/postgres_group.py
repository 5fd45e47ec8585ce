"""Many jobs written in one transaction: what that needs is read at once, and written at once."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from kontext_cli.job import State
from kontext_cli.journal.codec import COLUMNS, Row, stored_row

CHANGED = ("state", "owner", "request_id", "details")
"""The columns of a job that change: where it belongs does not."""

Execute = Callable[[str, Sequence[Any]], Any]

_JOBS = f"SELECT {COLUMNS} FROM jobs"  # noqa: S608
_OF_IDS = f"{_JOBS} WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_OF_ROWS = (
    f"{_JOBS} WHERE row IS NOT NULL AND (batch, row) IN"  # noqa: S608
    ' (SELECT a COLLATE "C", b COLLATE "C"'
    " FROM unnest(%s::text[], %s::text[]) AS wanted (a, b)) ORDER BY batch, row, attempt FOR UPDATE"
)
# Else two processes with the same request id could each miss the other's.
LOCK_REQUESTS = (
    "SELECT pg_advisory_xact_lock(hashtextextended(id, 0))"
    " FROM (SELECT unnest(%s::text[]) AS id ORDER BY 1) AS requests"
)
_OF_REQUESTS = f"{_JOBS} WHERE request_id = ANY(%s)"
_UPDATE = (
    f"UPDATE jobs SET {', '.join(f'{name} = changed.{name}' for name in CHANGED)}"  # noqa: S608
    f" FROM unnest({', '.join(['%s::text[]'] * (1 + len(CHANGED)))})"
    f' AS changed (id, {", ".join(CHANGED)}) WHERE jobs.id = changed.id COLLATE "C"'
)
_INSERT = (
    f"INSERT INTO jobs ({COLUMNS}) SELECT * FROM unnest("  # noqa: S608
    + ", ".join("%s::int[]" if name == "attempt" else "%s::text[]" for name in Row._fields)
    + ") ON CONFLICT DO NOTHING"
)
_DELETE = "DELETE FROM jobs WHERE id = ANY(%s)"


class Overlap(Exception):
    """Another process has added one of the jobs, or one of their rows, in the same moment."""


class Group:
    """The jobs of one transaction, with all that others may not change meanwhile."""

    def __init__(self, execute: Execute, rows: Sequence[Row]) -> None:
        self._execute = execute
        self._rows: dict[str, Row] = {}
        self._of_row: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._new: set[str] = set()
        self._changed: set[str] = set()
        self._dropped: set[str] = set()
        self._read(_OF_IDS, sorted({row.id for row in rows}))
        if places := sorted({(row.batch, row.row) for row in rows if row.batch and row.row}):
            self._read(_OF_ROWS, *map(list, zip(*places, strict=True)))
        if requests := [row.request_id for row in rows if row.request_id and self._is_sent(row)]:
            execute(LOCK_REQUESTS, (requests,))
            self._read(_OF_REQUESTS, requests)

    def row(self, job_id: str) -> Row | None:
        """The row of an id."""
        return self._rows.get(job_id)

    def last_attempt(self, row: Row) -> Row | None:
        """The last job of the same row of a batch."""
        return max(self._attempts(row), key=lambda each: each.attempt, default=None)

    def others_of_request(self, row: Row) -> Iterator[Row]:
        """The other jobs with the request id of a row."""
        others = (each for each in self._rows.values() if each.request_id == row.request_id)
        return (each for each in others if each.id != row.id)

    def put(self, row: Row) -> int | None:
        """Insert or update a job when all is written, as `Table.try_to_put`."""
        stored = self._rows.get(row.id)
        if stored is None:
            if any(each.attempt == row.attempt for each in self._attempts(row)):
                return None
            self._new.add(row.id)
            self._add(row)
            return 1
        if stored.created_at != row.created_at:
            return 0
        self._changed.add(row.id)
        self._add(stored._replace(**{name: getattr(row, name) for name in CHANGED}))
        return 1

    def drop_planned(self, row: Row) -> list[Row]:
        """Delete earlier attempts at the same row that were never sent; returns them."""
        dropped = [
            each
            for each in self._attempts(row)
            if each.attempt < row.attempt and each.state == State.PLANNED
        ]
        for each in dropped:
            del self._rows[each.id]
            self._of_row[each.batch or "", each.row or ""].discard(each.id)
            self._dropped.add(each.id)
        return dropped

    def write(self) -> None:
        """Write all that was changed. Raises Overlap."""
        if dropped := [*self._dropped - self._new]:
            self._execute(_DELETE, (dropped,))
        if changed := [self._rows[each] for each in self._changed - self._new - self._dropped]:
            self._execute(_UPDATE, _columns(changed, ("id", *CHANGED)))
        if new := [self._rows[each] for each in self._new - self._dropped]:
            new.sort(key=lambda row: (row.batch or "", row.row or "", row.attempt))
            if self._execute(_INSERT, _columns(new, Row._fields)).rowcount != len(new):
                raise Overlap

    def _is_sent(self, row: Row) -> bool:
        """Whether a row gets its request id only now."""
        stored = self._rows.get(row.id)
        return stored is not None and stored.state == State.SUBMITTING

    def _attempts(self, row: Row) -> list[Row]:
        ids = self._of_row[row.batch, row.row] if row.batch and row.row else ()
        return [self._rows[each] for each in ids]

    def _read(self, query: str, *values: Sequence[object]) -> None:
        for each in self._execute(query, values):
            self._add(stored_row(each))

    def _add(self, row: Row) -> None:
        self._rows[row.id] = row
        if row.batch and row.row:
            self._of_row[row.batch, row.row].add(row.id)


def _columns(rows: Sequence[Row], names: Sequence[str]) -> list[list[object]]:
    return [[getattr(row, name) for row in rows] for name in names]
