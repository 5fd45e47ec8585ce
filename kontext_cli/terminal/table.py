"""Tables that never pass the window; in a pipe, their full values separated by tabs."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple, TextIO

from kontext_cli.terminal.cells import fitted, width_of, wrapped
from kontext_cli.terminal.printable import escaped
from kontext_cli.terminal.style import DIM, NONE, Line, Piece

_GAP = "  "
_MEASURED = 1_000
_USUAL = 80
_PLAIN = {"…": "~", "–": "-"}
"""In one cell each, as columns are measured before they are cut."""


class Column(NamedTuple):
    """A column of a table.

    ``least`` is the width in cells that it may be cut to, None for one that is never cut. A column
    with a ``rank`` is dropped where there is no room; the one with the highest first.
    """

    heading: str
    least: int | None = None
    rank: int = 0
    right: bool = False


class Cell(NamedTuple):
    """The text of a cell, not yet escaped, its style, and the file it names."""

    text: str
    style: str = NONE
    link: str | None = None


Row = Sequence[Cell]


def window_width(stream: TextIO | None = None) -> int:
    """The columns of the window of a stream, else of standard output; 80 where there is none.

    COLUMNS overrides it.
    """
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        shown = sys.stdout if stream is None else stream
        return (os.get_terminal_size(shown.fileno()).columns if shown else 0) or _USUAL
    except (OSError, ValueError):
        return _USUAL


def is_for_people() -> bool:
    """Whether standard output is a terminal, and not read by a program."""
    return sys.stdout is not None and sys.stdout.isatty()


def tabbed(values: Iterable[str]) -> str:
    """Full values in one line, for programs."""
    return "\t".join(map(escaped, values))


def labeled(label: str, text: str) -> Iterator[str]:
    """A label and an escaped text beside it: on a terminal in as many lines as it takes there."""
    if not is_for_people():
        yield label + text
        return
    for line in wrapped(text, window_width() - len(label)):
        yield label + line
        label = " " * len(label)


def table(columns: Sequence[Column], rows: Iterable[Row], width: int) -> Iterator[Line]:
    """The lines of a table, its headings first, none of them wider than ``width`` cells.

    Columns are as wide as the first thousand rows need: there may be a million.
    """
    shown_as = _substitutes(sys.stdout)
    safe = ([cell._replace(text=shown_as(escaped(cell.text))) for cell in row] for row in rows)
    first = list(islice(safe, _MEASURED))
    natural = [
        max([width_of(column.heading), *(width_of(row[place].text) for row in first)])
        for place, column in enumerate(columns)
    ]
    kept = _kept(columns, natural, width)
    widths = _widths(columns, natural, kept, width)
    shown = [columns[place] for place in kept]
    headings = [Cell(column.heading, DIM) for column in columns]
    for row in chain([headings], first, safe):
        line = _line([row[place] for place in kept], shown, widths, width)
        yield [piece._replace(text=shown_as(piece.text)) for piece in line]


def _substitutes(stream: TextIO | None) -> Callable[[str], str]:
    """Writes what the encoding of a stream lacks in other characters, to be measured as shown."""
    encoding = (stream and stream.encoding) or "utf-8"
    if encoding.lower().startswith("utf"):
        return str
    plain = str.maketrans({each: _PLAIN[each] for each in _PLAIN if not _has(encoding, each)})
    return lambda text: text.translate(plain).encode(encoding, "backslashreplace").decode(encoding)


def _has(encoding: str, character: str) -> bool:
    return character.encode(encoding, "replace").decode(encoding) == character


def _kept(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """The places of the columns that have room at their least width."""
    kept = list(range(len(columns)))
    while _total(_least(columns[place], natural[place]) for place in kept) > width:
        droppable = [place for place in kept if columns[place].rank]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda place: columns[place].rank))
    return kept


def _widths(
    columns: Sequence[Column], natural: Sequence[int], kept: Sequence[int], width: int
) -> list[int]:
    """The width of each column that is kept: the widest of those that may be cut are cut."""
    each = [(natural[place], _least(columns[place], natural[place])) for place in kept]
    for most in range(width, 0, -1):
        widths = [max(min(wide, most), least) for wide, least in each]
        if _total(widths) <= width:
            return widths
    return [least for _, least in each]


def _least(column: Column, natural: int) -> int:
    return natural if column.least is None else min(column.least, natural)


def _total(widths: Iterable[int]) -> int:
    each = list(widths)
    return sum(each) + len(_GAP) * (len(each) - 1)


def _line(
    row: Row, columns: Sequence[Column], widths: Sequence[int], width: int
) -> Iterator[Piece]:
    """The cells of a row side by side, without spaces at its end, and cut to the window."""
    left = width
    last = max((n for n, cell in enumerate(row) if cell.text), default=-1)
    for n, cell in enumerate(row[: last + 1]):
        is_free = columns[n].least is None or n == len(columns) - 1
        room = left if is_free else min(widths[n], left)
        text = fitted(cell.text, room)
        space = " " * (min(widths[n], left) - width_of(text))
        if columns[n].right:
            yield Piece(space)
        yield Piece(text, cell.style, cell.link)
        left -= max(widths[n], width_of(text))
        if n < last and left > len(_GAP):
            yield Piece(("" if columns[n].right else space) + _GAP)
            left -= len(_GAP)
        elif n < last:
            return
