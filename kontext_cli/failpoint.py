"""Points at which a test may kill the process; they do nothing otherwise."""

import os
import signal
import sys

_POINT, _, _TIMES = os.environ.get("KONTEXT_TEST_KILL_AT", "").partition("*")
_left = int(_TIMES) if _TIMES.isdecimal() else 1


def reached(point: str) -> None:
    """Die as by `kill -9` where the variable names this point (``point*N``: its Nth time)."""
    if point != _POINT or not point:
        return
    global _left  # noqa: PLW0603  # how often is left, for the whole process
    _left -= 1
    if _left <= 0:
        if sys.platform == "win32":
            os._exit(137)
        os.kill(os.getpid(), signal.SIGKILL)
