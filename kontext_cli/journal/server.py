"""PostgreSQL as the journal uses it: its address, connections, and its errors as ours."""

import logging
import re
import selectors
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, urlencode

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from kontext_cli.errors import JournalFault, UsageError
from kontext_cli.journal.faults import Away, Busy

Connection = psycopg.Connection[tuple[Any, ...]]

logging.getLogger("psycopg").addHandler(logging.NullHandler())
"""It would print to standard error that a connection was lost, which an error of ours says."""

LEASE_SECONDS = 60.0
_LEASE = "lease"
"""The parameter of a URL that is ours: seconds. Those of one batch need not be the same."""
_LEASES = (1.0, 3600.0)
_IDLE_SECONDS, _LOCK_SECONDS = 10, 15
"""How long the server waits for a process within a transaction, and others then for its locks."""
_DEFAULTS: Mapping[str, str] = {
    "connect_timeout": "5",
    "application_name": "kontext",
    "client_encoding": "UTF8",
    # A server that is gone without a word is noticed within ten seconds.
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "2",
    "tcp_user_timeout": "10000",
}
_SILENCE = 5.0
"""Seconds without an answer after which another connection is tried."""
_LONGEST_REASON = 200
_SEVERITY = re.compile(r"^[A-Z]+: +")
"""Before the messages of a server that refuses a connection."""
_AWAY = ("08", "57P", "53300", "25P03")
"""SQLSTATEs: no connection, shut down, too many connections, idle within a transaction."""

BEGIN = (
    "BEGIN; SET LOCAL synchronous_commit = on;"
    f" SET LOCAL lock_timeout = {_LOCK_SECONDS * 1000};"
    f" SET LOCAL idle_in_transaction_session_timeout = {_IDLE_SECONDS * 1000}"
)
"""A transaction that writes, durable when it returns; a process that is stopped within one holds up
no others."""
BEGIN_TO_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_IN_OUR_WORDS: Mapping[type[psycopg.Error], tuple[str, str | None]] = {
    errors.UniqueViolation: ("another job has this row of the batch", "run it again"),
    errors.UndefinedTable: ("its tables are not those of this version", None),
    errors.UndefinedColumn: ("its tables are not those of this version", None),
    errors.UndefinedFunction: ("its tables are not those of this version", None),
    errors.DuplicateTable: (
        "it has other tables of the same names",
        "give kontext a database of its own",
    ),
    errors.InvalidSchemaName: (
        "its user may use no schema there",
        "as the owner of the database: GRANT USAGE, CREATE ON SCHEMA public TO that user",
    ),
    errors.InsufficientPrivilege: (
        "its user lacks the right to do that",
        "let one user create the tables, and read and write them",
    ),
    errors.ReadOnlySqlTransaction: (
        "it takes no changes, as a standby does not",
        "name the primary server in KONTEXT_JOURNAL",
    ),
    errors.DiskFull: ("its disk is full", "make room on the disk of the server"),
    errors.QueryCanceled: ("the server ended a statement that took too long", "run it again"),
}


class _Watched(psycopg.Connection[tuple[Any, ...]]):
    """A connection on which nothing is waited for from a server that stands still, as a frozen
    machine does, whose system still acknowledges what it is sent."""

    is_answering: Callable[[], bool] = staticmethod(lambda: False)
    """Asked while a statement takes long, each time after ``_SILENCE`` seconds."""

    def wait(self, gen: Any, *given: Any, **options: Any) -> Any:
        return super().wait(self._watched(gen), *given, **options)

    def _watched(self, gen: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        """The steps of a statement, between which psycopg waits for a tenth of a second."""
        ends_at = time.monotonic() + _SILENCE
        ready = None
        while True:
            try:
                ready = yield gen.send(ready)
            except StopIteration as done:
                return done.value
            if time.monotonic() > ends_at:
                if not self.is_answering():
                    self.close()
                    raise psycopg.OperationalError("the server does not answer")
                ends_at = time.monotonic() + _SILENCE


class Address:
    """A database, as its URL names it. No error and no ``repr`` shows the URL or a password."""

    def __init__(self, url: str) -> None:
        """Raises UsageError for a URL that libpq refuses, or a lease out of range."""
        base, _, query = url.partition("?")
        pairs = parse_qsl(query, keep_blank_values=True)
        self.lease = _lease(dict(pairs).get(_LEASE))
        """Seconds for which a process owns its jobs without renewing that."""
        rest = urlencode([each for each in pairs if each[0] != _LEASE])
        try:
            given = conninfo_to_dict(f"{base}?{rest}" if rest else base)
        except psycopg.Error:
            raise UsageError(
                "the URL of the journal's database is not valid",
                hint="KONTEXT_JOURNAL=postgresql://USER@HOST/DATABASE",
            ) from None
        self._parameters: dict[str, Any] = {**_DEFAULTS, **given}

    def connect(self) -> Connection:
        """A new connection. Raises psycopg.Error."""
        db = self._connect()
        db.is_answering = self._is_answering
        return db

    def connect_briefly(self) -> Connection:
        """One on which no statement takes longer than ``_SILENCE``. Raises psycopg.Error."""
        return self._connect()

    def _connect(self) -> _Watched:
        # A pooler may give each transaction another session, so nothing is kept in one.
        return _Watched.connect(**self._parameters, autocommit=True, prepare_threshold=None)

    def _is_answering(self) -> bool:
        try:
            with closing(self.connect_briefly()) as db:
                db.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    @property
    def name(self) -> str:
        """The database and its host, to be shown."""
        database, host = self._parameters.get("dbname"), self._parameters.get("host")
        return (f"`{database}`" if database else "its database") + (f" at {host}" if host else "")

    @property
    def password(self) -> str:
        """The password in the URL, never to be shown."""
        return str(self._parameters.get("password") or "")


def _lease(typed: str | None) -> float:
    if typed is None:
        return LEASE_SECONDS
    with suppress(ValueError):
        if _LEASES[0] <= float(typed) <= _LEASES[1]:
            return float(typed)
    raise UsageError(
        f"`{_LEASE}` in the URL of the journal should be {_LEASES[0]:g} to {_LEASES[1]:g} seconds"
    )


def is_lost(db: Connection) -> bool:
    """Whether a connection that is not in use has ended, as far as is known without a question."""
    if db.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(db.pgconn.socket, selectors.EVENT_READ)
        with suppress(psycopg.Error):
            while selector.select(0):
                db.pgconn.consume_input()
            return False
    db.close()
    return True


def roll_back(db: Connection) -> None:
    """End a transaction, whatever its state is."""
    with suppress(psycopg.Error):
        db.execute("ROLLBACK")


@contextmanager
def faults(doing: str, address: Address) -> Iterator[None]:
    """Raise errors of PostgreSQL as JournalFault; ``doing`` is what fails, in words."""
    try:
        yield
    except psycopg.Error as error:
        raise _fault(error, f"{doing} {address.name}", address) from None


def _fault(error: psycopg.Error, doing: str, address: Address) -> JournalFault:
    if isinstance(error, errors.LockNotAvailable):
        return Busy(f"{doing}: another kontext has it locked", hint="run it again")
    for kind, (what, hint) in _IN_OUR_WORDS.items():
        if isinstance(error, kind):
            return JournalFault(f"{doing}: {what}", hint=hint)
    reason = _reason(error, address.password)
    if is_away(error):
        return Away(f"{doing}: {reason}", hint="check the server, and KONTEXT_JOURNAL")
    return JournalFault(f"{doing}: {reason}")


def is_away(error: psycopg.Error) -> bool:
    """Whether an error is about the connection, so that another one may work, or later."""
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state.startswith(_AWAY)


def _reason(error: psycopg.Error, password: str) -> str:
    """What the server or its library says, in one line, without the password."""
    text = error.diag.message_primary or str(error)
    lines = [line for line in text.splitlines() if line.strip()] or [type(error).__name__]
    reason = _SEVERITY.sub("", lines[0].rpartition("failed: ")[2])
    if password:
        reason = reason.replace(password, "…")
    return reason[:_LONGEST_REASON]
