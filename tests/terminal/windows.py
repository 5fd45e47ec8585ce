"""The program on a terminal of a given size, with standard output there or elsewhere."""

import os
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from types import MappingProxyType
from typing import NamedTuple

from processes import run_here, start

TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": None}


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
    encoding: str = "utf-8",
    environ: Mapping[str, str | None] = MappingProxyType({}),
) -> Seen:
    """Run the program in this process, on a terminal of ``size`` columns and rows, of ``cell``
    pixels each.

    With ``pipe``, standard output is none. ``encoding`` is that of the terminal's locale.
    """
    ours, theirs = _opened(size, cell)
    sent = bytearray()
    reader = Thread(target=_read, args=(ours, sent))
    reader.start()
    with TemporaryFile("w+") as piped:
        shown = os.fdopen(theirs, "w", encoding=encoding)
        with shown, os.fdopen(os.dup(theirs)) as typed:
            streams = {"stdin": typed, "stdout": piped if pipe else shown, "stderr": shown}
            code = run_here(*argv, cwd=cwd, environ={**TERMINAL, **environ}, **streams)
        reader.join()
        os.close(ours)
        piped.seek(0)
        return Seen(code, sent.decode(), bytes(piped.buffer.read()))


class SlowWindow:
    """A terminal that takes what is sent to it only when a test reads it."""

    def __init__(self, terminal: int, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self._terminal = terminal
        self._sent = bytearray()

    def until(self, text: bytes) -> None:
        """Read until some text has come, and no more than a little of what follows it."""
        while text not in self._sent:
            self._sent += os.read(self._terminal, 256)

    def rest(self) -> str:
        """Read to the end of the process; all that was sent."""
        _read(self._terminal, self._sent)
        self.process.wait(60)
        return self._sent.decode()


@contextmanager
def slow_window(*argv: str, cwd: Path, size: tuple[int, int] = (200, 60)) -> Iterator[SlowWindow]:
    """Run the program on such a terminal."""
    ours, theirs = _opened(size)
    process = start(*argv, cwd=cwd, environ=TERMINAL, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    try:
        yield SlowWindow(ours, process)
    finally:
        process.kill()
        process.wait(60)
        os.close(ours)


def _opened(size: tuple[int, int], cell: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """The two ends of a new terminal: ours, and that of the program."""
    import fcntl
    import pty
    import termios
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    (columns, rows), (width, height) = size, cell
    pixels = columns * width, rows * height
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, *pixels))
    return ours, theirs


def _read(terminal: int, into: bytearray) -> None:
    with suppress(OSError):  # hung up
        while data := os.read(terminal, 65536):
            into += data
