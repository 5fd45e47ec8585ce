"""What is known of the rows of a batch from earlier runs."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from kontext_cli.batch.decide import Known, Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.locked import Locked
from kontext_cli.engine.endings import elsewhere, is_unsettled, unknown_since
from kontext_cli.errors import JournalFault
from kontext_cli.files.origin import lacks_access
from kontext_cli.files.place import place
from kontext_cli.files.saved import Condition, Listed, condition, condition_at, existing_file
from kontext_cli.job import OPEN, Job, State
from kontext_cli.journal import Journal
from kontext_cli.journal.replies import Answers

_OWNED = OPEN | {State.PLANNED}


class Memory:
    """Looks up the rows of one batch in its lock, in the journal, and in the replies stored beside
    that."""

    def __init__(
        self, journal: Journal | None, answers: Answers, batch: str, locked: Locked | None = None
    ) -> None:
        """``journal`` is None if there is none yet, ``locked`` if the batch has no lock."""
        self._locked = locked
        self._journal = journal
        self._answers = answers
        self._batch = batch
        self._lost: set[tuple[str, tuple[str, str] | None]] = set()

    @property
    def is_new(self) -> bool:
        """Whether the journal has nothing of the batch."""
        return self._journal is None or not self._journal.has_batch(self._batch)

    def lookup(self) -> Callable[[Entry], Known | None]:
        """Looks up rows: one by one, as all of them would take much memory."""
        find = (lambda _key: None) if self.is_new else partial(self._row, listed=Listed())
        return lambda entry: self._known_of(entry, find)

    def known(self, entry: Entry) -> Known | None:
        """What is known of one row now."""
        return self._known_of(entry, self._row)

    def _known_of(self, entry: Entry, find: Callable[[str], Known | None]) -> Known | None:
        """What the lock knows of a row, else the journal, where ``find`` looks for its key."""
        known = find(entry.key)
        return known if self._locked is None else self._locked.known(entry, known)

    def _row(self, key: str, listed: Listed | None = None) -> Known | None:
        """What the journal knows of one row now: its last attempt, with the saved one before it."""
        last = self._saved(key, listed)
        if last is not None or self._journal is None:
            return last
        for job in self._journal.of_row(self._batch, key):
            known = self._known(job, key)
            if last is not None:
                saved = last if last.state is State.SAVED else last.before
                known = known._replace(before=saved and saved._replace(before=None))
            last = known
        return last and self._seen(last)

    def check_is_readable(self, entry: Entry) -> None:
        """Raises JournalFault if a row was claimed before, twice, by a job we do not see."""
        lost = entry.key, entry.seen
        if lost in self._lost:
            raise JournalFault(
                "the journal has a job of this row that cannot be read, and may have been billed",
                hint="look at the provider's own list of requests, then `kontext forget` that job",
                billed="maybe",
            )
        self._lost.add(lost)

    def files(self) -> Iterator[Path]:
        """The files that the batch made in earlier runs."""
        jobs = self._journal.of_batch(self._batch) if self._journal else ()
        locked = self._locked.files() if self._locked else ()
        return chain((file.path for job in jobs for file in job.files), locked)

    def job_of(self, entry: Entry) -> Job:
        """The job of a row for which nothing is submitted, as it is now.

        Files that exist without a job are verified: raises OutputFault or BadMedia.
        """
        if entry.locked is not None and self._locked is not None and entry.step is Step.SKIP:
            return self._locked.job(entry, entry.locked, self._batch)
        if entry.job_id is None or self._journal is None:
            return self._existing(entry)
        job = self._read(entry.key, entry.job_id)
        if job is None and entry.step is Step.SKIP:
            return self._existing(entry)  # all of it cannot be read, which is logged
        job = job or self._journal.find(entry.job_id)
        job.index = entry.row.index
        if entry.step is Step.WAIT:
            if job.state is not State.SAVED:
                return elsewhere(job)
            entry.step, entry.reason = Step.SKIP, "saved"  # since it was planned
        job.skipped = entry.step is Step.SKIP
        if entry.step is Step.HOLD and job.error is None:
            job.error = unknown_since(job)
        return job

    def _existing(self, entry: Entry) -> Job:
        """The job that a row asks for, of files that exist."""
        job = entry.job(self._batch)
        job.files = tuple(existing_file(place(path)) for path in entry.paths)
        job.state, job.skipped = State.SAVED, True
        return job

    def _read(self, key: str, job_id: str) -> Job | None:
        """A job of a row, all of it."""
        jobs = self._journal.of_row(self._batch, key) if self._journal else []
        return next((job for job in jobs if job.id == job_id), None)

    def _saved(self, key: str, listed: Listed | None) -> Known | None:
        """What is known of a row with one job, whose files are as they were; None of any other."""
        job = self._journal.saved_of_row(self._batch, key) if self._journal else None
        if job is None:
            return None
        files = _worst(
            condition_at(
                path, size=size, modified=modified, sha256=sha256, etag=etag, listed=listed
            )
            for path, sha256, size, modified, etag in job.files
        )
        if files != "untouched":
            return None
        return Known(
            job_id=job.id,
            attempt=job.attempt,
            state=State.SAVED,
            digest=job.digest,
            files=files,
            free=True,
            at_hand=False,
            provider=job.provider,
            paths=tuple([file.path for file in job.files]),
            read=lambda: self._read(key, job.id),
            seen=(job.id, State.SAVED.value),
            hashes=tuple([file.sha256 for file in job.files]),
        )

    def _known(self, job: Job, key: str) -> Known:
        files = _worst(map(condition, job.files)) if job.state is State.SAVED else None
        away = files in ("edited", "missing") and self._is_away(job)
        return Known(
            job_id=job.id,
            attempt=job.attempt,
            state=job.state,
            digest=job.digest,
            files="missing" if away else files,
            free=job.error is None or job.error.billed == "no",
            at_hand=self._at_hand(job),
            away=away,
            provider=job.provider,
            paths=tuple([str(file.path) for file in job.files]),
            read=lambda: None if job.state in OPEN else self._read(key, job.id),
            seen=(job.id, job.state.value),
            hashes=tuple([file.sha256 for file in job.files]),
        )

    def _is_away(self, job: Job) -> bool:
        here = self._journal.origin if self._journal else None
        return any(lacks_access(file, job.target, here) for file in job.files)

    def _at_hand(self, job: Job) -> bool:
        if job.state is State.UNKNOWN:
            return is_unsettled(job) or self._answers.find(job.id) is not None
        return bool(job.outputs) or job.handle is not None

    def _seen(self, known: Known) -> Known:
        """Adds whether another run is working on it."""
        if (
            self._journal is not None
            and known.job_id is not None
            and known.state in _OWNED
            and self._journal.owned_elsewhere(known.job_id)
        ):
            return known._replace(elsewhere=True)
        return known


def _worst(conditions: Iterable[Condition]) -> Condition:
    """The condition of all files of a job: missing if any is, else edited if any is."""
    conditions = set(conditions)
    if not conditions or "missing" in conditions:
        return "missing"
    return "edited" if "edited" in conditions else "untouched"
