"""The journal in PostgreSQL: its transactions, and what to do where the connection is lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from threading import RLock
from typing import Any, NamedTuple, Self, TypeVar

import psycopg
from psycopg import errors

from kontext_cli.errors import JournalFault
from kontext_cli.journal.history import RunTimes, median_times
from kontext_cli.journal.leases import Leases
from kontext_cli.journal.postgres_group import Overlap
from kontext_cli.journal.postgres_schema import UPGRADES, refuse_other, upgrade, version
from kontext_cli.journal.postgres_table import PostgresTable
from kontext_cli.journal.server import (
    BEGIN,
    BEGIN_TO_READ,
    Address,
    Connection,
    faults,
    is_away,
    is_lost,
    roll_back,
)
from kontext_cli.journal.table import OPEN_STATES

T = TypeVar("T")

_TRIES = 6
"""How often a transaction is begun that deadlocks with others, or loses its connection."""
_LONGEST_PAUSE = 5.0
_WRITING, _READING = "cannot write the journal in", "cannot read the journal in"


_SERVER = "SELECT current_setting('server_version'), current_setting('transaction_read_only')"
_COUNTED = f"SELECT count(*), count(*) FILTER (WHERE state IN {OPEN_STATES}) FROM jobs"  # noqa: S608
_MAY_CREATE = "SELECT has_schema_privilege(current_schema(), 'CREATE')"
_MAY_WRITE = """
    SELECT bool_and(has_table_privilege(name, privilege))
    FROM unnest(ARRAY['jobs', 'owners', 'budgets']) AS name,
        unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS privilege
"""


class Condition(NamedTuple):
    """A database as it is: its name, the version of its server, the seconds that one query takes,
    how many jobs it has, and how many of these are unfinished."""

    name: str
    server: str
    seconds: float
    jobs: int
    unfinished: int


class PostgresStore:
    """The journal in one database; one thread at a time is let in.

    A lost connection is replaced at the next use. Work is done again where it is not known whether
    it was committed: it begins with what is there, and so has no effect twice.
    """

    def __init__(self, address: Address, db: Connection, *, writable: bool) -> None:
        self._address = address
        self._db = db
        self._writable = writable
        self._lock = RLock()
        self.table = PostgresTable(db)
        self.owners = Leases(address, lambda: self._db)
        self._failed: tuple[float, psycopg.Error] | None = None
        """Until when a connection is not tried again, and why: others wait for each attempt."""

    @classmethod
    def open(cls, url: str) -> Self:
        """The journal of a database, whose tables are created where there are none.

        Raises UsageError for a bad URL, and JournalFault.
        """
        address = Address(url)
        with faults(_WRITING, address):
            db = address.connect()
            try:
                upgrade(db)
            except BaseException:
                db.close()
                raise
        return cls(address, db, writable=True)

    @classmethod
    def read(cls, url: str) -> Self | None:
        """The journal of a database for reading only, None where it has no tables of ours.

        Raises UsageError for a bad URL, and JournalFault.
        """
        address = Address(url)
        with faults(_READING, address):
            db = address.connect()
            try:
                found = version(db)
                if found is not None:
                    refuse_other(found)
                    return cls(address, db, writable=False)
            except BaseException:
                db.close()
                raise
        db.close()
        return None

    @classmethod
    def run_times(cls, url: str) -> RunTimes:
        """The median of the jobs that were saved last; empty where the journal cannot be read."""
        with suppress(JournalFault):
            store = cls.read(url)
            if store is not None:
                with closing(store), store.reading(once=True):
                    return median_times(store.table.run_times())
        return {}

    @classmethod
    def condition(cls, url: str) -> Condition:
        """Look at the journal of a database without changing it.

        Raises UsageError for a bad URL, and JournalFault where it cannot be reached or written.
        """
        address = Address(url)
        with faults(_WRITING, address), closing(address.connect()) as db:
            found = version(db)
            if found is not None and found > len(UPGRADES):
                refuse_other(found)
            began = time.monotonic()
            server, read_only = _one(db, _SERVER)
            seconds = time.monotonic() - began
            if read_only == "on":
                raise errors.ReadOnlySqlTransaction
            (may_write,) = _one(db, _MAY_CREATE if found is None else _MAY_WRITE)
            if not may_write:
                raise errors.InsufficientPrivilege
            jobs, unfinished = (0, 0) if found is None else _one(db, _COUNTED)
            return Condition(address.name, server.split()[0], seconds, jobs, unfinished)

    def close(self) -> None:
        """Release our token, so that others may claim our open jobs, and end the connection."""
        with suppress(psycopg.Error):
            self.owners.leave(self._db)
        self._db.close()

    def write(self, work: Callable[[], T], *, last_room: bool = False) -> T:  # noqa: ARG002  # of a disk
        """Do the work in one transaction; once more where it met that of another process, or the
        end of the connection. Raises JournalFault."""
        if not self._writable:
            raise JournalFault(f"the journal in {self._address.name} was opened for reading only")
        with self._lock, faults(_WRITING, self._address), _overlap_as_fault():
            for _ in range(_TRIES - 1):
                with suppress(errors.DeadlockDetected, _Lost):
                    return self._transact(work)
            return self._transact(work)

    @contextmanager
    def reading(self, *, once: bool = False) -> Iterator[None]:
        """One snapshot of the journal for several queries, which one query ``once`` does without.

        Raises JournalFault.
        """
        with self._lock, faults(_READING, self._address):
            self._begin("" if once else BEGIN_TO_READ)
            try:
                yield
            finally:
                if not once:
                    roll_back(self._db)

    def shrink(self) -> None:
        """Nothing: PostgreSQL makes room of deleted rows by itself."""

    def _transact(self, work: Callable[[], T]) -> T:
        self._begin(BEGIN, to_write=True)
        try:
            result = work()
            self.table.finish()
            self._db.execute("COMMIT")
        except psycopg.Error as error:
            roll_back(self._db)
            if is_away(error) and is_lost(self._db):
                self.owners.note_away()
                raise _Lost(*error.args) from error
            raise
        except BaseException:
            roll_back(self._db)
            raise
        return result

    def _begin(self, statement: str, *, to_write: bool = False) -> None:
        """Begin a transaction, with another connection where ours was lost meanwhile."""
        if is_lost(self._db):
            self._connect()
        if statement:
            try:
                self._db.execute(statement)
            except psycopg.OperationalError:
                if not is_lost(self._db):
                    raise
                self._connect()
                self._db.execute(statement)
        self.owners.begin()
        self.table.begin(to_write=to_write)

    def _connect(self) -> None:
        self.owners.note_away()
        began = time.monotonic()
        if self._failed is not None and began < self._failed[0]:
            raise self._failed[1].with_traceback(None)
        try:
            self._db = self._address.connect()
        except psycopg.Error as error:
            now = time.monotonic()
            self._failed = now + min(now - began, _LONGEST_PAUSE), error
            raise
        self._failed = None
        self.table = PostgresTable(self._db)


def _one(db: Connection, query: str) -> tuple[Any, ...]:
    """The only row of a query."""
    return db.execute(query.encode()).fetchone() or ()


@contextmanager
def _overlap_as_fault() -> Iterator[None]:
    try:
        yield
    except Overlap:
        raise JournalFault("another kontext has just added the same jobs") from None


class _Lost(psycopg.OperationalError):
    """The connection ended during a transaction: what it did may be committed or not."""
