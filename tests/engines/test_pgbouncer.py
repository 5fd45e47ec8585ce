"""A journal in PostgreSQL behind PgBouncer, which gives each transaction another session."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from postgres_server import HOW_TO_INSTALL, USER, PostgresServer, free_port, programs, server_user
from processes import environment
from scheduled import PARTS, ROWS, VARIABLES, argv_of, rows
from world import PATIENCE, World

PGBOUNCER = shutil.which("pgbouncer")
SETTINGS = """
[databases]
* = host={folder} port={server} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
"""

pytestmark = [
    pytest.mark.skipif(programs() is None, reason=HOW_TO_INSTALL),
    pytest.mark.skipif(PGBOUNCER is None, reason="needs pgbouncer: apt-get install pgbouncer"),
]


@pytest.fixture
def pooled(postgres: PostgresServer, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database by way of a pooler."""
    port = free_port()
    settings = SETTINGS.format(folder=postgres.folder, server=postgres.port, user=USER, port=port)
    path = postgres.folder / "pgbouncer.ini"
    path.write_text(settings)
    path.chmod(0o644)
    pooler = subprocess.Popen(
        [str(PGBOUNCER), "--quiet", str(path)], env=environment(), user=server_user()
    )
    try:
        yield f"postgresql://{USER}@127.0.0.1:{port}/{_ready(postgres, port)}"
    finally:
        pooler.kill()
        pooler.wait()


def _ready(postgres: PostgresServer, port: int) -> str:
    """A new database, once the pooler connects to it."""
    import psycopg

    database = postgres.new_database()
    ends_at = time.monotonic() + PATIENCE
    while time.monotonic() < ends_at:
        with suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://{USER}@127.0.0.1:{port}/{database}").close()
            return database
        time.sleep(0.02)
    raise AssertionError("pgbouncer does not start")


def test_machines_share_a_journal_behind_a_pooler(pooled: str, world: World) -> None:
    world.write("cards.jsonl", rows())
    world.set(KONTEXT_PROVIDER="fal", KONTEXT_JOURNAL=pooled)
    for task in range(PARTS):
        variables = {**VARIABLES["kubernetes.yaml"](task)}
        variables["KONTEXT_STATE_DIR"] = str(world.top / f"machine-{task}")
        done = world.run(*argv_of("kubernetes.yaml", variables, "cards"), environ=variables)
        assert done.code == 0, done.err
    assert len(world.accepted) == world.posts == ROWS
    assert len(world.run("status", "--json", "--limit", "100").records) == ROWS
    assert world.run("cost").code == 0
    assert world.run("gallery", "--batch", "cards", "-o", "cards.html").code == 0
    there, back = (
        world.run("journal", "copy", *way, "--json").records[0]["sha256"]
        for way in (("env", "copied"), ("copied", "env"))
    )
    assert there == back
