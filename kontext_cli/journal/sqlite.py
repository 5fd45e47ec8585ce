"""The journal in a file of SQLite: its transactions, and what to do where it is full or damaged."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from threading import RLock
from typing import Self, TypeVar

from kontext_cli.errors import JournalFault
from kontext_cli.journal import file
from kontext_cli.journal.codec import Row, moment, stored_row
from kontext_cli.journal.database import Damaged, NoRoom, checkpoint, faults, snapshot, transaction
from kontext_cli.journal.file import Log
from kontext_cli.journal.owners import Owners
from kontext_cli.journal.schema import OPEN_JOBS
from kontext_cli.journal.spending import Spent
from kontext_cli.journal.table import PUT, Table, ago

T = TypeVar("T")

_COMMITS_TO_CHECKPOINT = 500
_NO_FILE = (-1, -1)


class FileTable(Table):
    """The table in a file of SQLite."""

    _db: sqlite3.Connection

    def try_to_put(self, row: Row) -> int | None:
        try:
            return self._db.execute(PUT, row).rowcount
        except sqlite3.IntegrityError:
            return None

    def lock(self) -> None:
        """Nothing: a transaction has the whole file to itself."""

    def limit_budget(self, row: Row, usd: float) -> None:
        """Nothing: each run has a budget of its own."""

    def reserved(self, batch: str) -> int:  # noqa: ARG002  # as above
        return 0

    def budgets(self) -> Mapping[str, int]:
        """None: each run has a budget of its own."""
        return {}

    def raise_budgets(self, budgets: Mapping[str, int]) -> None:
        """Nothing: each run has a budget of its own."""

    def open(self) -> Iterator[Row]:
        return map(stored_row, self._db.execute(OPEN_JOBS))

    def spent(self, within: timedelta | None) -> list[Spent]:
        from kontext_cli.journal.history import spent_jobs

        return [*spent_jobs(self._db, "" if within is None else moment(ago(within)))]


class FileStore:
    """The journal file of one state folder; one thread at a time is let in.

    It is opened again where another process removed or replaced it, and repaired or moved aside
    where it is found damaged. ``table`` and ``owners`` belong to the file that is open now.
    """

    def __init__(self, folder: Path, db: sqlite3.Connection, log: Log, *, writable: bool) -> None:
        self._folder = folder
        self._path = folder / file.FILE
        self._db = db
        self._log = log
        self._writable = writable
        self._file = file.identity(self._path)
        self._commits = 0
        self._lock = RLock()
        self.table = FileTable(db)
        self.owners = Owners(folder, log)

    @classmethod
    def open(cls, folder: Path, log: Log) -> Self:
        """The file of a folder, created where there is none. Raises JournalFault."""
        return cls(folder, file.open_to_write(folder, log), log, writable=True)

    @classmethod
    def read(cls, folder: Path, log: Log) -> Self | None:
        """The file of a folder for reading only, None where there is none. Raises JournalFault."""
        db = file.open_to_read(folder, log)
        return None if db is None else cls(folder, db, log, writable=False)

    def close(self) -> None:
        """Close the file and release our owner token, so that others may claim our open jobs."""
        with suppress(sqlite3.Error):
            self._db.close()
        with suppress(OSError):
            self.owners.leave()

    def write(self, work: Callable[[], T], *, last_room: bool = False) -> T:
        """Do the work in one transaction; on a full disk, after making room for it.

        ``last_room``: it may have the space that is reserved on the disk. Raises JournalFault.
        """
        if not self._writable:
            raise JournalFault(f"the journal `{self._path}` was opened for reading only")
        try:
            return self._write_repairing(work)
        except NoRoom:
            with self._lock:
                checkpoint(self._db)
        try:
            return self._write_repairing(work)
        except NoRoom:
            if not (last_room and self.owners.give_room()):
                raise
        return self._write_repairing(work)

    @contextmanager
    def reading(self, *, once: bool = False) -> Iterator[None]:
        """One snapshot of the journal for several queries, which one query ``once`` does without.

        Raises JournalFault.
        """
        doing = f"cannot read the journal `{self._path}`"
        try:
            with self._lock, faults(doing), nullcontext() if once else snapshot(self._db):
                yield
        except Damaged as damage:
            file.open_to_write(self._folder, self._log, thorough=True).close()
            raise JournalFault(
                f"{doing}: {damage}", hint="it was repaired or moved aside; try again"
            ) from damage

    def shrink(self) -> None:
        """Leave nothing of deleted rows in the file; a failure is only logged."""
        try:
            with faults("the journal could not be made smaller"):
                self._db.execute("VACUUM")
        except (JournalFault, Damaged) as fault:
            self._log(str(fault))
        checkpoint(self._db)

    def _write_repairing(self, work: Callable[[], T]) -> T:
        """Do the work in one transaction; if the file is found damaged, once more in a new one."""
        doing = f"cannot write the journal `{self._path}`"
        try:
            return self._transact(work, doing)
        except Damaged:
            self._reopen(thorough=True)
        try:
            return self._transact(work, doing)
        except Damaged as damage:
            raise JournalFault(f"{doing}: {damage}") from damage

    def _transact(self, work: Callable[[], T], doing: str) -> T:
        with self._lock, faults(doing):
            # Removed by another process, or found damaged by it and moved aside.
            if file.identity(self._path) != self._file:
                self._reopen()
            with transaction(self._db):
                result = work()
        self._commits += 1
        if self._commits % _COMMITS_TO_CHECKPOINT == 0:
            checkpoint(self._db)
        return result

    def _reopen(self, *, thorough: bool = False) -> None:
        self.close()
        self._file = _NO_FILE
        self._db = file.open_to_write(self._folder, self._log, thorough=thorough)
        self.table = FileTable(self._db)
        self._file = file.identity(self._path)
