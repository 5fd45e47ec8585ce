"""SQLite as the journal uses it: connections, transactions, and its errors as ours."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from kontext_cli.errors import JournalFault
from kontext_cli.journal.faults import Busy

SQLITE = sqlite3.sqlite_version
"""The version of the library that is loaded."""

BUSY_SECONDS = 10.0
"""How long a write waits for another program that has the file locked."""
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ANOTHER_FOLDER = "name a folder that can be written in KONTEXT_STATE_DIR"
_MAKE_ROOM = "make room on the disk"
_IN_OUR_WORDS = {
    sqlite3.SQLITE_BUSY: "another program has it locked",
    sqlite3.SQLITE_LOCKED: "another program has it locked",
    sqlite3.SQLITE_CONSTRAINT: "another job has this row of the batch",
    sqlite3.SQLITE_ERROR: "its tables are not those of this version",
}
"""Instead of messages of SQLite that name tables and columns."""
_HINTS = {
    sqlite3.SQLITE_BUSY: "try again when the other program is done",
    sqlite3.SQLITE_FULL: _MAKE_ROOM,
}


class Damaged(Exception):
    """The file is not a journal, or is damaged; its text says how."""


class NoRoom(JournalFault):
    """There is no room on the disk."""


_KINDS: dict[int, type[JournalFault]] = {
    sqlite3.SQLITE_BUSY: Busy,
    sqlite3.SQLITE_FULL: NoRoom,
    sqlite3.SQLITE_IOERR_WRITE: NoRoom,  # a quota, or a limit on the size of files
}


READ, WRITE = "ro", "rw"
READ_IMMUTABLE = "ro&immutable=1"
"""Treat the file as immutable: needs no files beside it, and ignores its write-ahead log."""


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """A connection to a file that is there; ``mode`` is one of those above."""
    location = path.absolute().as_posix()
    slashes = "file://" if location.startswith("/") else "file:///"
    db = sqlite3.connect(
        f"{slashes}{quote(os.fsencode(location))}?mode={mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # the store lets in one at a time
    )
    # Our text is ASCII; what damage made of it is reported by whoever reads the row.
    db.text_factory = lambda raw: raw.decode("ascii", "replace")
    return db


def make_durable(db: sqlite3.Connection) -> None:
    """Make each commit durable before it returns."""
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    # Without a write-ahead log, only EXTRA outlives a power cut just after the commit.
    db.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
    db.execute("PRAGMA wal_autocheckpoint = 0")


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, and no other writer meanwhile."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(db: sqlite3.Connection) -> Iterator[None]:
    """The same content for several queries."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        with suppress(sqlite3.Error):
            db.execute("ROLLBACK")


def checkpoint(db: sqlite3.Connection) -> None:
    """Empty the write-ahead log into the file, where others let us.

    Writers are kept out meanwhile: before SQLite 3.51.3 a commit during a checkpoint could be
    lost (its "WAL-reset bug"), which is why none is made automatically.
    """
    with suppress(sqlite3.Error):
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def faults(doing: str) -> Iterator[None]:
    """Raise errors of SQLite and the system as JournalFault, damage as Damaged."""
    try:
        yield
    except sqlite3.Error as error:
        code = primary_code(error)
        if code is None:
            raise  # a bug of ours
        if code in _DAMAGE:
            raise Damaged(str(error)) from error
        what = _IN_OUR_WORDS.get(code, str(error))
        kind = _KINDS.get(error.sqlite_errorcode, _KINDS.get(code, JournalFault))
        raise kind(f"{doing}: {what}", hint=_HINTS.get(code, _ANOTHER_FOLDER)) from error
    except UnicodeDecodeError as error:  # of a message that quotes the file
        raise Damaged("it contains undecodable text") from error
    except OSError as error:
        reason = error.strerror or error
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoom(f"{doing}: {reason}", hint=_MAKE_ROOM) from error
        raise JournalFault(f"{doing}: {reason}", hint=_ANOTHER_FOLDER) from error


@contextmanager
def all_faults(doing: str) -> Iterator[None]:
    """Raise damage as JournalFault, too: nothing more can be done about it."""
    try:
        with faults(doing):
            yield
    except Damaged as damage:
        raise JournalFault(f"{doing}: {damage}", hint=_ANOTHER_FOLDER) from damage


def primary_code(error: sqlite3.Error) -> int | None:
    """SQLite's primary result code; None for an error that the Python module raised itself."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
