"""Image files on a terminal: how large, side by side, and in which protocol."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import ceil
from pathlib import Path
from typing import NamedTuple, Self, TextIO

from kontext_cli.errors import InputFault
from kontext_cli.files.inputs import read_image_file
from kontext_cli.images.decoding import sniff
from kontext_cli.images.reading import NotAnImage, OtherKind
from kontext_cli.terminal.image_protocols import (
    Drawn,
    Protocol,
    blocks,
    has_true_colour,
    iterm,
    kitty,
    side_by_side,
)
from kontext_cli.terminal.printable import one_line

_GAP = 2
_LEAST_COLUMNS = 20
"""Of each of several images side by side, if the window has as many."""
_ANY_CELL = (10, 20)
"""The pixels of a cell if the terminal does not say: half as wide as high, as in most fonts."""
_MOST_SLENDER = 4
_LONGEST_END = 7
"""Characters that are kept of the end of a long name, where images of one prompt differ."""


class Window(NamedTuple):
    """A terminal's columns and rows, and the width and height of a cell in pixels."""

    columns: int = 80
    rows: int = 24
    cell: tuple[int, int] = _ANY_CELL

    @classmethod
    def of(cls, stream: TextIO | None) -> Self:
        """The window of a terminal; one of 80 × 24 if the stream is none."""
        try:
            columns, rows, width, height = _measured(stream.fileno()) if stream else (0, 0, 0, 0)
        except (OSError, ValueError):
            return cls()
        if not (columns and rows):
            return cls()
        cell = width // columns, height // rows
        is_plausible = 0 < cell[0] <= cell[1] <= _MOST_SLENDER * cell[0]
        return cls(columns, rows, cell if is_plausible else _ANY_CELL)


def _measured(terminal: int) -> tuple[int, int, int, int]:
    """The columns and rows of a terminal, and its width and height in pixels, or 0."""
    if sys.platform == "win32":
        return *os.get_terminal_size(terminal), 0, 0
    import fcntl
    import struct
    import termios

    packed = fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
    rows, columns, width, height = struct.unpack("4H", packed)
    return columns, rows, width, height


class Grid(NamedTuple):
    """Images side by side: ``abreast`` of them, each within ``columns`` × ``rows`` cells.

    Without a protocol nothing is drawn but the captions.
    """

    protocol: Protocol | None
    true_colour: bool
    cell: tuple[int, int]
    columns: int
    rows: int
    abreast: int

    @classmethod
    def within(
        cls,
        window: Window,
        protocol: Protocol | None,
        environ: Mapping[str, str],
        *,
        count: int,
        rows: int,
        width: int | None = None,
    ) -> Self:
        """A grid for ``count`` images of at most ``rows`` rows; of ``width`` columns each, or as
        many as fit side by side."""
        if width is None:
            most = max((window.columns + _GAP) // (_LEAST_COLUMNS + _GAP), 1)
            count = max(count, 1)
            abreast = ceil(count / ceil(count / most))  # 4 are 2 and 2, not 3 and 1
            columns = (window.columns - _GAP * (abreast - 1)) // abreast
        else:
            columns = min(width, window.columns)
            abreast = max((window.columns + _GAP) // (columns + _GAP), 1)
        return cls(
            protocol, has_true_colour(environ), window.cell, max(columns, 1), max(rows, 1), abreast
        )

    def draw(
        self,
        paths: Sequence[Path],
        faults: list[InputFault],
        *,
        names: bool = True,
        facts: bool = False,
    ) -> Iterator[str]:
        """Each row of images, with their ``names`` below, and ``facts``: size and format.

        Files that cannot be shown are left out and added to ``faults``.
        """
        images = self._images(paths, faults, facts=facts)
        while row := list(islice(images, self.abreast)):
            columns = self.columns
            if len(paths) <= self.abreast:
                columns = min(columns, max(map(_widest, row)))
            captions = [_caption(each, columns) for each in row] if names else ()
            line = (" " * _GAP).join(captions).rstrip()
            yield side_by_side([each.drawn for each in row], columns + _GAP, line)

    def _images(
        self, paths: Sequence[Path], faults: list[InputFault], *, facts: bool
    ) -> Iterator["_Captioned"]:
        for path in paths:
            try:
                data = read_image_file(path)
                drawn, (width, height) = self._drawn(data)
                details = f"{width}×{height} {(sniff(data) or '').upper()}" if facts else ""
            except OtherKind as error:
                faults.append(
                    InputFault(f"`{path}` is {error.kind}, not a JPEG, PNG, WebP or GIF image")
                )
            except NotAnImage as error:
                faults.append(InputFault(f"`{path}` is {error.reason}"))
            except OSError as error:
                faults.append(InputFault(f"cannot read `{path}`: {error.strerror or error}"))
            except ValueError:  # a NUL in the name
                faults.append(InputFault(f"cannot read `{path}`: no file has such a name"))
            except InputFault as fault:  # of a store
                faults.append(fault)
            else:
                yield _Captioned(drawn, path.name, details)

    def _drawn(self, data: bytes) -> tuple[Drawn, tuple[int, int]]:
        """An image in cells, and its own size. Raises NotAnImage."""
        if self.protocol == "blocks":
            return self._blocks(data)
        from kontext_cli.images.inline import inline_bytes
        from kontext_cli.images.shrinking import small_copy

        width, height = self.columns * self.cell[0], self.rows * self.cell[1]
        if self.protocol == "kitty":
            copy, size = small_copy(data, width, height)
            return kitty(copy.tobytes(), copy.size, *self._fitting(size)), size
        if self.protocol == "iterm":
            shown, size = inline_bytes(data, width, height)
            return iterm(shown, *self._fitting(size)), size
        return Drawn(0, 0), small_copy(data, 1, 1)[1]

    def _blocks(self, data: bytes) -> tuple[Drawn, tuple[int, int]]:
        """Two pixels a cell, squashed where half a cell is not a square."""
        from kontext_cli.images.shrinking import small_copy

        squash = 2 * self.cell[0] / self.cell[1]
        copy, size = small_copy(data, self.columns, max(int(2 * self.rows / squash), 1))
        height = min(max(round(copy.height * squash), 1), 2 * self.rows)
        if height != copy.height:
            copy = copy.resize((copy.width, height))
        return blocks(copy.tobytes(), copy.size, true_colour=self.true_colour), size

    def _fitting(self, size: tuple[int, int]) -> tuple[int, int]:
        """The columns and rows of an image of ``size`` pixels; nothing is enlarged."""
        width, height = self.cell
        scale = min(self.columns * width / size[0], self.rows * height / size[1], 1)
        rows = min(max(round(size[1] * scale / height), 1), self.rows)
        columns = round(rows * height * size[0] / size[1] / width)
        return min(max(columns, 1), self.columns), rows


class _Captioned(NamedTuple):
    """An image, its file's name, and what else is known of it."""

    drawn: Drawn
    name: str
    facts: str

    @property
    def caption(self) -> str:
        """All that is known of it, in one line."""
        return f"{one_line(self.name)}  {self.facts}".rstrip()


def _widest(image: _Captioned) -> int:
    """The columns of an image or of its caption, if that is wider."""
    from rich.cells import cell_len

    return max(image.drawn.columns, cell_len(image.caption))


def _caption(image: _Captioned, columns: int) -> str:
    """A file's name and, if they fit beside it, its facts, in exactly so many columns."""
    from rich.cells import cell_len, set_cell_size

    text = image.caption if cell_len(image.caption) <= columns else one_line(image.name)
    if cell_len(text) > columns:
        end = text[-_LONGEST_END:] if columns >= _LEAST_COLUMNS else ""
        start = set_cell_size(text, columns - 1 - cell_len(end)).rstrip()
        text = f"{start}…{end}"
    return set_cell_size(text, columns)
