"""What the journal needs of the place where its jobs are, and the choice of one."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from kontext_cli.errors import UsageError
from kontext_cli.journal.file import Log
from kontext_cli.journal.sqlite import FileStore
from kontext_cli.journal.table import Table

if TYPE_CHECKING:
    from kontext_cli.journal.history import RunTimes
    from kontext_cli.journal.postgres import Condition, PostgresStore

T = TypeVar("T")

Location = Path | str
"""A state folder, or the URL of a database."""


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

        The work may be done again, after it was undone or not, so it begins with what is there.
        ``last_room``: it may use what ``keep_room`` has reserved.
        """

    def reading(self, *, once: bool = False) -> AbstractContextManager[None]:
        """One snapshot for several queries, which one query ``once`` does without."""

    def shrink(self) -> None:
        """Leave nothing of deleted jobs behind; a failure is only logged."""

    def close(self) -> None:
        """Release our token, so that others may claim our open jobs."""


def open_store(location: Location, log: Log) -> Store:
    """The store of a journal, checked to be writable. Raises JournalFault or UsageError."""
    if isinstance(location, str):
        return _postgres().open(location)
    return FileStore.open(location, log)


def open_store_to_read(location: Location, log: Log) -> Store | None:
    """The store of a journal for reading only, None where there is none.

    Raises JournalFault or UsageError.
    """
    if isinstance(location, str):
        return _postgres().read(location)
    return FileStore.read(location, log)


def run_times(location: Location) -> "RunTimes":
    """How long the last jobs took, through a connection of its own, so that nothing waits for it;
    empty where the journal cannot be read."""
    if isinstance(location, str):
        return _postgres().run_times(location)
    from kontext_cli.journal.history import run_times as of_file

    return of_file(location)


def database_condition(url: str) -> "Condition":
    """Look at a journal in PostgreSQL. Raises UsageError or JournalFault."""
    return _postgres().condition(url)


def _postgres() -> "type[PostgresStore]":
    """What only a journal in PostgreSQL needs, which takes a quarter of a second to import."""
    try:
        from kontext_cli.journal.postgres import PostgresStore
    except ImportError:
        raise UsageError(
            "a journal in PostgreSQL needs a library that is not installed",
            hint="pip install 'kontext-cli[postgres]'",
        ) from None
    return PostgresStore
