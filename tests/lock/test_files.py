"""Locks on disk: where they are, what they may name, and that they are written whole."""

import subprocess
import sys
from pathlib import Path

import pytest

from kontext_cli.errors import LockFault, OutputFault, UsageError
from kontext_cli.lock import Places, lock_path, read_lock, shard_locks, write_lock
from lock.locked import HEADER, row
from processes import environment

NO_LINKS = pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")


@pytest.mark.parametrize(
    ("prompts_file", "lock"),
    [
        ("cards.jsonl", "cards.lock"),
        ("a/my.cards.csv", "a/my.cards.lock"),
        ("cards", "cards.lock"),
    ],
)
def test_a_lock_is_beside_its_prompts_file(prompts_file: str, lock: str) -> None:
    assert lock_path(Path(prompts_file)) == Path(lock)


def test_each_shard_has_its_own(tmp_path: Path) -> None:
    cards = tmp_path / "cards.jsonl"
    assert lock_path(cards, (2, 4)) == tmp_path / "cards.2of4.lock"
    others = ["cards.lock", "cards.x.lock", "cards.0of4.lock", "cards2.1of4.lock", "a.1of4.lock"]
    for name in ["cards.2of4.lock", "cards.10of12.lock", *others]:
        (tmp_path / name).touch()
    found = [path.name for path in shard_locks(lock_path(cards))]
    assert found == ["cards.2of4.lock", "cards.10of12.lock"]


def test_paths_are_relative_to_the_lock(tmp_path: Path) -> None:
    places = Places(tmp_path / "cards.lock")
    image = tmp_path / "out" / "é" / "a.jpg"
    assert places.name(image) == "out/é/a.jpg"
    assert places.path("out/é/a.jpg") == image
    assert places.relative(tmp_path.parent / "a.jpg") == "../a.jpg"
    assert places.relative(tmp_path / "a.jpg") == "a.jpg"
    assert places.relative_folder(tmp_path) == "."
    assert places.relative_folder(tmp_path / "out") == "out"
    with pytest.raises(UsageError, match=r"is not in the folder of `cards\.lock`"):
        places.name(tmp_path.parent / "a.jpg")


@NO_LINKS
def test_links_out_of_the_folder_are_left_alone(tmp_path: Path) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for folder in (here / "out", elsewhere):
        folder.mkdir(parents=True)
    (here / "a.jpg").symlink_to(elsewhere / "a.jpg")
    (here / "b.jpg").symlink_to("out/b.jpg")
    (here / "far").symlink_to(elsewhere)
    (tmp_path / "again").symlink_to(here)
    places = Places(tmp_path / "again" / "cards.lock")
    for name in ("a.jpg", "far/a.jpg"):
        with pytest.raises(LockFault, match=f"`{name}` is a link out of the folder"):
            places.path(name)
    for name in ("b.jpg", "out/c.jpg", "new/d.jpg"):
        assert places.path(name) == tmp_path / "again" / name
    assert places.name(here / "out" / "c.jpg") == "out/c.jpg"


def test_a_lock_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "cards.lock"
    for rows in ([row("fox")], [row("owl"), row("fox")]):
        write_lock(path, HEADER, rows)
        read = read_lock(path)
        assert (read.path, read.header) == (path, HEADER)
        assert sorted(read.rows) == sorted(rows)
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "cards.lock").mkdir()
    with pytest.raises(OutputFault):
        write_lock(tmp_path / "cards.lock", HEADER, [row()])


KILLED = """
import sys
sys.path[:0] = sys.argv[2:]
from pathlib import Path
from kontext_cli.lock import write_lock
from lock.locked import HEADER, row
write_lock(Path(sys.argv[1]), HEADER, [row("owl")])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")
@pytest.mark.parametrize(("point", "there"), [("lock-written", "fox"), ("lock-replaced", "owl")])
def test_a_kill_leaves_the_old_lock_or_the_new(tmp_path: Path, point: str, there: str) -> None:
    path = tmp_path / "cards.lock"
    write_lock(path, HEADER, [row("fox")])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, path, str(Path(__file__).parents[1])],
        env=environment({"KONTEXT_TEST_KILL_AT": point}),
        check=False,
    )
    assert killed.returncode == -9
    assert [each.id for each in read_lock(path).rows] == [there]
    write_lock(path, HEADER, [row("fox")])
    assert list(tmp_path.iterdir()) == [path]
