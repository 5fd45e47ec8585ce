"""The exit code of jobs: by the state of each, and one for several."""

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
    """The code of a job's state; failed, canceled and expired are one."""
    return _STATE_CODES.get(state, _FAILED)


def common_code(codes: Sequence[int]) -> int:
    """One code for several jobs: theirs where they agree, else that of a mixed outcome."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else _MIXED if distinct else 0
