"""The program on a terminal of a given size, with standard output there or elsewhere."""

import os
import struct
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple

from processes import PROGRAM, environment


class Seen(NamedTuple):
    """How a run ended: its exit code, what the terminal was sent, and what a pipe was."""

    code: int
    sent: str
    piped: bytes = b""


def on_window(
    *argv: str,
    cwd: Path,
    size: tuple[int, int] = (80, 24),
    cell: tuple[int, int] = (0, 0),
    pipe: bool = False,
    environ: Mapping[str, str | None] = MappingProxyType({}),
) -> Seen:
    """Run the program on a terminal of ``size`` columns and rows, of ``cell`` pixels each.

    With ``pipe``, standard output is a pipe.
    """
    import fcntl
    import pty
    import termios
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    (columns, rows), (width, height) = size, cell
    pixels = columns * width, rows * height
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, *pixels))
    terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": None}
    process = subprocess.Popen(
        [*PROGRAM, *argv],
        cwd=cwd,
        env=environment({**terminal, **environ}),
        stdin=theirs,
        stdout=subprocess.PIPE if pipe else theirs,
        stderr=theirs,
    )
    os.close(theirs)
    sent = bytearray()
    reader = Thread(target=_read, args=(ours, sent))
    reader.start()
    piped, _ = process.communicate(timeout=60)
    reader.join()
    os.close(ours)
    return Seen(process.returncode, sent.decode(), piped or b"")


def _read(terminal: int, into: bytearray) -> None:
    with suppress(OSError):  # hung up
        while data := os.read(terminal, 65536):
            into += data
