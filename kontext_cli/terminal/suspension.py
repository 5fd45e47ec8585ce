"""Ctrl-Z: what is drawn is removed before the process stops."""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

_STOP = getattr(signal, "SIGTSTP", None)


class Suspension:
    """Calls ``before`` when the process is to stop, until it is closed.

    ``before`` may interrupt anything. Where the signal has another handler, or is ignored,
    nothing is changed.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before
        self._is_set = (
            _STOP is not None
            and threading.current_thread() is threading.main_thread()
            and signal.getsignal(_STOP) is signal.SIG_DFL
        )
        if _STOP is not None and self._is_set:
            signal.signal(_STOP, self._stop)

    def close(self) -> None:
        """Let the process stop as it did before."""
        if _STOP is not None and self._is_set:
            signal.signal(_STOP, signal.SIG_DFL)
            self._is_set = False

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._before()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._stop)
