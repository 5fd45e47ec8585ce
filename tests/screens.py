"""The program on a terminal of a given width: what it sends there, and what into pipes."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from hostile.pseudo import Terminal
from processes import PROGRAM, environment

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
    """Run the program to its end; ``out`` and ``err`` are whether that stream is a terminal."""
    opened = Terminal(columns=columns)
    try:
        done = subprocess.run(
            [*PROGRAM, *argv],
            cwd=cwd,
            env=environment({**PLAIN, **environ}),
            stdin=subprocess.DEVNULL,
            stdout=opened.theirs if out else subprocess.PIPE,
            stderr=opened.theirs if err else subprocess.PIPE,
            timeout=60,
            check=False,
        )
        shown = opened.sent()
    finally:
        opened.close()
    streams = [shown, done.stdout or b"", done.stderr or b""]
    return Screen(done.returncode, *(each.decode() for each in streams))
