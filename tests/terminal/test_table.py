"""Tables: what is cut, what is dropped, and what stands in their cells."""

import sys
from io import BytesIO, TextIOWrapper

import pytest

from kontext_cli.terminal.cells import width_of
from kontext_cli.terminal.style import Line, pieces_of
from kontext_cli.terminal.table import Cell, Column, tabbed, table

COLUMNS = [
    Column("id"),
    Column("cost", rank=2, right=True),
    Column("prompt", least=6),
    Column("file", least=6, rank=5),
]


def lines(width: int, *rows: tuple[str, ...]) -> list[str]:
    return [text(line) for line in table(COLUMNS, [list(map(Cell, row)) for row in rows], width)]


def text(line: Line) -> str:
    return "".join(piece.text for piece in pieces_of(line))


FOX = ("1q3x", "$0.04", "a red fox in the snow", "a-red-fox.jpg")
OWL = ("1q40", "free", "an owl", "")


def test_a_table_that_has_room() -> None:
    assert lines(80, FOX, OWL) == [
        "id     cost  prompt                 file",
        "1q3x  $0.04  a red fox in the snow  a-red-fox.jpg",
        "1q40   free  an owl",
    ]


def test_the_widest_columns_are_cut_first() -> None:
    assert lines(40, FOX, OWL) == [
        "id     cost  prompt        file",
        "1q3x  $0.04  a red fox i…  a-red-fox.jpg",
        "1q40   free  an owl",
    ]


def test_columns_are_dropped_in_the_order_of_their_rank() -> None:
    assert lines(22, FOX, OWL)[0].split() == ["id", "cost", "prompt"]
    assert lines(14, FOX, OWL)[0].split() == ["id", "prompt"]


@pytest.mark.parametrize("width", range(1, 60))
def test_no_width_is_too_small(width: int) -> None:
    wide = ("1q41", "?", "灯台と霧の中の小さな船", "灯台.jpg")
    for line in lines(width, FOX, OWL, wide):
        assert width_of(line) <= width
        assert not line.endswith(" ")


def test_later_rows_do_not_widen_the_table() -> None:
    rows = [OWL] * 1_000 + [FOX]
    shown = lines(80, *rows)
    assert len(shown) == 1_002
    assert shown[-1] == "1q3x  $0.04  a red…  a-red-fox.jpg"


def test_cells_are_one_line_of_text() -> None:
    assert "a\\nfox\\x1b[2J" in lines(80, ("1", "", "a\nfox\x1b[2J", ""))[1]


def test_values_for_programs_are_whole() -> None:
    assert tabbed(["a\tb", "c\nd", ""]) == "a\\tb\tc\\nd\t"


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_moves_no_column(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    stream = TextIOWrapper(BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    wide = ("1q41", "–", "a wolf, 灯台と霧の中", "wolf.jpg")
    for width in (80, 40):
        heading, *rows = lines(width, FOX, wide)
        place = heading.index("prompt")
        for line in rows:
            assert width_of(line) <= width
            assert line.encode(encoding).decode(encoding)[place:].startswith("a ")
