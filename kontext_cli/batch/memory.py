"""What is known of the rows of a batch from earlier runs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from kontext_cli.batch.decide import Known, Step
from kontext_cli.batch.entry import Entry
from kontext_cli.engine.endings import elsewhere, unknown_since
from kontext_cli.files.saved import Condition, condition, existing_file
from kontext_cli.job import OPEN, Job, State
from kontext_cli.journal import Journal
from kontext_cli.journal.replies import Answers

_OWNED = OPEN | {State.PLANNED}


class Memory:
    """Looks up the rows of one batch in the journal, and in the replies stored beside it."""

    def __init__(self, journal: Journal | None, answers: Answers, batch: str) -> None:
        """``journal`` is None if there is none yet."""
        self._journal = journal
        self._answers = answers
        self._batch = batch

    def lookup(self) -> Callable[[str], Known | None]:
        """Looks up rows by their keys: one by one, as all of them would take much memory."""
        is_new = self._journal is None or not self._journal.has_batch(self._batch)
        return (lambda _key: None) if is_new else self.row

    def row(self, key: str) -> Known | None:
        """What is known of one row now: its last attempt, with the saved one before it."""
        last: Known | None = None
        jobs = self._journal.of_row(self._batch, key, brief=True) if self._journal else []
        for job in jobs:
            known = self._known(job, key)
            if last is not None:
                saved = last if last.state is State.SAVED else last.before
                known = replace(known, before=saved and replace(saved, before=None))
            last = known
        return last and self._seen(last)

    def files(self) -> Iterator[Path]:
        """The files that the batch made in earlier runs."""
        jobs = self._journal.of_batch(self._batch) if self._journal else ()
        return (file.path for job in jobs for file in job.files)

    def job_of(self, entry: Entry) -> Job:
        """The job of a row for which nothing is submitted, as it is now.

        Files that exist without a job are verified: raises OutputFault or BadMedia.
        """
        if entry.job_id is None or self._journal is None:
            job = entry.job(self._batch)
            job.files = tuple(existing_file(Path(path)) for path in entry.paths)
            job.state, job.skipped = State.SAVED, True
            return job
        job = self._read(entry.key, entry.job_id) or self._journal.find(entry.job_id)
        job.index = entry.row.index
        if entry.step is Step.WAIT:
            if job.state is not State.SAVED:
                return elsewhere(job)
            entry.step, entry.reason = Step.SKIP, "saved"  # since it was planned
        job.skipped = entry.step is Step.SKIP
        if entry.step is Step.HOLD and job.error is None:
            job.error = unknown_since(job)
        return job

    def _read(self, key: str, job_id: str) -> Job | None:
        """A job of a row, all of it."""
        jobs = self._journal.of_row(self._batch, key) if self._journal else []
        return next((job for job in jobs if job.id == job_id), None)

    def _known(self, job: Job, key: str) -> Known:
        """What is known by a job, of which a saved one is brief."""
        files = _worst(job) if job.state is State.SAVED else None
        if files == "missing":
            job = self._read(key, job.id) or job
        return Known(
            job_id=job.id,
            attempt=job.attempt,
            state=job.state,
            digest=job.digest,
            files=files,
            free=job.error is None or job.error.billed == "no",
            at_hand=self._at_hand(job),
            provider=job.provider,
            paths=tuple([str(file.path) for file in job.files]),
            read=lambda: None if job.state in OPEN else self._read(key, job.id),
        )

    def _at_hand(self, job: Job) -> bool:
        if job.state is State.UNKNOWN:
            return self._answers.find(job.id) is not None
        return bool(job.outputs) or job.handle is not None

    def _seen(self, known: Known) -> Known:
        """Adds whether another run is working on it."""
        if (
            self._journal is not None
            and known.state in _OWNED
            and self._journal.owned_elsewhere(known.job_id)
        ):
            return replace(known, elsewhere=True)
        return known


def _worst(job: Job) -> Condition:
    """The condition of all files of a job: missing if any is, else edited if any is."""
    conditions = {condition(file) for file in job.files}
    if not conditions or "missing" in conditions:
        return "missing"
    return "edited" if "edited" in conditions else "untouched"
