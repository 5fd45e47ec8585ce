"""Has Ctrl-C come at many moments of one run: at each, a fork of the program gets the signal.

Every seventh import is such a moment, and every 5,000th call of a Python function. The exit codes
of the forks go into the file `codes` in the folder INTERRUPTED, what they print into `printed`
there. The run itself goes on as if nothing had happened.
"""

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

_folder = Path(os.environ["INTERRUPTED"])
_codes = (_folder / "codes").open("a", buffering=1)
_every = {"import": 7, "call": 5_000}
_seen = dict.fromkeys(_every, 0)
_is_fork = False


def _at_import(event: str, _args: tuple[Any, ...]) -> None:
    _count(event)


def _at_call(_frame: FrameType, event: str, _argument: object) -> None:
    _count(event)


def _count(event: str) -> None:
    if event in _seen and _is_a_moment():
        _seen[event] += 1
        if _seen[event] % _every[event] == 0:
            _interrupt_a_fork()


def _is_a_moment() -> bool:
    """Whether the program has begun, no event loop is open, and a fork has all that it needs.

    No lock is taken to look at the threads: the call may be one that holds it.
    """
    handler = getattr(signal.getsignal(signal.SIGINT), "__module__", "")
    ours = handler in ("__main__", "kontext_cli.__main__")
    return ours and not _is_fork and len(threading._active) == 1  # type: ignore[attr-defined]


def _interrupt_a_fork() -> None:
    global _is_fork  # noqa: PLW0603
    if fork := os.fork():
        _codes.write(f"{os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1])}\n")
        return
    _is_fork = True
    sys.setprofile(None)
    printed = os.open(_folder / "printed", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    signal.setitimer(signal.ITIMER_REAL, 20)  # ends a fork that hangs
    os.kill(os.getpid(), signal.SIGINT)


sys.addaudithook(_at_import)
sys.setprofile(_at_call)
