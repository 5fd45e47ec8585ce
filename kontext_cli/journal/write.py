"""A change of the journal that is to be written."""

from collections.abc import Callable
from typing import NamedTuple

Seen = tuple[str, str] | None
"""The id and the state of a job, None for none at all."""


class Write(NamedTuple):
    """One change to be written, and the name of the failpoint that is reached with it.

    ``last_room``: it may use the reserved disk space, because its job may be billed already.
    ``taken``: the batch and the row that it makes ours. Those of a transaction are taken in their
    order, since two processes that take the same rows would wait for each other.
    """

    work: Callable[[], bool]
    point: str
    last_room: bool
    taken: tuple[str, str] = ("", "")
