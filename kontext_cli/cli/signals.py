"""Ctrl-C, SIGTERM and SIGHUP: the first ends the work in order, the second at once."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any

_ORDERLY = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_LEFT_IGNORED = [getattr(signal, name) for name in ("SIGHUP",) if hasattr(signal, name)]
"""What stays ignored where it was: `nohup` means it. A shell ignores Ctrl-C for what it starts in
the background, which nobody asked for."""


def run_until_signal(
    work: Coroutine[Any, Any, None], wind_down: Callable[[int], None] | None = None
) -> int | None:
    """Run ``work``; the number of the signal that cut it short, None where it ran to its end.

    The signal cancels it, unless ``wind_down`` brings it to an end in its own way.
    """
    try:
        return asyncio.run(_guarded(work, wind_down))
    except KeyboardInterrupt:  # where a loop cannot take signals: Windows
        return signal.SIGINT


async def _guarded(
    work: Coroutine[Any, Any, None], wind_down: Callable[[int], None] | None
) -> int | None:
    task = asyncio.ensure_future(work)
    caught: list[int] = []

    def stop(number: int) -> None:
        if caught:
            os._exit(128 + number)
        caught.append(number)
        if wind_down is None:
            task.cancel()
        else:
            wind_down(number)

    loop = asyncio.get_running_loop()
    for number in _ORDERLY:
        if number in _LEFT_IGNORED and signal.getsignal(number) is signal.SIG_IGN:
            continue
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:
            break
    try:
        await task
    except asyncio.CancelledError:
        if not caught:
            raise
    return caught[0] if caught else None
