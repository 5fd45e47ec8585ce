"""The tables of a journal in PostgreSQL, version by version."""

from psycopg import errors

from kontext_cli.errors import JournalFault
from kontext_cli.journal.server import Connection, roll_back
from kontext_cli.journal.table import OPEN_STATES

_LOCK = 7_106_921_385_520_746
"""The advisory lock of those who create or upgrade the tables: any number that is only ours."""

_JSON = r"""
    CREATE FUNCTION kontext_json(details text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
    BEGIN
        -- Without escaped characters, of which PostgreSQL refuses some that JSON allows.
        RETURN replace(replace(details, '\\', ''), '\u', 'u')::jsonb;
    EXCEPTION WHEN others THEN -- it is damaged
        RETURN '{}';
    END
    $$
"""
"""The details of a job, to look for numbers and plain words in them."""

UPGRADES: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE jobs (
            rowid bigint GENERATED ALWAYS AS IDENTITY,
            id text COLLATE "C" PRIMARY KEY,
            state text COLLATE "C" NOT NULL,
            owner text COLLATE "C",
            batch text COLLATE "C",
            row text COLLATE "C",
            attempt integer NOT NULL DEFAULT 1,
            request_id text COLLATE "C",
            created_at text COLLATE "C" NOT NULL,
            details text NOT NULL
        )
        """,
        "CREATE INDEX jobs_by_state ON jobs (state, id)",
        "CREATE INDEX jobs_by_batch ON jobs (batch, id) WHERE batch IS NOT NULL",
        "CREATE INDEX jobs_by_request ON jobs (request_id) WHERE request_id IS NOT NULL",
        f"CREATE INDEX jobs_open ON jobs (id) WHERE state IN {OPEN_STATES}",
        "CREATE UNIQUE INDEX jobs_by_row ON jobs (batch, row, attempt) WHERE row IS NOT NULL",
        "CREATE INDEX jobs_by_owner ON jobs (owner) WHERE owner IS NOT NULL",
        'CREATE TABLE owners (token text COLLATE "C" PRIMARY KEY, expires timestamptz NOT NULL)',
        """
        CREATE TABLE budgets (
            batch text COLLATE "C" PRIMARY KEY,
            reserved bigint NOT NULL -- millionths of a US dollar, ever reserved or spent
        )
        """,
        _JSON,
    ),
)
"""The statements that bring version n of the tables to version n + 1."""


def version(db: Connection) -> int | None:
    """The version of the tables; None where there are none.

    Raises psycopg.Error, also where they might be in a schema that may not be used.
    """
    try:
        found = db.execute("SELECT version FROM kontext_journal").fetchone()
    except errors.UndefinedTable:
        if db.execute("SELECT current_schema()").fetchone() == (None,):
            raise errors.InvalidSchemaName from None
        return None
    return 0 if found is None else int(found[0])


def refuse_other(found: int) -> None:
    """Refuse tables of another version. Raises JournalFault."""
    if found > len(UPGRADES):
        raise JournalFault(
            "the journal in the database was written by a newer kontext, and is left alone",
            hint="update kontext",
        )
    if found < len(UPGRADES):
        raise JournalFault(
            "the journal in the database is that of an older kontext",
            hint="`kontext fetch` upgrades it",
        )


def upgrade(db: Connection) -> None:
    """Create the tables, or bring them to our version; one process at a time does.

    Raises JournalFault where they are newer, and psycopg.Error.
    """
    if version(db) == len(UPGRADES):
        return
    try:
        db.execute("BEGIN")
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        db.execute("CREATE TABLE IF NOT EXISTS kontext_journal (version integer NOT NULL)")
        found = version(db) or 0
        if found > len(UPGRADES):
            refuse_other(found)
        for statements in UPGRADES[found:]:
            for statement in statements:
                db.execute(statement.encode())
        db.execute("DELETE FROM kontext_journal")
        db.execute("INSERT INTO kontext_journal VALUES (%s)", (len(UPGRADES),))
        db.execute("COMMIT")
    except BaseException:
        roll_back(db)
        raise
