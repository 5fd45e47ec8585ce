"""`examples/ci` from a fresh clone on: check, change a row, make it, commit, check."""

import shutil
from pathlib import Path

import pytest

from repositories import GIT, Repository
from world import Ran, World

EXAMPLE = Path(__file__).parents[2] / "examples" / "ci"
GENERATE = ("generate", "-f", "cards.jsonl", "-d", "images", "--provider", "sandbox", "--json")
pytestmark = pytest.mark.skipif(GIT is None, reason="needs git")


class Clone:
    """A clone of the example, on a machine that has no journal yet."""

    def __init__(self, world: World, origin: Repository, name: str) -> None:
        self.folder = world.folder / name
        self.repository = origin.clone(self.folder)
        self._world = world
        self._state = str(world.folder / f"{name}-state")

    def run(self, *argv: str) -> Ran:
        environ = {"KONTEXT_STATE_DIR": self._state}
        return self._world.run(*argv, cwd=self.folder, environ=environ)

    def check(self) -> Ran:
        return self.run("check", "cards.jsonl")

    def generate(self, *argv: str) -> Ran:
        return self.run(*GENERATE, *argv)

    def submitted(self) -> int:
        """The number of jobs in the journal."""
        return len(self.run("status", "--json").records)

    def push(self, message: str) -> None:
        self.repository.commit(message)
        self.repository.git("push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def origin(world: World) -> Repository:
    """The example as a repository, to which can be pushed."""
    shutil.copytree(EXAMPLE, world.folder / "example")
    made = Repository.init(world.folder / "example")
    made.git("config", "receive.denyCurrentBranch", "updateInstead")
    return made


def test_the_example_is_small() -> None:
    assert sum(path.stat().st_size for path in EXAMPLE.rglob("*") if path.is_file()) < 300_000


def test_a_fresh_clone_needs_nothing(world: World, origin: Repository) -> None:
    clone = Clone(world, origin, "clone")
    assert clone.check().code == 0
    done = clone.generate("--lock")
    assert done.counts == {"skipped": 3}
    assert ".gitattributes" not in done.err  # it has the line that lets branches merge
    assert clone.submitted() == 0
    assert clone.repository.git("status", "--porcelain") == ""


def test_a_changed_row_is_found_made_once_and_committed(world: World, origin: Repository) -> None:
    mine = Clone(world, origin, "mine")
    rows = mine.folder / "cards.jsonl"
    rows.write_text(rows.read_text().replace("a lake at night", "a lake in fog"))
    found = mine.check()
    assert found.code == 12
    assert ["lake" in line for line in found.lines] == [True]
    done = mine.generate("--max-cost", "1")
    assert done.counts == {"saved": 1, "skipped": 2}
    assert mine.submitted() == 1
    changed = mine.repository.git("status", "--porcelain").split()[1::2]
    assert changed == ["cards.jsonl", "cards.lock", "images/lake.jpg"]
    mine.push("A lake in fog")
    assert mine.check().code == 0
    other = Clone(world, origin, "other")
    assert other.check().code == 0
    assert other.generate().counts == {"skipped": 3}
    assert other.submitted() == 0


def test_an_edited_image_is_left_alone_and_can_be_accepted(
    world: World, origin: Repository
) -> None:
    mine = Clone(world, origin, "mine")
    lake = mine.folder / "images" / "lake.jpg"
    shutil.copyfile(mine.folder / "images" / "forest.jpg", lake)
    edited = lake.read_bytes()
    assert mine.check().code == 12
    assert mine.generate("--force").code == 0
    assert lake.read_bytes() == edited
    assert mine.run("check", "cards.jsonl", "--accept", "lake").code == 0
    assert mine.check().code == 0
