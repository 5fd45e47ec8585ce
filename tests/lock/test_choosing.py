"""Which of several lines of a row counts, and what is said of a row that changed."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.errors import LockFault
from kontext_cli.lock import LockedInput, LockedRow, changes, choose, encode_lock, parse_lock
from lock.locked import HEADER, PATH, row, sha

NOW = row()
OLD = row(request=sha("an older request"))
OTHER = row(seed=8)


def chosen(there: Collection[LockedRow], *locked: LockedRow) -> LockedRow:
    lines = parse_lock(encode_lock(HEADER, locked), PATH).lines["fox"]
    return choose(lines, NOW.request, lambda row: row in list(there), lock=PATH)


def test_the_only_line_counts_whatever_it_says() -> None:
    assert chosen([], OLD) == OLD


@pytest.mark.parametrize(
    ("there", "others"), [([NOW], [OLD]), ([NOW, OLD], [OLD]), ([NOW], [OTHER])]
)
def test_the_line_of_the_row_and_the_images_of_now_counts(
    there: list[LockedRow], others: list[LockedRow]
) -> None:
    assert chosen(there, NOW, *others) == NOW


@pytest.mark.parametrize(
    ("there", "which"),
    [([], "none of them fits"), ([OLD], "none of them fits"), ([NOW, OTHER], "several of them")],
)
def test_otherwise_it_is_a_mistake_with_all_lines(there: list[LockedRow], which: str) -> None:
    with pytest.raises(LockFault, match=f"lines 2 and 3 and 4 are of one row, `fox`, and {which}"):
        chosen(there, NOW, OLD, OTHER)


PHOTO = LockedInput("photo.jpg", sha("a photo"))


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"prompt": sha("owl")}, ["prompt"]),
        ({"provider": "bfl", "model": "kontext-max"}, ["provider", "model"]),
        ({"options": {"aspect_ratio": "1:1", "seed": 3}}, ["aspect_ratio", "seed"]),
        ({"options": {}}, ["aspect_ratio"]),
        ({"inputs": (PHOTO._replace(sha256=sha("another")),)}, ["images"]),
        ({"inputs": (PHOTO._replace(path="moved.jpg"),)}, ["request"]),
        ({"inputs": (LockedInput("https://example.com/a.jpg", None),)}, ["images"]),
        ({}, ["request"]),
    ],
)
def test_changes_are_named(change: dict[str, Any], names: list[str]) -> None:
    before = row(inputs=(PHOTO,))
    assert changes(before, before._replace(request=sha("other"), **change)) == names
    assert changes(before, before._replace(**change)) == []


def test_a_fault_names_the_lock() -> None:
    lines = parse_lock(encode_lock(HEADER, [NOW, OLD]), PATH).lines["fox"]
    with pytest.raises(LockFault, match=r"^`a/b\.lock`: "):
        choose(lines, "", lambda _row: False, lock=Path("a/b.lock"))
