"""Decides what to do for a row of a batch, by what is known of it from earlier runs."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from kontext_cli.files.saved import Condition
from kontext_cli.job import ACCEPTED, Job, State
from kontext_cli.lock import LockedRow


class Step(Enum):
    """What a run does for a row."""

    MAKE = auto()
    """Submit a new job."""
    COLLECT = auto()
    """Download the images of a submitted job."""
    SKIP = auto()
    """Nothing: its files exist."""
    HOLD = auto()
    """Nothing: a new submit may be billed again, and needs a flag."""
    WAIT = auto()
    """Decide again at the end: another run is working on it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which rows of earlier runs the user wants made again.

    ``make_saved``: those whose files exist (`--force`). ``retry_failed``: those that failed and may
    have been billed. ``resubmit_unknown``: those that may have been accepted. ``keep_edited``: but
    none whose files were edited, as in a batch with a lock.
    """

    make_saved: bool = False
    keep_edited: bool = False
    retry_failed: bool = False
    resubmit_unknown: bool = False


class Known(NamedTuple):
    """What is known of a row: its last job, and the condition of its files.

    ``free``: the job was not billed. ``at_hand``: its images can be downloaded without a new
    submit. ``elsewhere``: another run is working on it now. ``away``: its files are on the disk of
    another machine. ``paths`` and ``hashes`` are those of its files. ``read`` reads the job itself,
    None while it is open. ``seen`` is the id and the state of the last job in the journal, if any.
    ``locked`` is its row in the lock, if that is what is known.
    """

    job_id: str | None
    attempt: int
    state: State
    digest: str
    files: Condition | None
    free: bool
    at_hand: bool
    elsewhere: bool = False
    away: bool = False
    provider: str = ""
    paths: tuple[str, ...] = ()
    read: Callable[[], Job | None] = lambda: None
    before: "Known | None" = None
    """The same for the saved job before it."""
    seen: tuple[str, str] | None = None
    hashes: tuple[str, ...] = ()
    locked: LockedRow | None = None

    def for_digest(self, digest: str) -> "Known":
        """What applies to the request with this digest: the saved job before the last one, if that
        job had the same digest, and the last one has ended."""
        before = self.before
        is_back = before is not None and before.digest == digest != self.digest
        if before is None or not is_back or self.state not in _ENDED:
            return self
        return before._replace(attempt=self.attempt)

    def if_edited(self) -> "Known":
        """What applies where edited files are kept: the saved job before the last one, if that did
        not replace its files and they were edited."""
        before = self.before
        if before is None or before.files != "edited" or self.state is State.SAVED:
            return self
        return before._replace(attempt=self.attempt)


class Decision(NamedTuple):
    """A step, and the reason for it as it is printed."""

    step: Step
    reason: str


SAVED_ELSEWHERE = "saved on another machine"

_ENDED = frozenset({State.PLANNED, State.FAILED, State.CANCELED, State.MODERATED, State.EXPIRED})


def decide(known: Known | None, digest: str, rules: Rules, *, keep_flagged: bool) -> Decision:
    """What to do for a row whose request has ``digest`` now."""
    if known is None:
        return Decision(Step.MAKE, "new")
    if known.files == "edited" and rules.keep_edited:
        return Decision(Step.SKIP, "file edited")
    if known.elsewhere or known.state is State.SUBMITTING:
        return Decision(Step.WAIT, "another kontext process is working on it")
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
    if known.away:
        return Decision(Step.SKIP, SAVED_ELSEWHERE)
    if known.files == "missing":
        return Decision(Step.COLLECT if known.at_hand else Step.MAKE, "file missing")
    return Decision(Step.SKIP, "file edited" if known.files == "edited" else "saved")


def _failed(known: Known, rules: Rules, *, keep_flagged: bool) -> Decision:
    """For a job that did not succeed; one that was not billed is made again."""
    was_flagged = known.state is State.MODERATED and keep_flagged
    if known.at_hand and (known.state is State.UNKNOWN or was_flagged):
        return Decision(Step.COLLECT, "collected")
    if known.state is State.UNKNOWN:
        step = Step.MAKE if rules.resubmit_unknown else Step.HOLD
        return Decision(step, "unknown")
    asked_for = rules.retry_failed or (known.free and known.state is not State.MODERATED)
    return Decision(Step.MAKE if asked_for else Step.HOLD, known.state.value)
