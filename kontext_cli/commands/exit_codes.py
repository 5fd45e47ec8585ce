"""The exit code of several jobs."""

from collections.abc import Sequence

_MIXED = 9


def common_code(codes: Sequence[int]) -> int:
    """One exit code for several jobs: the common one, else 9 for a mixed outcome."""
    distinct = set(codes)
    return distinct.pop() if len(distinct) == 1 else _MIXED if distinct else 0
