"""Pseudo terminals: what a program sends to one, byte for byte."""

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from threading import Thread

import pytest

from processes import PROGRAM, environment

END = b"\x1b[99m"
"""A sequence without effect: all that was sent before it has arrived."""
COLUMNS, ROWS = 8_000, 2_100
"""So wide and high that nothing has to be cut."""


class Terminal:
    """A pseudo terminal in place of both streams of this process, or for a process of its own."""

    def __init__(self, *, encoding: str = "utf-8", columns: int = COLUMNS) -> None:
        import fcntl
        import pty
        import termios
        import tty

        self._ours, self.theirs = pty.openpty()
        tty.setraw(self.theirs)
        size = struct.pack("HHHH", ROWS, columns, 0, 0)
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, size)
        self._arrived: Queue[bytes] = Queue()
        self.stream = os.fdopen(
            os.dup(self.theirs), "w", encoding=encoding, errors="backslashreplace"
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def sent(self) -> bytes:
        """All that was sent since the last time."""
        self.stream.flush()
        os.write(self.theirs, END)
        data = b""
        while not data.endswith(END):
            data += self._arrived.get(timeout=60)
        return data.removesuffix(END)

    def until(self, text: bytes) -> bytes:
        """What arrives until some text has."""
        data = b""
        while text not in data:
            data += self._arrived.get(timeout=60)
        return data

    def close(self) -> None:
        """Hang up."""
        self.stream.close()
        os.close(self.theirs)
        self._reader.join()
        os.close(self._ours)

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._ours, 65536):
                self._arrived.put(data)


@contextmanager
def terminal(
    monkeypatch: pytest.MonkeyPatch, *, encoding: str = "utf-8", columns: int = COLUMNS
) -> Iterator[Terminal]:
    """A terminal in place of this process's streams."""
    opened = Terminal(encoding=encoding, columns=columns)
    with monkeypatch.context() as patch:
        for name in ("stdout", "stderr"):
            patch.setattr(sys, name, opened.stream)
        patch.setenv("TERM", "xterm-256color")
        patch.setenv("COLUMNS", str(columns))
        patch.delenv("NO_COLOR", raising=False)
        yield opened
    opened.close()


def on_terminal(*argv: str, cwd: Path, **environ: str) -> tuple[int, bytes]:
    """Run the program on a terminal to its end; its exit code, and what it sent."""
    opened = Terminal()
    usual = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "NO_COLOR": ""}
    try:
        done = subprocess.run(
            [*PROGRAM, *argv],
            cwd=cwd,
            env=environment({**usual, **environ}),
            stdin=subprocess.DEVNULL,
            stdout=opened.theirs,
            stderr=opened.theirs,
            timeout=60,
            check=False,
        )
        return done.returncode, opened.sent()
    finally:
        opened.close()
