"""A few lines at the bottom of the terminal, redrawn in place."""

import os
import sys
from collections.abc import Sequence
from math import ceil

from rich.console import Console
from rich.text import Text

from kontext_cli.terminal.output import write

_LINE_ABOVE = "\x1b[A"
_ERASE_LINE_ABOVE = "\x1b[A\x1b[2K"
"""Line by line: tmux keeps text that is erased at once if it fills the window."""
_ERASE_REST = "\x1b[K"
_ERASE_BELOW = "\x1b[J"
_NO_WRAP = "\x1b[?7l"
"""Cuts the line if the terminal and rich disagree about the width of a character."""
_WRAP = "\x1b[?7h"
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ANY_WIDTH = 80
"""rich prints nothing if COLUMNS is 0; lines are cut by us, not by rich."""


class Drawing:
    """A few lines at the bottom of the terminal, redrawn with one write.

    rich's own live display loses count of its lines when the window becomes narrower, and
    renders again for each line printed above it.
    """

    def __init__(self) -> None:
        self._console = Console(
            stderr=True, markup=False, highlight=False, emoji=False, width=_ANY_WIDTH
        )
        self._widths: list[int] = []
        self.strokes = ("━", "─") if self._can_show("━─") else ("#", "-")
        self._spinner = _SPINNER if self._can_show(_SPINNER) else "|/-\\"

    @property
    def possible(self) -> bool:
        """Whether the terminal supports escape sequences: an old Windows console does not."""
        return not self._console.legacy_windows

    def spinner(self, seconds: float) -> str:
        """The character of a spinner at a time; it turns once a second."""
        return self._spinner[int(seconds * len(self._spinner)) % len(self._spinner)]

    def size(self) -> tuple[int, int]:
        """The current columns and rows of the window."""
        try:
            columns, rows = os.get_terminal_size(sys.stderr.fileno())
        except (OSError, ValueError):
            columns = rows = 0
        return columns or 80, rows or 24

    def draw(self, lines: Sequence[Text], *, above: Sequence[str] = ()) -> None:
        """Replace the lines drawn before by ``lines``, and print ``above`` permanently above them.

        A line drawn in a window that was wider takes several rows: the terminal wrapped it.
        """
        width, _ = self.size()
        drawn = sum(max(ceil(cells / width), 1) for cells in self._widths)
        for line in lines:
            line.truncate(width - 1, overflow="ellipsis")
        self._widths = [line.cell_len for line in lines]
        shown = [f"{self._ansi(line)}{_ERASE_REST}\n" for line in lines]
        if above or not lines:
            parts = ["\r", _ERASE_LINE_ABOVE * drawn, *(f"{line}\n" for line in above)]
        else:
            parts = ["\r", _LINE_ABOVE * drawn]
        write(sys.stderr, "".join([*parts, _NO_WRAP, *shown, _ERASE_BELOW, _WRAP]))

    def _ansi(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, soft_wrap=True, end="")
        encoding = sys.stderr.encoding
        return captured.get().encode(encoding, "replace").decode(encoding)

    def _can_show(self, stroke: str) -> bool:
        try:
            stroke.encode(sys.stderr.encoding)
        except UnicodeEncodeError:
            return False
        return True
