"""Ctrl-C, SIGTERM and SIGHUP: the first shuts down gracefully, the second exits at once."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from kontext_cli import exit_now

_HANDLED = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_LEFT_IGNORED = [getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name)]
"""Signals that stay ignored if they were, as `nohup` does. SIGINT does not: a shell ignores it
for background jobs, which no user asked for."""


def run_until_signal(
    work: Callable[[], Coroutine[Any, Any, None]],
    wind_down: Callable[[int], None] | None = None,
    *,
    last: Callable[[], None] = lambda: None,
) -> int | None:
    """Run ``work``; returns the number of the signal that interrupted it, or None.

    The signal cancels ``work``, or calls ``wind_down`` if there is one, which has to end it. A
    second signal calls ``last`` and ends the process. All handlers are restored afterwards.
    """
    early: list[int] = []
    before = {number: signal.getsignal(number) for number in _handled()}
    try:
        for number in before:  # asyncio prints exceptions until its own handlers are set
            signal.signal(number, lambda caught, _frame: early.append(caught))
        return asyncio.run(_guarded(work, wind_down, last, early))
    except KeyboardInterrupt:  # asyncio has removed its handlers: the work is done
        return signal.SIGINT
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _handled() -> list[int]:
    return [
        number
        for number in _HANDLED
        if number not in _LEFT_IGNORED or signal.getsignal(number) is not signal.SIG_IGN
    ]


async def _guarded(
    work: Callable[[], Coroutine[Any, Any, None]],
    wind_down: Callable[[int], None] | None,
    last: Callable[[], None],
    early: list[int],
) -> int | None:
    task = asyncio.ensure_future(work())
    caught: list[int] = []

    def stop(number: int) -> None:
        if caught:
            last()
            exit_now(128 + number)
        caught.append(number)
        if wind_down is None:
            task.cancel()
        else:
            wind_down(number)

    loop = asyncio.get_running_loop()
    for number in _handled():
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda caught, _frame: loop.call_soon_threadsafe(stop, caught))
    if early:
        stop(early[0])
    try:
        await task
    except asyncio.CancelledError:
        if not caught:
            raise
    return caught[0] if caught else None
