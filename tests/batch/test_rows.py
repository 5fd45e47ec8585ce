"""Where rows come from, what a batch is known by, and which rows a run takes."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kontext_cli.batch.part import Part, in_shard, parse_shard
from kontext_cli.batch.sources import batch_id, rows_of_files, rows_of_images
from kontext_cli.errors import InputFault, UsageError
from kontext_cli.prompts import Row


def no_stdin() -> BinaryIO:
    raise AssertionError("standard input was read")


def images_of(*sources: str, made: frozenset[Path] = frozenset()) -> list[str]:
    """The image of each row, in order."""
    rows = rows_of_images("make it winter", sources, made=lambda: made).rows
    assert [row.index for row in rows] == list(range(1, len(rows) + 1))
    return [row.values["images"][0] for row in rows]


class TestShards:
    @given(st.sets(st.text(max_size=8)), st.integers(1, 7))
    def test_every_row_is_in_exactly_one(self, keys: set[str], shards: int) -> None:
        for key in keys:
            assert sum(in_shard(key, shard, shards) for shard in range(1, shards + 1)) == 1

    @pytest.mark.parametrize("shards", range(2, 8))
    def test_none_is_left_without_work(self, shards: int) -> None:
        keys = [f"id:{n}" for n in range(50 * shards)]
        for shard in range(1, shards + 1):
            assert 25 < sum(in_shard(key, shard, shards) for key in keys) < 75

    def test_a_shard_is_the_same_on_every_machine(self) -> None:
        keys = [f"id:{n}" for n in range(20)]
        first = [n for n in range(20) if in_shard(keys[n], 1, 3)]
        assert first == [0, 1, 5, 8, 9, 10, 12, 15]

    @pytest.mark.parametrize(
        ("given", "read"), [("1/1", (1, 1)), ("2/7", (2, 7)), ("07/010", (7, 10))]
    )
    def test_are_written_as_fractions(self, given: str, read: tuple[int, int]) -> None:
        assert parse_shard(given) == read

    @pytest.mark.parametrize(
        "given", ["0/3", "4/3", "1/0", "1", "/3", "1/", "-1/3", "1/3/5", "1 / 3", "a/b", "", "١/٣"]
    )
    def test_that_are_none_are_refused(self, given: str) -> None:
        with pytest.raises(UsageError, match="--shard should be I/N"):
            parse_shard(given)


class TestPart:
    ROWS = (
        Row(1, 1, {"id": "fox", "prompt": "a"}),
        Row(2, 2, {"prompt": "b"}),
        Row(3, 3, {"id": "3", "prompt": "c"}),
        Row(4, 4, {"prompt": "d"}),
    )

    def taken(self, rows: Sequence[Row] = ROWS, **given: Any) -> set[int]:
        """The numbers of the rows that are part of a run; each is known by its prompt."""
        part = Part(rows, **given)
        return {row.index for row in rows if part.takes(row, row.values["prompt"])}

    @pytest.mark.parametrize(
        ("given", "indexes"),
        [
            ({}, {1, 2, 3, 4}),
            ({"only": "fox"}, {1}),
            ({"only": "2"}, {2}),
            ({"only": "fox,2, 4"}, {1, 2, 4}),
            ({"only": "1,fox"}, {1}),
            ({"only": "fox,,"}, {1}),
            ({"limit": 0}, set()),
            ({"limit": 2}, {1, 2}),
            ({"limit": 9}, {1, 2, 3, 4}),
            ({"only": "2,3,4", "limit": 2}, {2, 3}),
            ({"shard": "1/1", "limit": 1}, {1}),
        ],
    )
    def test_is_named_by_id_number_and_count(
        self, given: dict[str, Any], indexes: set[int]
    ) -> None:
        assert self.taken(**given) == indexes

    def test_an_id_comes_before_a_number(self) -> None:
        rows = [Row(1, 1, {"id": "2", "prompt": "a"}), Row(2, 2, {"prompt": "b"})]
        assert self.taken(rows, only="2") == {1}

    @pytest.mark.parametrize(
        ("only", "hint"), [("fux", "did you mean `fox`?"), ("99", "by id or number")]
    )
    def test_a_row_that_is_not_there_is_a_mistake(self, only: str, hint: str) -> None:
        with pytest.raises(UsageError, match="there is no row") as refused:
            self.taken(only=only)
        assert hint in (refused.value.hint or "")

    def test_the_limit_counts_rows_of_the_shard(self) -> None:
        shards = [self.taken(shard=f"{n}/2") for n in (1, 2)]
        assert [self.taken(shard=f"{n}/2", limit=1) for n in (1, 2)] == [
            set(sorted(shard)[:1]) for shard in shards
        ]


class TestImages:
    def test_of_a_folder_are_its_images_in_their_natural_order(self, tmp_path: Path) -> None:
        names = ["img-10.png", "img-9.jpg", "Img-1.PNG", "b.webp", "a.gif", "c7.jpeg", "c10.jpg"]
        others = [".hidden.png", "notes.txt", "noext", "movie.mp4", "a.png.part"]
        for name in names + others:
            (tmp_path / name).touch()
        (tmp_path / "folder.png").mkdir()
        (tmp_path / "folder.png" / "deeper.png").touch()
        found = [Path(image).name for image in images_of(str(tmp_path))]
        assert found == [
            "a.gif",
            "b.webp",
            "c7.jpeg",
            "c10.jpg",
            "Img-1.PNG",
            "img-9.jpg",
            "img-10.png",
        ]

    @settings(max_examples=30)
    @given(st.lists(st.text("a1٣²-", min_size=1, max_size=5), unique=True, max_size=6))
    def test_any_names_can_be_put_in_order(self, names: list[str]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                Path(folder, f"{name}.png").touch()
            found = images_of(folder) if names else []
        assert sorted(Path(image).stem for image in found) == sorted(names)

    def test_are_taken_as_they_are_typed_and_once(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").touch()
        (tmp_path / "b.png").touch()
        a, b = str(tmp_path / "a.png"), str(tmp_path / "b.png")
        url = "https://example.com/c.png"
        assert images_of(b, url, str(tmp_path), b, url) == [b, url, a]

    def test_that_the_batch_made_are_left_out_of_folders(self, tmp_path: Path) -> None:
        for name in ("a.png", "a-edit.png"):
            (tmp_path / name).touch()
        made = frozenset({tmp_path / "a-edit.png"})
        assert images_of(str(tmp_path), made=made) == [str(tmp_path / "a.png")]
        named = str(tmp_path / "a-edit.png")
        assert images_of(named, made=made) == [named]

    def test_one_image_under_two_spellings_is_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "a.png").touch()
        monkeypatch.chdir(tmp_path)
        assert images_of("a.png", "./a.png", str(tmp_path / "a.png")) == ["a.png"]

    def test_an_empty_folder_is_a_mistake(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="no images to edit"):
            images_of(str(tmp_path))


class TestFiles:
    @pytest.mark.parametrize("name", ["none.txt", "folder", "a\0b.txt"])
    def test_that_cannot_be_read_are_told(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "folder").mkdir()
        with pytest.raises(InputFault, match="cannot read"):
            rows_of_files([name], no_stdin)


class TestIdentity:
    def test_is_that_of_the_folder_however_it_is_spelled(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        spellings = ("out", "out/../out", "./out")
        assert len({batch_id(("x",), tmp_path / each) for each in spellings}) == 1

    @pytest.mark.skipif(sys.platform == "win32", reason="links take a privilege there")
    def test_is_that_of_the_folder_a_link_leads_to(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "link").symlink_to("out")
        assert batch_id(("x",), tmp_path / "link") == batch_id(("x",), tmp_path / "out")

    def test_is_another_for_another_folder_or_file(self, tmp_path: Path) -> None:
        ids = {
            batch_id(identity, tmp_path / folder)
            for identity in (("a",), ("b",), ("each", "a"), ("each", "b"))
            for folder in ("x", "y")
        }
        assert len(ids) == 8

    def test_of_a_file_is_its_path_however_it_is_spelled(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "p.txt").write_text("a fox\n")
        monkeypatch.chdir(tmp_path)
        found = {
            tuple(rows_of_files([name], no_stdin).identity)
            for name in ("p.txt", "./p.txt", str(tmp_path / "p.txt"))
        }
        assert found == {(os.path.realpath("p.txt"),)}
