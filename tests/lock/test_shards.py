"""The locks of shards, united into that of all rows."""

from pathlib import Path

import pytest

from kontext_cli.errors import LockFault, UsageError
from kontext_cli.lock import LockedRow, encode_lock, shard_locks, shard_of, unite, write_lock
from lock.locked import HEADER, row, rows_of

WHOLE = "cards.lock"
NAMES = ("ant", "bat", "cat", "dog", "~0123456789ab-1")


def shard(folder: Path, name: str, *rows: LockedRow) -> Path:
    path = folder / name
    write_lock(path, HEADER, rows)
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cards.1of4.lock", (1, 4)),
        ("cards.12of100.lock", (12, 100)),
        ("cards.5of4.lock", None),
        ("cards.0of4.lock", None),
        ("cards.01of4.lock", None),
        ("cards.lock", None),
        ("other.1of4.lock", None),
        ("cards.v2.1of4.lock", None),
        ("cards1of4.lock", None),
        ("cards.1of4.lock.bak", None),
    ],
)
def test_names_of_shards(name: str, expected: tuple[int, int] | None) -> None:
    assert shard_of(Path(WHOLE), Path(name)) == expected


def test_they_are_found_in_their_order(tmp_path: Path) -> None:
    for name in ("cards.10of10.lock", "cards.2of10.lock", "cards.lock", "other.1of10.lock"):
        (tmp_path / name).touch()
    names = [path.name for path in shard_locks(tmp_path / WHOLE)]
    assert names == ["cards.2of10.lock", "cards.10of10.lock"]


def test_the_bytes_are_those_of_one_lock(tmp_path: Path) -> None:
    whole = tmp_path / WHOLE
    paths = [
        shard(tmp_path, f"cards.{number}of5.lock", row(name))
        for number, name in enumerate(reversed(NAMES), start=1)
    ]
    assert unite(whole).shards == paths
    assert whole.read_bytes() == encode_lock(HEADER, map(row, NAMES))
    assert [path.name for path in tmp_path.iterdir()] == [WHOLE]


def test_rows_of_shards_take_the_place_of_those_there(tmp_path: Path) -> None:
    whole = shard(tmp_path, WHOLE, row("ant"), row("bat", seed=1), row("gone"))
    shard(tmp_path, "cards.2of2.lock", row("bat", seed=2))
    assert unite(whole).missing == [(1, 2)]
    assert rows_of(whole.read_bytes()) == [row("ant"), row("bat", seed=2), row("gone")]


def test_uniting_again_changes_nothing(tmp_path: Path) -> None:
    """As after a kill between the lock and the removal of those of the shards."""
    whole = tmp_path / WHOLE
    path = shard(tmp_path, "cards.1of1.lock", row("ant"))
    copy = path.read_bytes()
    unite(whole)
    before = whole.read_bytes()
    path.write_bytes(copy)
    unite(whole)
    assert whole.read_bytes() == before


@pytest.mark.parametrize(
    ("shards", "kind", "words"),
    [
        ({}, UsageError, "there is no lock of a shard beside"),
        (
            {"cards.1of2.lock": [row()], "cards.1of4.lock": [row("ant")]},
            UsageError,
            "there are locks of 2 shards and of 4",
        ),
        (
            {"cards.1of2.lock": [row()], "cards.2of2.lock": [row(seed=8)]},
            LockFault,
            "cards.2of2.lock` and another shard differ in row `fox`",
        ),
    ],
)
def test_what_cannot_be_united_stays(
    tmp_path: Path, shards: dict[str, list[LockedRow]], kind: type[Exception], words: str
) -> None:
    for name, rows in shards.items():
        shard(tmp_path, name, *rows)
    with pytest.raises(kind, match=words):
        unite(tmp_path / WHOLE)
    assert {path.name for path in tmp_path.iterdir()} == {*shards}


def test_the_lock_of_another_file_is_not_of_a_shard(tmp_path: Path) -> None:
    path = tmp_path / "cards.1of2.lock"
    write_lock(path, HEADER._replace(prompts_file="cards.1of2.jsonl"), [row()])
    with pytest.raises(LockFault, match=r"is the lock of `cards.1of2.jsonl`, not of a shard"):
        unite(tmp_path / WHOLE)
    assert path.exists()


def test_shards_with_other_flags_stay(tmp_path: Path) -> None:
    shard(tmp_path, "cards.1of2.lock", row())
    write_lock(tmp_path / "cards.2of2.lock", HEADER._replace(output_dir="."), [row("ant")])
    with pytest.raises(LockFault, match="were written with different flags"):
        unite(tmp_path / WHOLE)
    assert len(list(tmp_path.iterdir())) == 2
