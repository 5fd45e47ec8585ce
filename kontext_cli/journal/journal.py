"""The journal: every job on disk before its request leaves, and at each step from there."""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import NamedTuple, Self, TypeVar

from kontext_cli.errors import JournalFault, RequestIdTaken
from kontext_cli.failpoint import reached
from kontext_cli.job import OPEN, Job, State
from kontext_cli.journal import file
from kontext_cli.journal.codec import Row, answer_by, job_of, row_of
from kontext_cli.journal.database import (
    Busy,
    Damaged,
    NoRoom,
    checkpoint,
    faults,
    snapshot,
    transaction,
)
from kontext_cli.journal.file import Tell
from kontext_cli.journal.lookup import ambiguous, no_such_job, still_owned
from kontext_cli.journal.owners import Running
from kontext_cli.journal.table import Table

T = TypeVar("T")

_COMMITS_TO_CHECKPOINT = 500
_NO_FILE = (-1, -1)

Seen = tuple[str, str] | None
"""The id and the state of a job, None for none at all."""


class Write(NamedTuple):
    """One thing to be written, and the point in the life of its job that is reached with it.

    ``last_room``: it may have the room that is kept on the disk, because it is of a job that may
    cost already.
    """

    work: Callable[[], bool]
    point: str
    last_room: bool


class Journal:
    """The jobs of one state folder, shared with every other process that uses it.

    A context manager; one thread at a time is let in. A job found in ``submitting`` whose process
    has died is told as ``unknown``: it may have been accepted. Where file locks do not work, it is
    so only once that process has stopped waiting for the answer. All methods raise JournalFault.
    """

    def __init__(
        self, folder: Path, db: sqlite3.Connection, tell: Tell, *, writable: bool = True
    ) -> None:
        self._folder = folder
        self._path = folder / file.FILE
        self._db = db
        self._table = Table(db)
        self._tell = tell
        self._writable = writable
        self._running = Running(folder, tell)
        self._read: dict[str, int] = {}
        self._file = file.identity(self._path)
        self._commits = 0
        self._lock = RLock()

    @classmethod
    def open(cls, folder: Path, *, tell: Tell = lambda _line: None) -> Self:
        """The journal of a state folder, proved to be writable; made where there is none.

        A damaged one is moved aside, which ``tell`` is told.
        """
        return cls(folder, file.open_to_write(folder, tell), tell)

    @classmethod
    def read(cls, folder: Path, *, tell: Tell = lambda _line: None) -> Self | None:
        """The journal of a state folder for reading alone, None where there is none."""
        db = file.open_to_read(folder, tell)
        return None if db is None else cls(folder, db, tell, writable=False)

    def close(self) -> None:
        """Leave the file, and our open jobs to others."""
        with suppress(sqlite3.Error):
            self._db.close()
        with suppress(OSError):
            self._running.leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def record(self, job: Job) -> None:
        """Have a job as it is now on the disk; while it is open, it belongs to this process."""
        (result,) = self.write([self.recording(job)])
        if isinstance(result, JournalFault):
            raise result

    def recording(self, job: Job) -> Write:
        """What ``record`` writes of a job as it is now, to be given to ``write``.

        Ends in RequestIdTaken where the answer to its submit gave it the request id of another
        job of its provider.
        """
        row = row_of(job, None)
        is_open, job_is_sent = job.state in OPEN, job.state is State.SUBMITTING

        def put() -> bool:
            if job_is_sent:
                self._check_may_be_sent(row)
            elif row.request_id is not None:
                self._check_request_id(row, job.provider)
            self._table.put(self._owned(row) if is_open else row)
            reached(f"before-{row.state}")
            return True

        return Write(put, f"after-{row.state}", last_room=not job_is_sent)

    def taking(self, job: Job, seen: Seen) -> Write:
        """The next attempt at a row of a batch, to be given to ``write``: True where it is ours.

        ``seen`` is the attempt before it as it was when the row was looked at; False where there
        is another by now, or in another state, or a run at it. Its price counts as spent from
        here on, in the same transaction.
        """
        row = row_of(job, None)

        def insert() -> bool:
            last = next(self._table.last_attempts(row), None)
            found = None if last is None else (last.id, self._state(last))
            if found != seen or (last is not None and self._is_elsewhere(last)):
                return False
            self._running.keep_room()
            self._table.drop_planned(row)
            self._table.put(self._owned(row))
            return True

        return Write(insert, "taken", last_room=False)

    def write(self, writes: Sequence[Write]) -> list[bool | JournalFault]:
        """Have several writes on the disk together; what came of each.

        One that cannot be does not take the others with it.
        """

        results: list[bool | JournalFault] = self._together(writes) if len(writes) > 1 else []
        results = results or [self._alone(write) for write in writes]
        for write in writes:
            reached(write.point)
        return results

    def _together(self, writes: Sequence[Write]) -> list[bool | JournalFault]:
        """What came of the writes in one commit; nothing where it was refused."""
        try:
            return [*self._write(lambda: [write.work() for write in writes])]
        except Busy as fault:  # one by one, each would wait as long again
            return [fault] * len(writes)
        except JournalFault:
            return []

    def _alone(self, write: Write) -> bool | JournalFault:
        try:
            return self._write(write.work, last_room=write.last_room)
        except JournalFault as fault:
            return fault

    def claim(self, job: Job) -> bool:
        """Take a job over from a process that died, or from nobody; False where one lives.

        False, too, where anything about the job was changed since it was found here, or where its
        state is not that of ``job``. One that the journal does not know becomes ours.
        """

        def take() -> bool:
            row = self._table.row(job.id)
            if row is None:
                self._table.put(self._owned(row_of(job, None)))
                return True
            as_read = self._read.pop(job.id, hash(row)) == hash(row)
            if not as_read or self._is_elsewhere(row) or self._state(row) != job.state:
                return False
            self._table.set_state(job.id, job.state, self._running.enter())
            return True

        return self._write(take)

    def forget(
        self,
        *,
        ids: Collection[str] = (),
        older_than: timedelta | None = None,
        states: Collection[State] = (),
    ) -> int:
        """Drop the jobs that meet all that is given, and give their room back; how many.

        Open jobs, and those that a living run owns, go only where they are named; nothing goes
        where nothing is given. Raises StillRunning where another run is at a named one: it could
        still be billed, and nobody would know of it.
        """
        if not ids and older_than is None and not states:
            return 0

        def drop() -> int:
            self._settle()
            named = [row for each in ids if (row := self._table.row(each)) is not None]
            if elsewhere := [row for row in named if self._is_elsewhere(row)]:
                raise still_owned(elsewhere)
            owners = () if ids else self._table.owners()
            living = [each for each in owners if self._running.is_alive(each)]
            return self._table.delete(ids, older_than, states, living)

        count = self._write(drop)
        if count:
            self._shrink()
        return count

    def find(self, name: str) -> Job:
        """The job of an id, of any unambiguous start of one, or of a provider's request id.

        Raises UsageError, with the candidates or the nearest ids.
        """
        with self._reading():
            jobs = [self._job(row) for row in self._noted(self._table.named(name))]
            if not jobs:
                raise no_such_job(name, self._table.newest_ids())
        if len(jobs) > 1:
            raise ambiguous(name, jobs)
        return jobs[0]

    def recent(
        self, *, limit: int = 20, states: Collection[State] = (), batch: str | None = None
    ) -> list[Job]:
        """The newest jobs first, of some states or of one batch."""
        with self._reading():
            if batch is not None:
                rows = self._table.newest_of_batch(batch)
            elif states:
                stored = {*states, State.SUBMITTING} if State.UNKNOWN in states else {*states}
                rows = self._table.newest_of_states(stored)
            else:
                rows = self._table.newest()
            found = self._readable(self._noted(rows))
            jobs = (job for job in found if not states or job.state in states)
            return list(islice(jobs, limit))

    def of_batch(self, batch: str, row: str | None = None) -> Iterator[Job]:
        """The jobs of a batch, or of one row of it: each row by its attempts in turn.

        Read as they are asked for.
        """
        with self._reading():
            yield from self._readable(self._table.of_batch(batch, row))

    def unfinished(self) -> list[Job]:
        """The jobs that are not at their end, the oldest first."""
        with self._reading():
            return list(self._readable(self._noted(self._table.open())))

    def owned_elsewhere(self, job_id: str) -> bool:
        """Whether another process is alive and at that job."""
        with self._reading():
            row = self._table.row(job_id)
            return row is not None and self._is_elsewhere(row)

    def _check_may_be_sent(self, row: Row) -> None:
        """Where locks do nothing, another run may have taken what we seemed to have left."""
        self._running.keep_room()
        stored = self._table.row(row.id)
        if stored is not None and stored.owner not in (None, self._running.token):
            raise JournalFault("another kontext took this job", hint=f"kontext status {row.id}")
        if row.row is None:
            return
        last = next(self._table.last_attempts(row), None)
        if last is None or last.id != row.id:
            raise JournalFault("another kontext took this row", hint="run it again")

    def _check_request_id(self, row: Row, provider: str) -> None:
        stored = self._table.row(row.id)
        if stored is None or stored.state != State.SUBMITTING:
            return
        for other in self._table.others_of_request(row):
            if job_of(other).provider == provider:
                raise RequestIdTaken(f"job {other.id} has the request id already")

    def _owned(self, row: Row) -> Row:
        return row._replace(owner=self._running.enter())

    def _write(self, work: Callable[[], T], *, last_room: bool = False) -> T:
        """Do the work in one transaction, on a full disk with the room that can be made there."""
        if not self._writable:
            raise JournalFault(f"the journal `{self._path}` was opened for reading alone")
        try:
            return self._write_mending(work)
        except NoRoom:
            with self._lock:
                checkpoint(self._db)
        try:
            return self._write_mending(work)
        except NoRoom:
            if not (last_room and self._running.give_room()):
                raise
        return self._write_mending(work)

    def _write_mending(self, work: Callable[[], T]) -> T:
        """Do the work in one transaction; where the file is found damaged, in a new one."""
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
            # Removed, or found damaged and moved aside, by somebody else.
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
        self._db = file.open_to_write(self._folder, self._tell, thorough=thorough)
        self._table = Table(self._db)
        self._file = file.identity(self._path)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """One state of the journal for several queries."""
        doing = f"cannot read the journal `{self._path}`"
        try:
            with self._lock, faults(doing), snapshot(self._db):
                yield
        except Damaged as damage:
            file.open_to_write(self._folder, self._tell, thorough=True).close()
            raise JournalFault(
                f"{doing}: {damage}", hint="it was mended or moved aside; try again"
            ) from damage

    def _noted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Remember how rows were when they were read, for ``claim``."""
        for row in rows:
            self._read[row.id] = hash(row)
            yield row

    def _readable(self, rows: Iterable[Row]) -> Iterator[Job]:
        """The jobs of some rows; one that cannot be read is told, and left out."""
        for row in rows:
            try:
                yield self._job(row)
            except JournalFault as fault:
                self._tell(f"{fault.message}; it is left out")

    def _job(self, row: Row) -> Job:
        try:
            job = job_of(row)
        except ValueError as error:
            raise JournalFault(str(error)) from error
        job.state = State(self._state(row))
        return job

    def _state(self, row: Row) -> str:
        """The state of a row that was just read: a process is known as alive before it writes."""
        if row.state != State.SUBMITTING or self._is_owned(row):
            return row.state
        return State.UNKNOWN

    def _is_elsewhere(self, row: Row) -> bool:
        return row.owner != self._running.token and self._is_owned(row)

    def _is_owned(self, row: Row) -> bool:
        """Whether a living run is at a job; without locks, whether one may still be sending it."""
        alive = row.owner is not None and self._running.is_alive(row.owner)
        if alive is None:
            return row.state == State.SUBMITTING and datetime.now(UTC) < answer_by(row)
        return alive

    def _settle(self) -> None:
        """Write down as unknown what is told as unknown."""
        for row in list(self._table.newest_of_states([State.SUBMITTING])):
            if self._state(row) == State.UNKNOWN:
                self._table.set_state(row.id, State.UNKNOWN, None)

    def _shrink(self) -> None:
        """Leave nothing of what was forgotten in the file; it is forgotten without that, too."""
        try:
            with faults("the journal could not be made smaller"):
                self._db.execute("VACUUM")
        except (JournalFault, Damaged) as fault:
            self._tell(str(fault))
        checkpoint(self._db)
