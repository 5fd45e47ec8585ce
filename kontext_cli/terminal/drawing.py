"""A few lines at the bottom of the terminal, redrawn in place."""

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from kontext_cli.terminal.output import write_drawing

_ERASE_LINE = "\x1b[2K"
"""All of it, as tmux remembers of a line in part erased that it went on in the next one."""
_ERASE_ALL = "\r\x1b[2K \x1b[J\r\x1b[2K"
"""The cursor's line and all below it. Not with one sequence: what tmux erases from the top left
corner, it keeps in its history."""
_NO_WRAP = "\x1b[?7l"
"""Cuts the line if the terminal and rich disagree about the width of a character."""
_WRAP = "\x1b[?7h"
_ANY_WIDTH = 80
"""rich prints nothing if COLUMNS is 0; lines are cut by us, not by rich."""


class Strokes(NamedTuple):
    """The characters of the view: of bars, their full and empty part, and what joins and cuts."""

    full: str
    empty: str
    arrow: str
    cut: str
    spinner: str


FINE = Strokes("━", "─", "→", "…", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
ASCII = Strokes("#", "-", "->", "...", "|/-\\")


class Drawing:
    """A few lines at the bottom of the terminal, redrawn with one write.

    The cursor rests at the first of them. A terminal that breaks lines anew for another width
    keeps the cursor with its text, so that everything from there on is ours to be erased, and
    nothing above. rich's own live display counts rows upward, and loses count.
    """

    def __init__(self) -> None:
        self._console = Console(
            stderr=True, markup=False, highlight=False, emoji=False, width=_ANY_WIDTH
        )
        self._drawn_in: tuple[int, int] | None = None
        self._encoding = sys.stderr.encoding
        self.strokes = FINE if self._can_show("".join(FINE)) else ASCII

    @property
    def possible(self) -> bool:
        """Whether the terminal supports escape sequences: an old Windows console does not."""
        return not self._console.legacy_windows

    def size(self) -> tuple[int, int]:
        """The current columns and rows of the window."""
        try:
            columns, rows = os.get_terminal_size(sys.stderr.fileno())
        except (OSError, ValueError):
            columns = rows = 0
        return columns or 80, rows or 24

    def shown(self, text: str) -> str:
        """Text with what the encoding of the terminal lacks replaced, to be measured as shown."""
        return text.encode(self._encoding, "replace").decode(self._encoding)

    def draw(self, lines: Sequence[Text], *, above: Sequence[str] = ()) -> None:
        """Replace the lines drawn before by ``lines``, and print ``above`` permanently above them.

        Lines have to be narrower than the window, and fewer than its rows. None are drawn while
        the process is in the background, where others use the terminal.
        """
        size = self.size()
        is_moved = bool(above) or not lines or size != self._drawn_in
        parts = [_ERASE_ALL if self._drawn_in and is_moved else "\r"]
        parts += [f"{line}\n" for line in above]
        if not self._in_foreground():
            lines = ()
        if lines:
            back = f"\x1b[{len(lines) - 1}A" if len(lines) > 1 else ""
            drawn = "\n".join(f"{_ERASE_LINE}{self._ansi(line)}" for line in lines)
            parts.append(f"{_NO_WRAP}{drawn}\x1b[J{_WRAP}{back}\r")
        if lines or above or self._drawn_in:
            write_drawing(sys.stderr, "".join(parts))
        self._drawn_in = size if lines else None

    def erase_at_once(self) -> None:
        """Remove the lines in the midst of anything else, such as a write: in a signal handler."""
        if self._drawn_in:
            os.write(sys.stderr.fileno(), f"{_WRAP}{_ERASE_ALL}".encode("ascii"))
            self._drawn_in = None

    def _ansi(self, line: Text) -> str:
        with self._console.capture() as captured:
            self._console.print(line, soft_wrap=True, end="")
        return self.shown(captured.get())

    def _in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(sys.stderr.fileno()) == os.getpgrp()
        except (AttributeError, OSError):  # Windows; a terminal of another session
            return True

    def _can_show(self, strokes: str) -> bool:
        return self.shown(strokes) == strokes
