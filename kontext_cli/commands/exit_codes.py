"""The exit code of a job by its state, and of several jobs."""

from collections.abc import Sequence

from kontext_cli.job import State

_FAILED = 4
_MIXED = 9
_STATE_CODES = {
    State.PLANNED: 0,
    State.SAVED: 0,
    State.READY: 0,
    State.SUBMITTING: 7,
    State.QUEUED: 7,
    State.RUNNING: 7,
    State.MODERATED: 5,
    State.UNKNOWN: 11,
}


def state_code(state: State) -> int:
    """The exit code for a job state; failed, canceled and expired share one."""
    return _STATE_CODES.get(state, _FAILED)


def common_code(codes: Sequence[int]) -> int:
    """One exit code for several jobs: the common one, else 9 for a mixed outcome."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else _MIXED if distinct else 0
