"""A batch with its lock, as users have it in a repository."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.lock import Lock, read_lock
from samples import image_file
from world import Ran, World

Rows = Sequence[Mapping[str, Any]]

CARDS: Rows = (
    {"id": "fox", "prompt": "a red fox", "seed": 7},
    {"id": "owl", "prompt": "an owl", "aspect_ratio": "16:9"},
    {"id": "hen", "prompt": "a hen"},
    {"prompt": "a wolf"},
)
FOX, OWL, HEN, WOLF = CARDS
LOCK = "cards.lock"
NO_LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


def make(world: World, rows: Rows = CARDS, *argv: str) -> Lock:
    """Write `cards.jsonl`, make its images with a lock; the lock."""
    world.write("cards.jsonl", rows)
    usual = ("generate", "-f", "cards.jsonl", "-d", "out", "-p", "aimlapi", "--lock")
    done = world.run(*usual, *argv)
    assert done.code == 0, done.err
    return lock_of(world)


def lock_of(world: World) -> Lock:
    return read_lock(world.folder / LOCK)


def check(world: World, *argv: str, file: str = "cards.jsonl") -> Ran:
    return world.run("check", file, *argv)


def found(world: World, *argv: str, file: str = "cards.jsonl") -> list[tuple[str, str]]:
    """The differences as `--json` has them, with their rows."""
    done = check(world, "--json", *argv, file=file)
    differences = [each for each in done.records if each["type"] == "difference"]
    assert done.code == (12 if differences else 0), done.err
    assert done.records[-1]["differences"] == len(differences)
    return [(title(each), each["id"]) for each in differences]


def title(record: Mapping[str, Any]) -> str:
    option = record["option"]
    return f"{record['difference']}: {option}" if option else record["difference"]


def edit_image(path: Path, colour: str = "orange") -> bytes:
    """Another image in the place of one, of the same format."""
    data = image_file("png" if path.suffix == ".png" else "jpeg", (70, 50), colour)
    assert data != path.read_bytes()
    path.write_bytes(data)
    return data


def state_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder, but for those of git."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def changed(rows: Rows, row_id: str, **values: Any) -> list[dict[str, Any]]:
    """The rows with other values in one; None removes one."""
    return [
        {key: value for key, value in {**row, **values}.items() if value is not None}
        if row.get("id") == row_id
        else dict(row)
        for row in rows
    ]


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a lock."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def rows(*after: object) -> Callable[[World], None]:
    """Writes `cards.jsonl` with these rows."""

    def write(world: World) -> None:
        world.write("cards.jsonl", "".join(f"{json.dumps(row)}\n" for row in after))

    return write


def wolf(world: World) -> str:
    """The id of the row that has none."""
    return next(row.id for row in lock_of(world).rows if row.id.startswith("~"))
