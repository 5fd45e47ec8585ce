"""Ctrl-C, SIGTERM and SIGHUP: the first ends the work in order, the second at once."""

import asyncio
import os
import signal
from collections.abc import Coroutine
from typing import Any

_ORDERLY = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


def run_until_signal(work: Coroutine[Any, Any, None]) -> int | None:
    """Run ``work``; the number of the signal that cut it short, None where it ran to its end."""
    try:
        return asyncio.run(_guarded(work))
    except KeyboardInterrupt:  # where a loop cannot take signals: Windows
        return signal.SIGINT


async def _guarded(work: Coroutine[Any, Any, None]) -> int | None:
    task = asyncio.ensure_future(work)
    caught: list[int] = []

    def stop(number: int) -> None:
        if caught:
            os._exit(128 + number)
        caught.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in _ORDERLY:
        try:
            loop.add_signal_handler(number, stop, number)
        except NotImplementedError:
            break
    try:
        await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return caught[0]
    return None
