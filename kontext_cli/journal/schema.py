"""The tables of the journal, version by version, and whether a file holds them."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from kontext_cli.errors import JournalFault
from kontext_cli.journal.codec import COLUMNS
from kontext_cli.journal.database import READ, Damaged, connect, primary_code, transaction
from kontext_cli.journal.table import OPEN_STATES

OPEN_JOBS = (
    f"SELECT {COLUMNS} FROM jobs INDEXED BY jobs_open WHERE state IN {OPEN_STATES} ORDER BY id"  # noqa: S608
)
_JOBS_OF_ANY_VERSION = (
    "SELECT id, state, owner, batch, request_id, created_at, details"  # noqa: S608
    f" FROM jobs INDEXED BY jobs_open WHERE state IN {OPEN_STATES} LIMIT 0"
)

UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY NOT NULL,
            state TEXT NOT NULL,
            owner TEXT,
            batch TEXT,
            request_id TEXT,
            created_at TEXT NOT NULL,
            details TEXT NOT NULL
        )
        """,
        "CREATE INDEX jobs_by_state ON jobs (state, id)",
        "CREATE INDEX jobs_by_batch ON jobs (batch, id) WHERE batch IS NOT NULL",
        "CREATE INDEX jobs_by_request ON jobs (request_id) WHERE request_id IS NOT NULL",
        f"CREATE INDEX jobs_open ON jobs (id) WHERE state IN {OPEN_STATES}",
    ),
    (
        "ALTER TABLE jobs ADD COLUMN row TEXT",
        "ALTER TABLE jobs ADD COLUMN attempt INTEGER NOT NULL DEFAULT 1",
        "CREATE UNIQUE INDEX jobs_by_row ON jobs (batch, row, attempt) WHERE row IS NOT NULL",
    ),
)
"""The statements that bring version n of the file to version n + 1; a new file is version 0."""


def version_at_rest(path: Path, mode: str = READ) -> int:
    """The version of a file, read without changing a byte of it; ``mode`` as for ``connect``.

    0 where only a writer can tell: after a kill in the midst of a write without a write-ahead log.
    """
    with closing(connect(path, mode)) as db, _damage_from_sql():
        try:
            return _version(db)
        except sqlite3.OperationalError as error:
            if primary_code(error) != sqlite3.SQLITE_READONLY:
                raise
            return 0


def refuse_newer(version: int, path: Path) -> None:
    """Refuse the file of a later version. Raises JournalFault."""
    if version > len(UPGRADES):
        raise JournalFault(
            f"the journal `{path}` was written by a newer kontext, and is left alone",
            hint="update kontext, or name another folder in KONTEXT_STATE_DIR",
        )


def is_older(version: int) -> bool:
    """Whether a file has to be upgraded before it can be read."""
    return version < len(UPGRADES)


def check_whole(db: sqlite3.Connection, *, thorough: bool) -> None:
    """Check the whole file; when ``thorough``, check its indexes as well, and repair them.

    Raises Damaged.
    """
    check_sound(db)
    if thorough:
        with _damage_from_sql():
            _check_indexes(db)
    check_tables(db)


def check_sound(db: sqlite3.Connection) -> None:
    """Check the pages and rows of the whole file, not its indexes. Raises Damaged."""
    with _damage_from_sql():
        _check(db, "quick_check")


def check_tables(db: sqlite3.Connection) -> None:
    """Check that the tables exist. Raises Damaged."""
    with _damage_from_sql():
        version = _version(db)
        if version < 1:
            raise Damaged("it has no version")
        db.execute(_JOBS_OF_ANY_VERSION)
        if version == len(UPGRADES):
            db.execute(f"{OPEN_JOBS} LIMIT 0")


def upgrade(db: sqlite3.Connection, path: Path) -> None:
    """Upgrade the file to our version; writes in any case, which proves that it is writable."""
    with transaction(db):
        version = _version(db)
        refuse_newer(version, path)
        for statements in UPGRADES[version:]:
            for statement in statements:
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(UPGRADES)}")


def _check_indexes(db: sqlite3.Connection) -> None:
    """Rebuild the indexes where they do not match the table: nothing is lost with them."""
    try:
        _check(db, "integrity_check")
    except Damaged:
        try:
            db.execute("REINDEX")
        except sqlite3.IntegrityError as error:
            raise Damaged("two jobs are the same attempt at a row") from error
        _check(db, "integrity_check")


def _check(db: sqlite3.Connection, kind: str) -> None:
    (verdict,) = db.execute(f"PRAGMA {kind}(1)").fetchone()
    if verdict != "ok":
        raise Damaged(" ".join(str(verdict).split()))


def _version(db: sqlite3.Connection) -> int:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


@contextmanager
def _damage_from_sql() -> Iterator[None]:
    """During the first checks of a file, SQL errors mean damage as well."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if primary_code(error) == sqlite3.SQLITE_ERROR:
            raise Damaged(str(error)) from error
        raise
