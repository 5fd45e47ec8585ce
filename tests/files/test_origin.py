"""Machines that share a journal, and the names of files on each."""

from pathlib import Path

import pytest

from kontext_cli.errors import JournalFault
from kontext_cli.files.origin import lacks_access, moved_here, origin_here
from kontext_cli.files.place import place
from kontext_cli.job import File, Origin, Target

THERE = Origin("1" * 16, "build-1", Path("/work"))
HERE = Origin("2" * 16, "build-1", Path("/home/b"))


def test_a_machine_is_known_by_its_state_folder(tmp_path: Path) -> None:
    first = origin_here(tmp_path / "a")
    assert first == origin_here(tmp_path / "a")
    assert first.machine != origin_here(tmp_path / "b").machine
    assert first.folder == Path.cwd()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["machine"]


@pytest.mark.parametrize("content", [b"", b"../../etc\n", b"\xff"])
def test_a_damaged_name_of_a_machine_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "machine").write_bytes(content)
    with pytest.raises(JournalFault, match="machine"):
        origin_here(tmp_path)


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/work/out/fox.jpg", "/home/b/out/fox.jpg"),
        ("/srv/images/fox.jpg", "/srv/images/fox.jpg"),
        ("s3://images/fox.jpg", "s3://images/fox.jpg"),
    ],
)
def test_relative_names_belong_to_the_folder_here(path: str, here: str) -> None:
    target = Target((place(path),), overwrite=True, origin=THERE)
    moved = moved_here(target, HERE)
    assert [str(each) for each in moved.paths] == [str(place(here))]
    assert moved.overwrite
    assert moved.origin == HERE


@pytest.mark.parametrize(
    ("origin", "here"), [(None, HERE), (THERE, None), (THERE, THERE), (None, None)]
)
def test_names_of_the_same_machine_stay(origin: Origin | None, here: Origin | None) -> None:
    target = Target((Path("/work/fox.jpg"),), origin=origin)
    assert moved_here(target, here) is target


def test_files_in_a_store_are_within_reach_of_all() -> None:
    target = Target((), origin=THERE)
    local = File(Path("/work/fox.jpg"), "0" * 64, 1, 1, 1, "jpeg")
    assert lacks_access(local, target, HERE)
    assert not lacks_access(local._replace(path=place("s3://images/fox.jpg")), target, HERE)
    assert not lacks_access(local, target, THERE)
