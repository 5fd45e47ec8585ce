"""Images on a grid: whatever their size and that of the window, they lie where there is room."""

import re
from collections.abc import Sequence
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.cells import cell_len

from kontext_cli.terminal.image_protocols import Protocol
from kontext_cli.terminal.preview import Grid, Window
from terminal.images_drawn import GRAPHICS, keys_of

SIDES = st.sampled_from([1, 2, 9, 40, 300, 900])
CELLS = st.sampled_from([(10, 20), (9, 20), (8, 8), (20, 41)])
QUICK = settings(deadline=None, max_examples=50)
TRUE_COLOUR = {"COLORTERM": "truecolor"}
NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=40)
TOKEN = re.compile(rf"{GRAPHICS.pattern}|\x1b\[\d*[A-Zm]|\x1b[78]|.", re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("images")


class Paper:
    """A terminal of so many rows, the cursor in its last one; where images lie on all its lines."""

    def __init__(self, height: int) -> None:
        self.lines = [""] * height
        self.images: list[tuple[int, int, int, int]] = []
        self._height = height
        self._row, self._column = height - 1, 0
        self._saved = (0, 0)

    def feed(self, sent: str) -> None:
        for match in TOKEN.finditer(sent):
            token = match[0]
            if match[1] is not None or match[3] is not None:
                self._place(match[1], match[3])
            elif token == "\x1b7":
                self._saved = (self._row, self._column)
            elif token == "\x1b8":
                self._row, self._column = self._saved
            elif token.startswith("\x1b"):
                self._move(int(token[2:-1] or 1), token[-1])
            elif token == "\n":
                self._row, self._column = self._row + 1, 0
                self.lines += [""] * (self._row + 1 - len(self.lines))
            elif token == "\r":
                self._column = 0
            else:
                assert len(self.lines[self._row]) == self._column
                self.lines[self._row] += token
                self._column += 1

    def _move(self, count: int, way: str) -> None:
        if way == "G":
            self._column = count - 1
        else:
            self._row += {"A": -count, "B": count}[way]
        assert len(self.lines) - self._height <= self._row < len(self.lines)

    def _place(self, kitty: str | None, iterm: str | None) -> None:
        keys = keys_of(kitty, ",") if kitty else keys_of(iterm or "", ";")
        if "inline" in keys or "a" in keys:  # the first of an image
            columns = int(keys.get("c") or keys["width"])
            rows = int(keys.get("r") or keys["height"])
            self.images.append((self._row, self._column, rows, columns))


@QUICK
@given(
    sizes=st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=4),
    window=st.builds(Window, st.integers(1, 90), st.integers(3, 30), CELLS),
    width=st.none() | st.integers(1, 100),
    names=st.booleans(),
    protocol=st.sampled_from(["kitty", "iterm"]),
)
def test_pixels_lie_on_free_cells(
    folder: Path,
    sizes: Sequence[tuple[int, int]],
    window: Window,
    width: int | None,
    names: bool,
    protocol: Protocol,
) -> None:
    paper = Paper(window.rows)
    grid = _grid(window, protocol, len(sizes), width)
    for row in grid.draw([_image(folder, size) for size in sizes], [], names=names):
        paper.feed(row + "\n")
    assert len(paper.images) == len(sizes)
    taken: set[tuple[int, int]] = set()
    for top, left, rows, columns in paper.images:
        cells = {(top + y, left + x) for y in range(rows) for x in range(columns)}
        assert not cells & taken
        assert left + columns <= window.columns
        assert not any(paper.lines[top : top + rows])
        assert len(paper.lines) > top + rows  # the prompt stands below
        taken |= cells
    assert max(map(len, paper.lines)) <= window.columns


@QUICK
@given(
    size=st.tuples(SIDES, SIDES),
    window=st.builds(Window, st.integers(1, 200), st.integers(3, 60), CELLS),
    width=st.none() | st.integers(1, 300),
)
def test_blocks_fill_no_more_than_they_may(
    folder: Path, size: tuple[int, int], window: Window, width: int | None
) -> None:
    grid = _grid(window, "blocks", 1, width)
    [drawn] = grid.draw([_image(folder, size)], [], names=False)
    lines = re.sub(r"\x1b\[[\d;]*m", "", drawn).split("\n")
    assert len({*lines}) == 1
    assert 1 <= len(lines[0]) <= min(window.columns, width or 200)
    assert 1 <= len(lines) <= window.rows - 2


@QUICK
@given(
    size=st.tuples(st.integers(100, 2000), st.integers(100, 2000)),
    window=st.builds(Window, st.integers(60, 200), st.integers(30, 60), CELLS),
)
def test_images_keep_their_shape(folder: Path, size: tuple[int, int], window: Window) -> None:
    paper = Paper(window.rows)
    for row in _grid(window, "kitty", 1, None).draw([_image(folder, size)], [], names=False):
        paper.feed(row)
    [(_, _, rows, columns)] = paper.images
    width, height = window.cell
    cells = min(rows, columns)
    assert columns * width / (rows * height) == pytest.approx(size[0] / size[1], rel=1.1 / cells)
    assert rows * height <= size[1] + height


@QUICK
@given(name=NAMES, columns=st.integers(1, 60), facts=st.booleans())
def test_captions_are_text_that_fits(folder: Path, name: str, columns: int, facts: bool) -> None:
    path = folder / "named"
    path.mkdir(exist_ok=True)
    try:
        image = (path / name).resolve()
        image.write_bytes(_image(folder, (9, 9)).read_bytes())
    except OSError:  # no name here: `.`, or too long
        return
    grid = _grid(Window(columns), None, 1, None)
    [drawn] = grid.draw([image], [], facts=facts)
    assert cell_len(drawn) <= columns
    assert not {category(each) for each in drawn} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _grid(window: Window, protocol: Protocol | None, count: int, width: int | None) -> Grid:
    rows = window.rows - 2
    return Grid.within(window, protocol, TRUE_COLOUR, count=count, rows=rows, width=width)


def _image(folder: Path, size: tuple[int, int]) -> Path:
    path = folder / f"{size[0]}x{size[1]}.png"
    if not path.exists():
        Image.new("RGB", size, "teal").save(path)
    return path
