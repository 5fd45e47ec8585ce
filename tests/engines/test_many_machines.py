"""Many machines: the page on them as one session, and the examples with a journal and a bucket."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("obstore")

from engines.buckets import Bucket
from manual import blocks, in_a_shell
from postgres_server import HOW_TO_INSTALL, PostgresServer, programs
from processes import environment
from scheduled import PARTS, ROWS, VARIABLES, argv_of, read, rows
from world import PATIENCE, Ran, World

pytestmark = pytest.mark.skipif(programs() is None, reason=HOW_TO_INSTALL)

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "many-machines.md"
SQL = re.compile(r"^```sql\n(.*?)^```", re.DOTALL | re.MULTILINE)
WITH_JOURNAL = ("kubernetes.yaml", "aws-batch.json", "slurm.sh")
OBJECTS = sorted(f"cards/card-{n}.jpg" for n in range(ROWS))


@pytest.fixture
def cards(world: World, endpoint: str, bucket: Bucket) -> World:
    """The rows, and an empty `s3://my-bucket`."""
    world.write("cards.jsonl", rows())
    world.set(KONTEXT_PROVIDER="fal")
    Bucket.new(endpoint, "my-bucket")
    return world


def run_all(name: str, cards: World, when: str) -> Iterator[Ran]:
    """Run the tasks of an example on machines that are new each time."""
    for task in range(PARTS):
        variables = VARIABLES[name](task)
        state = {"KONTEXT_STATE_DIR": str(cards.top / f"{when}-{task}")}
        argv = argv_of(name, variables, "s3://my-bucket/cards")
        yield cards.run(*argv, environ={**variables, **state})


@pytest.mark.parametrize("name", WITH_JOURNAL)
def test_machines_without_disks_make_every_row_once(
    name: str, cards: World, endpoint: str, postgres: PostgresServer
) -> None:
    cards.set(KONTEXT_JOURNAL=postgres.url(postgres.new_database()))
    assert [run.code for run in run_all(name, cards, "first")] == [0] * PARTS
    assert Bucket(endpoint, "my-bucket").keys == OBJECTS
    assert len(cards.accepted) == cards.posts == ROWS
    again = list(run_all(name, cards, "second"))
    assert [run.code for run in again] == [0] * PARTS
    assert sum(len(run.lines) for run in again) == ROWS
    assert cards.posts == ROWS
    assert len(cards.run("status", "--json", "--limit", "100").records) == ROWS


def test_the_script_for_slurm_reads_where_images_go(
    cards: World, endpoint: str, postgres: PostgresServer
) -> None:
    cards.set(KONTEXT_JOURNAL=postgres.url(postgres.new_database()), OUT="s3://my-bucket/cards")
    for task in range(PARTS):
        cards.set(**VARIABLES["slurm.sh"](task))
        in_a_shell(read("slurm.sh"), cards)
    assert Bucket(endpoint, "my-bucket").keys == OBJECTS


def here(text: str, postgres: PostgresServer) -> str:
    """A block of the page, for the server of the test."""
    address = f"127.0.0.1:{postgres.port}"
    text = text.replace("@db/", f"@{address}/").replace("db:5432:", f"{address}:")
    return text.replace("--host db ", f"--host 127.0.0.1 --port {postgres.port} ")


def as_administrator(block: str, postgres: PostgresServer) -> None:
    argv = ["psql", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", postgres.url()]
    subprocess.run(
        argv,
        input=block,
        text=True,
        check=True,
        capture_output=True,
        timeout=PATIENCE,
        env=environment(),
    )


@pytest.mark.skipif(shutil.which("psql") is None, reason="needs psql and pg_dump")
def test_the_page_is_one_session(cards: World, endpoint: str, postgres: PostgresServer) -> None:
    at_home = {"KONTEXT_STATE_DIR": str(cards.home / ".local" / "state" / "kontext")}
    cards.run("generate", "a fox", "-p", "aimlapi", environ=at_home)
    page = PAGE.read_text(encoding="utf-8")
    owner, viewer = (here(block, postgres) for block in SQL.findall(page))
    as_administrator(owner, postgres)
    in_a_shell(here("".join(blocks(page)), postgres), cards)
    assert Bucket(endpoint, "my-bucket").keys == OBJECTS
    assert {"cards.html", "journal.dump"} < {*cards.files()}
    as_administrator(viewer, postgres)
    url = f"postgresql://viewer:another-password@127.0.0.1:{postgres.port}/images"
    looking = {"KONTEXT_JOURNAL": url}
    listed = cards.run("status", "--json", "--limit", "100", environ=looking).records
    assert len(listed) == ROWS + 1
    assert cards.run("cost", environ=looking).code == 0
    assert cards.run("forget", listed[0]["id"], environ=looking).code == 8
