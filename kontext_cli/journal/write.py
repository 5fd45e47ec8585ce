"""A change of the journal that is to be written."""

from collections.abc import Callable
from typing import NamedTuple

from kontext_cli.journal.codec import Row

Seen = tuple[str, str] | None
"""The id and the state of a job, None for none at all."""


class Write(NamedTuple):
    """One change to be written, and the name of the failpoint that is reached with it.

    ``row`` is to be written by it. ``last_room``: it may use the reserved disk space, because its
    job may be billed already.
    """

    work: Callable[[], bool]
    row: Row
    point: str
    last_room: bool
