"""The program on a terminal of a given width: what it sends there, and what into pipes."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType
from typing import NamedTuple, TextIO

from hostile.pseudo import Terminal
from processes import run_here

PLAIN = {"NO_COLOR": None, "FORCE_COLOR": None, "COLUMNS": None, "TERM": "xterm-256color"}
"""The environment of a terminal about which nothing is known."""
_AS_IS: Mapping[str, str | None] = MappingProxyType({})


class Screen(NamedTuple):
    """What one run came to; ``out`` and ``err`` are empty where they are the terminal."""

    code: int
    terminal: str
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The lines on the terminal."""
        return self.terminal.splitlines()


def on_screen(
    *argv: str,
    cwd: Path,
    columns: int = 80,
    out: bool = True,
    err: bool = True,
    environ: Mapping[str, str | None] = _AS_IS,
) -> Screen:
    """Run the program to its end, in this process; ``out`` and ``err`` are whether that stream is
    a terminal."""
    opened = Terminal(columns=columns)
    with ExitStack() as stack:
        stack.callback(opened.close)
        stdin = stack.enter_context(Path(os.devnull).open())
        streams = [
            opened.stream if on_terminal else stack.enter_context(TemporaryFile("w+"))
            for on_terminal in (out, err)
        ]
        code = run_here(
            *argv,
            cwd=cwd,
            environ={**PLAIN, **environ},
            stdin=stdin,
            stdout=streams[0],
            stderr=streams[1],
        )
        shown = opened.sent().decode()
        piped = ["" if stream is opened.stream else _all_of(stream) for stream in streams]
    return Screen(code, shown, *piped)


def _all_of(file: TextIO) -> str:
    file.seek(0)
    return file.read()
