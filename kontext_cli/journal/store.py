"""What the journal needs of the place where its jobs are, and the choice of one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from kontext_cli.journal.file import Log
from kontext_cli.journal.sqlite import FileStore
from kontext_cli.journal.table import Table

T = TypeVar("T")


class Owners(Protocol):
    """The running processes that share a store, each with a token; this one has its own."""

    @property
    def token(self) -> str | None:
        """Our own token, None until ``enter``."""

    def enter(self) -> str:
        """Acquire our token, once, to hold it until the store is closed; returns it."""

    def is_alive(self, token: str) -> bool | None:
        """Whether the process of a token is running; None where that is unknown."""

    def keep_room(self) -> None:
        """Reserve room for the ends of jobs that are sent now."""


class Store(Protocol):
    """Transactions on the table of jobs, shared with other processes.

    All methods raise JournalFault. ``table`` is used within a transaction only.
    """

    @property
    def table(self) -> Table:
        """The jobs."""

    @property
    def owners(self) -> Owners:
        """Who works on them."""

    def write(self, work: Callable[[], T], *, last_room: bool = False) -> T:
        """Do the work in one durable transaction: what it reads is not changed meanwhile.

        ``last_room``: it may use what ``keep_room`` has reserved.
        """

    def reading(self, *, once: bool = False) -> AbstractContextManager[None]:
        """One snapshot for several queries, which one query ``once`` does without."""

    def shrink(self) -> None:
        """Leave nothing of deleted jobs behind; a failure is only logged."""

    def close(self) -> None:
        """Release our token, so that others may claim our open jobs."""


def open_store(folder: Path, log: Log) -> Store:
    """The store of a journal, checked to be writable. Raises JournalFault."""
    return FileStore.open(folder, log)


def open_store_to_read(folder: Path, log: Log) -> Store | None:
    """The store of a journal for reading only, None where there is none. Raises JournalFault."""
    return FileStore.read(folder, log)
