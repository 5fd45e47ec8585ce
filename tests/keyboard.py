"""The program at a terminal of its own, with somebody at the keys."""

import os
import select
import subprocess
import sys
from pathlib import Path

from processes import PROGRAM, environment

_OWN_TERMINAL = (
    "import fcntl, os, sys, termios;"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "os.execv(sys.argv[1], sys.argv[1:])"
)
"""Makes standard input the controlling terminal, so that Ctrl-C is a signal, and goes on."""

_PATIENCE = 20
"""Seconds after which nothing more will come."""

CTRL_C = b"\x03"
CTRL_D = b"\x04"


def at_keyboard(*argv: str, cwd: Path, after: bytes, keys: bytes) -> tuple[int, bytes]:
    """Run the program, press ``keys`` once it has printed ``after``; its exit code and what the
    terminal shows."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _OWN_TERMINAL, *PROGRAM, *argv],
        cwd=cwd,
        env=environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        shown = b""
        while after not in shown:
            assert select.select([ours], [], [], _PATIENCE)[0], f"it printed only {shown!r}"
            shown += os.read(ours, 1024)
        shown += _pressed(ours, keys)
        return process.wait(timeout=_PATIENCE), shown
    finally:
        process.kill()
        os.close(ours)


def _pressed(terminal: int, keys: bytes) -> bytes:
    """What the terminal shows after ``keys``, until the program ends.

    Python notices a signal that comes just before it reads from the terminal only when the read
    is over, as somebody at the keys would notice and press Ctrl-C again.
    """
    shown = b""
    os.write(terminal, keys)
    for _ in range(_PATIENCE):
        if not select.select([terminal], [], [], 1)[0]:
            os.write(terminal, keys if keys == CTRL_C else b"")
            continue
        try:
            shown += os.read(terminal, 1024)
        except OSError:  # its end, on Linux
            break
    return shown.replace(b"^C^C", b"^C")
