"""The table of jobs in PostgreSQL, and the budgets of batches beside it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg

from kontext_cli.errors import BudgetFault
from kontext_cli.journal.budgets import charge, price
from kontext_cli.journal.codec import COLUMNS, Row, ascii_text, moment, plain_text, stored_row
from kontext_cli.journal.postgres_group import CHANGED, LOCK_REQUESTS, Group
from kontext_cli.journal.server import Connection
from kontext_cli.journal.spending import CostSource, Spent
from kontext_cli.journal.table import OPEN_STATES, Table, ago
from kontext_cli.words import dollars

_FEWEST, _MOST = 32, 2_048
"""Rows that are fetched at once of a result that is read lazily."""
_MARKS = ", ".join(["%s"] * len(Row._fields))
_INSERT = f"INSERT INTO jobs ({COLUMNS}) VALUES ({_MARKS}) ON CONFLICT DO NOTHING"  # noqa: S608
_UPDATE = (
    "WITH before AS (SELECT * FROM jobs WHERE id = %s AND created_at = %s FOR UPDATE)"  # noqa: S608
    f" UPDATE jobs SET {', '.join(f'{name} = %s' for name in CHANGED)}"
    " FROM before WHERE jobs.id = before.id RETURNING "
    + ", ".join(f"before.{name}" for name in Row._fields)
)
_OPEN = f"SELECT {COLUMNS} FROM jobs WHERE state IN {OPEN_STATES} ORDER BY id"  # noqa: S608

_COST = "record #> '{cost,usd}'"
_FACTS = f"""
    SELECT created_at, state, owner, batch,
           CASE jsonb_typeof(record -> 'provider') WHEN 'string' THEN record ->> 'provider' END
               AS provider,
           CASE jsonb_typeof(record -> 'model') WHEN 'string' THEN record ->> 'model' END AS model,
           record ->> 'operation' AS operation,
           record ->> 'finished_at' AS finished_at,
           record #>> '{{cost,source}}' AS source,
           CASE WHEN jsonb_typeof({_COST}) = 'number'
                THEN CASE WHEN ({_COST})::numeric BETWEEN 0 AND 1e9
                          THEN ({_COST})::double precision END END AS usd,
           CASE WHEN state IN ('ready', 'saved') OR record #> '{{outputs,0}}' IS NOT NULL THEN 'yes'
                WHEN state IN ('submitting', 'queued', 'running', 'unknown') THEN 'maybe'
                WHEN jsonb_typeof(record #> '{{error,billed}}') = 'string'
                THEN record #>> '{{error,billed}}'
                WHEN request_id IS NULL THEN 'no' ELSE 'maybe' END AS billed
    FROM (SELECT created_at, state, owner, batch, request_id, kontext_json(details) AS record
          FROM jobs WHERE %s OFFSET 0) AS parsed
"""  # noqa: S608
"""What the jobs say that meet a condition; ``billed`` as `bill_so_far`, but for planned ones."""
_SPENT = f"""
    SELECT left(created_at, 16), provider, model, batch,
           CASE WHEN usd IS NULL THEN 'unknown' WHEN source = 'provider' THEN source
                ELSE 'estimate' END,
           billed = 'maybe', count(*), coalesce(sum(usd), 0)
    FROM ({_FACTS % "state != 'planned' AND created_at >= %s"}) AS facts
    WHERE billed != 'no'
    GROUP BY 1, 2, 3, 4, 5, 6
"""  # noqa: S608
_LAST_SAVED = "id IN (SELECT id FROM jobs WHERE state = 'saved' ORDER BY id DESC LIMIT 300)"
_NEWEST_SAVED = f"""
    SELECT provider, model, operation, created_at, finished_at
    FROM ({_FACTS % _LAST_SAVED}) AS facts
"""  # noqa: S608
_RESERVE = (
    "UPDATE budgets SET reserved = greatest(reserved + %s, 0) WHERE batch = %s RETURNING reserved"
)
_RESERVED_BY_JOBS = f"""
    SELECT coalesce(sum(round(usd * 1e6)), 0)
    FROM ({_FACTS % "batch = %s"}) AS facts
    WHERE CASE WHEN state = 'planned' THEN owner IS NOT NULL ELSE billed != 'no' END
"""  # noqa: S608
"""What the jobs of a batch take of its budget."""
_FIRST_RESERVE = f"""
    INSERT INTO budgets (batch, reserved) SELECT %s, ({_RESERVED_BY_JOBS})
    ON CONFLICT DO NOTHING RETURNING reserved
"""
"""The budget of a batch that has none yet, with the jobs that were just written."""


_RAISE = """
    INSERT INTO budgets (batch, reserved) VALUES (?, ?)
    ON CONFLICT (batch) DO UPDATE SET reserved = greatest(budgets.reserved, excluded.reserved)
"""


class _Statements:
    """A connection of psycopg, called as one of sqlite3: `?` stands for a value."""

    def __init__(self, db: Connection) -> None:
        self._db = db

    def execute(self, statement: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        return self._db.execute(statement.replace("?", "%s").encode(), values)

    def executemany(self, statement: str, sets: Sequence[Sequence[Any]]) -> psycopg.Cursor[Any]:
        cursor = self._db.cursor()
        cursor.executemany(statement.replace("?", "%s").encode(), sets)
        return cursor


class PostgresTable(Table):
    """The table in a database of PostgreSQL.

    What a transaction that writes has read is locked, so that it stays as it is until its end. What
    it changes of the budgets is written at the very end: all machines wait for these rows.
    """

    _db: _Statements

    def __init__(self, db: Connection) -> None:
        super().__init__(_Statements(db))
        self.is_writing = False
        self._group: Group | None = None
        self._cursors = 0
        self._charges: Counter[str] = Counter()
        self._limits: dict[str, int] = {}

    def begin(self, *, to_write: bool) -> None:
        """To be called when a transaction has begun."""
        self.is_writing = to_write
        self._group = None
        self._charges.clear()
        self._limits.clear()

    def expect(self, rows: Sequence[Row]) -> None:
        self._group = Group(self._db.execute, rows)

    def row(self, job_id: str) -> Row | None:
        return super().row(job_id) if self._group is None else self._group.row(job_id)

    def last_attempt(self, row: Row) -> Row | None:
        return super().last_attempt(row) if self._group is None else self._group.last_attempt(row)

    def others_of_request(self, row: Row) -> Iterator[Row]:
        if self._group is not None:
            return self._group.others_of_request(row)
        self._db.execute(LOCK_REQUESTS, ([row.request_id],))
        return super().others_of_request(row)

    def try_to_put(self, row: Row) -> int | None:
        if self._group is not None:
            before = self._group.row(row.id)
            done = self._group.put(row)
            if done:
                self._charge(row.batch, charge(row) - (charge(before) if before else 0))
            return done
        changed = [getattr(row, name) for name in CHANGED]
        updated = self._db.execute(_UPDATE, (row.id, row.created_at, *changed)).fetchone()
        if updated is not None:
            before = stored_row(updated)
            self._charge(before.batch, charge(row) - charge(before))
            return 1
        if self._db.execute(_INSERT, row).rowcount:
            self._charge(row.batch, charge(row))
            return 1
        return None if self.row(row.id) is None else 0

    def add(self, rows: Sequence[Row]) -> int:
        count = super().add(rows)
        ids = [row.id for row in rows]
        there = ids if count == len(rows) else self.of_ids(ids)
        for row in rows:
            if row.id in there:
                self._charge(row.batch, charge(row))
        return count

    def budgets(self) -> Mapping[str, int]:
        return dict(self._db.execute("SELECT batch, reserved FROM budgets").fetchall())

    def raise_budgets(self, budgets: Mapping[str, int]) -> None:
        if budgets:
            self._db.executemany(_RAISE, [*budgets.items()])

    def lock(self) -> None:
        self._db.execute("LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE")

    def limit_budget(self, row: Row, usd: float) -> None:
        if price(row) is None:
            raise BudgetFault(
                "the price is not known in advance, so --max-cost cannot be enforced",
                hint="set the price of the model in config.toml, or omit --max-cost",
            )
        if row.batch is not None:
            limit = round(usd * 1e6)
            self._limits[row.batch] = min(limit, self._limits.get(row.batch, limit))

    def finish(self) -> None:
        """To be called before the commit: write the group, and last what is taken of the budgets.

        Raises BudgetFault where a limit would be passed, and Overlap.
        """
        if self._group is not None:
            self._group.write()
        for batch in sorted({*self._limits, *(+self._charges), *(-self._charges)}):
            reserved = self._reserved(batch, self._charges[batch])
            limit = self._limits.get(batch)
            if limit is not None and reserved > limit and self._charges[batch] > 0:
                raise BudgetFault(
                    f"the budget of {dollars(limit / 1e6)} (--max-cost), which all machines share,"
                    f" is spent: {dollars((reserved - self._charges[batch]) / 1e6)} by now",
                    hint="the remaining rows stay planned; run the batch again to continue",
                )

    def reserved(self, batch: str) -> int:
        name = ascii_text(batch)
        found = self._db.execute("SELECT reserved FROM budgets WHERE batch = ?", (name,)).fetchone()
        found = found or self._db.execute(_RESERVED_BY_JOBS, (name,)).fetchone()
        return 0 if found is None else int(found[0])

    def drop_planned(self, row: Row) -> None:
        for each in self._dropped(row):
            self._charge(each.batch, -charge(each))

    def _dropped(self, row: Row) -> Iterable[Row]:
        if self._group is not None:
            return self._group.drop_planned(row)
        dropped = self._db.execute(
            f"DELETE FROM jobs WHERE batch = ? AND row = ? AND attempt < ? AND state = 'planned'"  # noqa: S608
            f" RETURNING {COLUMNS}",
            (row.batch, row.row, row.attempt),
        )
        return map(stored_row, dropped)

    def open(self) -> Iterator[Row]:
        return map(stored_row, self._many(_OPEN))

    def spent(self, within: timedelta | None) -> list[Spent]:
        since = "" if within is None else moment(ago(within))
        return [_spent(*found) for found in self._db.execute(_SPENT, (since,))]

    def run_times(self) -> Iterator[tuple[str, str, str, float]]:
        """Provider, model, operation and seconds of the jobs that were saved last."""
        for provider, model, operation, began, ended in self._db.execute(_NEWEST_SAVED):
            with suppress(TypeError, ValueError):
                seconds = datetime.fromisoformat(ended) - datetime.fromisoformat(began)
                yield provider, model, operation, seconds.total_seconds()

    def _rows(self, clause: str, *values: str | None) -> Iterator[Row]:
        return super()._rows(f"{clause} FOR UPDATE" if self.is_writing else clause, *values)

    def _many_rows(self, clause: str, *values: str | None) -> Iterator[Row]:
        rows = self._rows if self.is_writing else super()._many_rows
        return rows(clause, *values)

    def _many(self, query: str, *values: str | None) -> Iterator[Sequence[Any]]:
        """Through a cursor of the server, which ends with the transaction."""
        self._cursors += 1
        name, count = f"kontext_{self._cursors}", _FEWEST
        self._db.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {query}", values)
        while rows := self._db.execute(f"FETCH {count} FROM {name}").fetchall():
            yield from rows
            count = min(2 * count, _MOST)

    def _charge(self, batch: str | None, amount: int) -> None:
        if batch is not None and amount:
            self._charges[batch] += amount

    def _reserved(self, batch: str, amount: int) -> int:
        """What is reserved of a budget after a change by ``amount``."""
        found = self._db.execute(_RESERVE, (amount, batch)).fetchone()
        if found is None:
            found = self._db.execute(_FIRST_RESERVE, (batch, batch)).fetchone()
        if found is None:  # another process was first
            found = self._db.execute(_RESERVE, (amount, batch)).fetchone()
        return 0 if found is None else int(found[0])


def _spent(
    minute: str,
    provider: str | None,
    model: str | None,
    batch: str | None,
    source: CostSource,
    in_doubt: bool,
    jobs: int,
    usd: float,
) -> Spent:
    day = None
    with suppress(ValueError):
        day = f"{datetime.fromisoformat(f'{minute}+00:00').astimezone():%Y-%m-%d}"
    with suppress(ValueError):
        batch = batch and plain_text(batch)
    return Spent(day, provider, model, batch, source, in_doubt, jobs, usd)
