"""The journal: every job on disk before its request leaves, and at each step from there."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from sys import maxsize
from types import TracebackType
from typing import Self

from kontext_cli.errors import JournalFault, RequestIdTaken
from kontext_cli.failpoint import reached
from kontext_cli.job import OPEN, Job, Origin, State
from kontext_cli.journal.codec import Row, Saved, SavedFile, answer_by, job_of, plain_text, row_of
from kontext_cli.journal.faults import Away, Busy
from kontext_cli.journal.file import Log
from kontext_cli.journal.lookup import AmbiguousJob, no_such_job, still_owned
from kontext_cli.journal.spending import Spent
from kontext_cli.journal.store import Location, Store, open_store, open_store_to_read
from kontext_cli.journal.table import Table
from kontext_cli.journal.write import Seen, Write

_CANDIDATES = 500
"""The newest jobs are tried to find what was meant."""


class Journal:
    """The jobs of one state folder or database, shared with every other process that uses it.

    A context manager; one thread at a time is let in. A job found in ``submitting`` whose process
    has died is reported as ``unknown``: it may have been accepted. Where file locks do not work,
    it is so only once that process has stopped waiting for the answer. All methods raise
    JournalFault.
    """

    def __init__(self, store: Store, log: Log, origin: Origin | None = None) -> None:
        """``origin`` is this machine, where others share the journal."""
        self.origin = origin
        self._store = store
        self._log = log
        self._owners = store.owners
        self._read: dict[str, int] = {}

    @classmethod
    def open(
        cls, location: Location, *, log: Log = lambda _line: None, origin: Origin | None = None
    ) -> Self:
        """The journal of a state folder or a database, created where there is none.

        A damaged file is moved aside, which is logged. Raises UsageError for a URL that is not
        valid, or a library that is missing.
        """
        return cls(open_store(location, log), log, origin)

    @classmethod
    def read(
        cls, location: Location, *, log: Log = lambda _line: None, origin: Origin | None = None
    ) -> Self | None:
        """The journal of a state folder or a database for reading only, None where there is none.

        Raises UsageError as ``open`` does.
        """
        store = open_store_to_read(location, log)
        return None if store is None else cls(store, log, origin)

    def close(self) -> None:
        """Close the file, and let other runs claim our open jobs."""
        self._store.close()

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
        """Write a job as it is now to the disk; while it is open, this process owns it."""
        (result,) = self.write([self.recording(job)])
        if isinstance(result, JournalFault):
            raise result

    def recording(self, job: Job) -> Write:
        """What ``record`` writes of a job as it is now, to be given to ``write``.

        Ends in RequestIdTaken where the answer to its submit gave it the request id of another
        job of its provider.
        """
        row = self._row_of(job)
        is_open, job_is_sent = job.state in OPEN, job.state is State.SUBMITTING

        def put() -> bool:
            if job_is_sent:
                self._check_may_be_sent(row)
            elif row.request_id is not None:
                self._check_request_id(row, job.provider)
            self._table.put(self._owned(row) if is_open else row)
            reached(f"before-{row.state}")
            return True

        return Write(put, row, f"after-{row.state}", last_room=not job_is_sent)

    def taking(self, job: Job, seen: Seen, *, limit: float | None = None) -> Write:
        """The next attempt at a row of a batch, to be given to ``write``: True where it is ours.

        ``seen`` is the attempt before it as it was when the row was looked at; False where there
        is another by now, or in another state, or a run at it. Its price counts as spent from
        here on, in the same transaction.

        In a database, ``limit`` is the budget of the batch in US dollars, for all machines: ends in
        BudgetFault where all that jobs of the batch have ever reserved or spent would pass it, or
        where the price is unknown. A job that certainly was not billed gives back its price when
        that is recorded. In a state folder, where each run has a budget of its own, it is ignored.
        """
        row = self._row_of(job)

        def insert() -> bool:
            last = self._table.last_attempt(row)
            if last is not None and (last.id, last.created_at) == (row.id, row.created_at):
                return last.owner == self._owners.token  # its commit was not known to succeed
            found = None if last is None else (last.id, self._state(last))
            if found != seen or (last is not None and self._is_elsewhere(last)):
                return False
            self._owners.keep_room()
            self._table.drop_planned(row)
            if limit is not None:
                self._table.limit_budget(row, limit)
            return self._table.take(self._owned(row))

        return Write(insert, row, "taken", last_room=False)

    def write(self, writes: Sequence[Write]) -> list[bool | JournalFault]:
        """Commit several writes together; the result of each.

        One that fails does not affect the others.
        """

        results: list[bool | JournalFault] = self._together(writes) if len(writes) > 1 else []
        results = results or [self._alone(write) for write in writes]
        for write in writes:
            reached(write.point)
        return results

    def _together(self, writes: Sequence[Write]) -> list[bool | JournalFault]:
        """The results of the writes in one commit; empty where it failed."""

        def work() -> list[bool]:
            self._table.expect([write.row for write in writes])
            return [write.work() for write in writes]

        try:
            return [*self._store.write(work)]
        except (Busy, Away) as fault:  # one by one, each would wait that long again
            return [fault] * len(writes)
        except JournalFault:
            return []

    def _alone(self, write: Write) -> bool | JournalFault:
        try:
            return self._store.write(write.work, last_room=write.last_room)
        except JournalFault as fault:
            return fault

    def claim(self, job: Job) -> bool:
        """Take over a job that no running process owns; False where one does.

        False, too, where the job was changed since it was read here, or where its state is not
        that of ``job``. A job that is not in the journal is added, and becomes ours.
        """

        def take() -> bool:
            row = self._table.row(job.id)
            if row is None:
                self._table.put(self._owned(self._row_of(job)))
                return True
            as_read = self._read.get(job.id, hash(row)) == hash(row)
            if not as_read or self._is_elsewhere(row) or self._state(row) != job.state:
                return False
            self._table.set_state(job.id, job.state, self._owners.enter())
            return True

        claimed = self._store.write(take)
        self._read.pop(job.id, None)
        return claimed

    def forget(
        self,
        *,
        ids: Collection[str] = (),
        older_than: timedelta | None = None,
        states: Collection[State] = (),
    ) -> int:
        """Delete the jobs that meet all conditions given, and shrink the file; returns how many.

        Open jobs, and those that a running process owns, are deleted only by id; without any
        condition nothing is. Raises StillRunning where another process owns one of ``ids``: it
        could still be billed, and nobody would know of it.
        """
        if not ids and older_than is None and not states:
            return 0

        def drop() -> int:
            self._table.lock()
            self._settle()
            named = [row for each in ids if (row := self._table.row(each)) is not None]
            if elsewhere := [row for row in named if self._is_elsewhere(row)]:
                raise still_owned(elsewhere)
            owners = () if ids else self._table.owners()
            living = [each for each in owners if self._owners.is_alive(each)]
            return self._table.delete(ids, older_than, states, living)

        count = self._store.write(drop)
        if count:
            self._store.shrink()
        return count

    def find(self, name: str) -> Job:
        """The job of an id, of any unambiguous start of one, or of a provider's request id.

        Raises AmbiguousJob, or UsageError with the nearest ids.
        """
        with self._store.reading():
            jobs = [self._job(row) for row in self._noted(self._table.named(name))]
            if not jobs:
                newest = islice(self._table.newest(), _CANDIDATES)
                raise no_such_job(name, [row.id for row in newest])
        if len(jobs) > 1:
            raise AmbiguousJob(name, jobs)
        return jobs[0]

    def recent(
        self, *, limit: int = 20, states: Collection[State] = (), batch: str | None = None
    ) -> list[Job]:
        """The newest jobs first, of some states or of one batch."""
        with self._store.reading():
            if states and batch is None:
                stored = {*states, State.SUBMITTING} if State.UNKNOWN in states else {*states}
                rows = self._table.newest_of_states(stored)
            else:
                rows = self._table.newest(batch)
            found = self._readable(self._noted(rows))
            jobs = (job for job in found if not states or job.state in states)
            return list(islice(jobs, min(limit, maxsize)))

    def of_batch(self, batch: str) -> Iterator[Job]:
        """The jobs of a batch: each row by its attempts in turn. Read lazily."""
        with self._store.reading():
            yield from self._readable(self._table.of_batch(batch, None))

    def by_ids(self, ids: Iterable[str]) -> Iterator[Job]:
        """The jobs with these ids, in that order; one that is gone is left out. Read lazily."""
        for job_id in ids:
            with self._store.reading(once=True):
                row = self._table.row(job_id)
                jobs = [] if row is None else list(self._readable([row]))
            yield from jobs

    def saved_files(self) -> Iterator[tuple[str, SavedFile]]:
        """Each file that a job has saved, with the id of the job, the newest first. Read lazily."""
        with self._store.reading():
            yield from self._table.saved_files()

    def spent(self, within: timedelta | None = None) -> list[Spent]:
        """What the jobs of the last time, or all, cost: each day, provider, model and batch."""
        with self._store.reading(once=True):
            return self._table.spent(within)

    def reserved(self, batch: str) -> float:
        """What a budget that machines share has given away, in US dollars, by now: all that jobs of
        the batch have ever reserved or spent, but for those that dead processes had not sent: who
        takes their rows gives that back. 0 where each run has a budget of its own."""
        from kontext_cli.journal.budgets import charge

        with self._store.reading():
            taken = self._table.planned(batch)
            given_back = sum(charge(row) for row in taken if not self._is_elsewhere(row))
            return max(self._table.reserved(batch) - given_back, 0) / 1e6

    def last_batch(self) -> str | None:
        """The batch of the newest job that belongs to one; None where there is none."""
        with self._store.reading(once=True):
            found = self._table.last_batch()
        return None if found is None else plain_text(found)

    def of_row(self, batch: str, row: str) -> list[Job]:
        """The jobs of one row of a batch, by its attempts."""
        with self._store.reading(once=True):
            return list(self._readable(self._table.of_batch(batch, row)))

    def saved_of_row(self, batch: str, row: str) -> Saved | None:
        """The job of one row of a batch, if that is the only one, is saved and can be read."""
        with self._store.reading(once=True):
            return self._table.saved_of_row(batch, row)

    def has_batch(self, batch: str) -> bool:
        """Whether there is a job of any row of a batch."""
        with self._store.reading():
            return next(self._table.of_batch(batch, None), None) is not None

    def unfinished(self) -> list[Job]:
        """The jobs that are not in a final state, the oldest first."""
        with self._store.reading():
            return list(self._readable(self._noted(self._table.open())))

    def owned_elsewhere(self, job_id: str) -> bool:
        """Whether another running process owns that job."""
        with self._store.reading():
            row = self._table.row(job_id)
            return row is not None and self._is_elsewhere(row)

    @property
    def _table(self) -> Table:
        return self._store.table

    def _check_may_be_sent(self, row: Row) -> None:
        """Without working locks, another process may have taken over what seemed abandoned."""
        self._owners.keep_room()
        stored = self._table.row(row.id)
        if stored is not None and stored.owner not in (None, self._owners.token):
            raise JournalFault("another kontext took this job", hint=f"kontext status {row.id}")
        if row.row is None:
            return
        last = self._table.last_attempt(row)
        if last is None:
            raise JournalFault("another kontext took this row", hint="run it again")
        if last.id != row.id:
            raise JournalFault(
                f"a later job was made for its row: {last.id}", hint=f"kontext status {last.id}"
            )

    def _check_request_id(self, row: Row, provider: str) -> None:
        stored = self._table.row(row.id)
        if stored is not None and stored.request_id not in (None, row.request_id):
            raise JournalFault(
                "another kontext sent this job again, and its request id is another by now",
                hint=f"kontext status {row.id}",
            )
        if stored is None or stored.state != State.SUBMITTING:
            return
        for other in self._table.others_of_request(row):
            if job_of(other).provider == provider:
                raise RequestIdTaken(f"job {other.id} has the request id already")

    def _row_of(self, job: Job) -> Row:
        """The row of a job, whose file names belong to this machine unless they have an origin."""
        if self.origin is not None and job.target is not None and job.target.origin is None:
            job.target = job.target._replace(origin=self.origin)
        return row_of(job, None)

    def _owned(self, row: Row) -> Row:
        return row._replace(owner=self._owners.enter())

    def _noted(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Remember how rows were when they were read, for ``claim``."""
        for row in rows:
            self._read[row.id] = hash(row)
            yield row

    def _readable(self, rows: Iterable[Row]) -> Iterator[Job]:
        """The jobs of some rows; an unreadable one is logged and skipped."""
        for row in rows:
            try:
                yield self._job(row)
            except JournalFault as fault:
                self._log(f"{fault.message}; it is skipped")

    def _job(self, row: Row) -> Job:
        try:
            job = job_of(row)
        except ValueError as error:
            raise JournalFault(str(error)) from error
        job.state = State(self._state(row))
        return job

    def _state(self, row: Row) -> str:
        """The state of a row just read: a process acquires its token before it writes."""
        if row.state != State.SUBMITTING or self._is_owned(row):
            return row.state
        return State.UNKNOWN

    def _is_elsewhere(self, row: Row) -> bool:
        return row.owner != self._owners.token and self._is_owned(row)

    def _is_owned(self, row: Row) -> bool:
        """Whether a running process owns a job; without locks, whether one may still send it."""
        alive = row.owner is not None and self._owners.is_alive(row.owner)
        if alive is None:
            return row.state == State.SUBMITTING and datetime.now(UTC) < answer_by(row)
        return alive

    def _settle(self) -> None:
        """Write jobs that are reported as unknown as such."""
        for row in list(self._table.newest_of_states([State.SUBMITTING])):
            if self._state(row) == State.UNKNOWN:
                self._table.set_state(row.id, State.UNKNOWN, None)
