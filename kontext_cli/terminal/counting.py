"""How far a long command is, on standard error: redrawn on a terminal, a line now and then else."""

import sys
import time
from types import TracebackType
from typing import Self

from kontext_cli.terminal.output import may_draw, to_stderr, write
from kontext_cli.terminal.table import window_width

_REDRAWN_AFTER = 0.1
_PRINTED_AFTER = 5.0
_ERASE = "\r\x1b[K"


class Counting:
    """Shows counts as they rise. A context manager, at whose end what was drawn is removed."""

    def __init__(self, command: str, *, quiet: bool, plain: bool = False) -> None:
        """``plain``: print lines on a terminal, too."""
        self._command = command
        self._draws = may_draw() and not plain
        self._quiet = quiet
        self._wait = _REDRAWN_AFTER if self._draws else _PRINTED_AFTER
        self._next = time.monotonic() + self._wait
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()

    def show(self, count: int, total: int | None, things: str) -> None:
        """``count`` of ``total`` things are done; nothing is printed where that was just done."""
        now = time.monotonic()
        if self._quiet or now < self._next:
            return
        self._next = now + self._wait
        of = f"{count:,}" if total is None else f"{count:,}/{total:,}"
        line = f"{self._command}: {of} {things}"
        if self._draws:
            write(sys.stderr, f"{_ERASE}{line[: window_width(sys.stderr) - 1]}")
            self._drawn = True
        else:
            to_stderr(line)

    def clear(self) -> None:
        """Remove what was drawn."""
        if self._drawn:
            write(sys.stderr, _ERASE)
            self._drawn = False
