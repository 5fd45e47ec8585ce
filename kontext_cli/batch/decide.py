"""What is to be done for a row of a batch, by what the journal knows of it from earlier runs."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum, auto

from kontext_cli.files.saved import Condition, condition
from kontext_cli.job import ACCEPTED, OPEN, Job, State
from kontext_cli.journal import Journal
from kontext_cli.journal.replies import Answers


class Step(Enum):
    """What a run does for a row."""

    MAKE = auto()
    """Submit a new job."""
    COLLECT = auto()
    """Bring home a job that was submitted."""
    SKIP = auto()
    """Nothing: it is there."""
    HOLD = auto()
    """Nothing: it would cost once more, and nobody asked for that."""
    WAIT = auto()
    """Another run is at it; look again at the end."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the user said about rows that were done before.

    ``make_saved``: also what is there (`--force`). ``retry_failed``: also what failed and may
    have been billed. ``resubmit_unknown``: also what may have been accepted.
    """

    make_saved: bool = False
    retry_failed: bool = False
    resubmit_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of a row: its last job, and what became of the files of that.

    ``free`` says that the job ended without a bill; ``at_hand`` that what it made can be had
    without a new submit; ``elsewhere`` that another run is at it now.
    """

    job_id: str
    attempt: int
    state: State
    digest: str
    files: Condition | None
    free: bool
    at_hand: bool
    elsewhere: bool = False
    provider: str = ""
    saved: Job | None = None
    """The job itself where nothing may be left to do but to tell of it."""
    before: "Known | None" = None
    """The job before it, where that was saved."""

    def for_digest(self, digest: str) -> "Known":
        """What counts for a request: where the last job was another's and has ended, the picture
        that was there before."""
        before = self.before
        is_back = before is not None and before.digest == digest != self.digest
        if before is None or not is_back or self.state not in _ENDED:
            return self
        return replace(before, attempt=self.attempt)


@dataclass(frozen=True, slots=True)
class Decision:
    """A step, and the reason for it as it is told."""

    step: Step
    reason: str


_ENDED = frozenset({State.PLANNED, State.FAILED, State.CANCELED, State.MODERATED, State.EXPIRED})
_OWNED = OPEN | {State.PLANNED}


class Memory:
    """What the journal, and the answers kept beside it, know of one batch."""

    def __init__(self, journal: Journal, answers: Answers, batch: str) -> None:
        self._journal = journal
        self._answers = answers
        self._batch = batch

    def rows(self) -> dict[str, Known]:
        """What is known of each row, by what the rows are known by."""
        return self._last(self._journal.of_batch(self._batch))

    def row(self, row: str) -> Known | None:
        """What is known of one row by now, None where that is nothing."""
        return self._last(self._journal.of_batch(self._batch, row)).get(row)

    def _last(self, jobs: Iterable[Job]) -> dict[str, Known]:
        """The last attempt at each row, and the picture before it."""
        rows: dict[str, Known] = {}
        for job in jobs:
            known, before = self._known(job), rows.get(job.row or "")
            if before is not None:
                saved = before if before.state is State.SAVED else before.before
                known = replace(known, before=saved and replace(saved, before=None))
            rows[job.row or ""] = known
        return {row: self._seen(each) for row, each in rows.items()}

    def _known(self, job: Job) -> Known:
        return Known(
            job_id=job.id,
            attempt=job.attempt,
            state=job.state,
            digest=job.digest,
            files=_worst(job) if job.state is State.SAVED else None,
            free=job.error is None or job.error.billed == "no",
            at_hand=self._at_hand(job),
            provider=job.provider,
            saved=job if job.state is State.SAVED else None,
        )

    def _at_hand(self, job: Job) -> bool:
        if job.state is State.UNKNOWN:
            return self._answers.find(job.id) is not None
        return bool(job.outputs) or job.handle is not None

    def _seen(self, known: Known) -> Known:
        """With a look at whether another run is at it."""
        if known.state in _OWNED and self._journal.owned_elsewhere(known.job_id):
            return replace(known, elsewhere=True)
        return known


def decide(known: Known | None, digest: str, rules: Rules, *, keep_flagged: bool) -> Decision:
    """What to do for a row whose request has ``digest`` now."""
    if known is None:
        return Decision(Step.MAKE, "new")
    if known.elsewhere or known.state is State.SUBMITTING:
        return Decision(Step.WAIT, "another kontext is at it")
    if known.state in ACCEPTED:
        return Decision(Step.COLLECT, "collected")
    if known.state is State.PLANNED:
        return Decision(Step.MAKE, "new")
    if known.digest != digest:
        return Decision(Step.MAKE, "changed")
    if known.state is State.SAVED:
        return _saved(known, rules)
    return _failed(known, rules, keep_flagged=keep_flagged)


def _saved(known: Known, rules: Rules) -> Decision:
    if rules.make_saved:
        return Decision(Step.MAKE, "forced")
    if known.files == "missing":
        return Decision(Step.COLLECT if known.at_hand else Step.MAKE, "file missing")
    return Decision(Step.SKIP, "file edited" if known.files == "edited" else "saved")


def _failed(known: Known, rules: Rules, *, keep_flagged: bool) -> Decision:
    """For a job that did not end well; one that cost nothing is simply done again."""
    kept_back = known.state is State.MODERATED and keep_flagged
    if known.at_hand and (known.state is State.UNKNOWN or kept_back):
        return Decision(Step.COLLECT, "collected")
    if known.state is State.UNKNOWN:
        step = Step.MAKE if rules.resubmit_unknown else Step.HOLD
        return Decision(step, "unknown")
    asked_for = rules.retry_failed or (known.free and known.state is not State.MODERATED)
    return Decision(Step.MAKE if asked_for else Step.HOLD, known.state.value)


def _worst(job: Job) -> Condition:
    """One word for all files of a job; what is missing can be had again."""
    conditions = {condition(file) for file in job.files}
    if not conditions or "missing" in conditions:
        return "missing"
    return "edited" if "edited" in conditions else "untouched"
