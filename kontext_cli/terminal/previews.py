"""Images on the terminal as they are saved, drawn by a thread while jobs go on."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from kontext_cli.settings.config import Preview
from kontext_cli.terminal.image_protocols import Protocol, can_show_blocks, protocol_of
from kontext_cli.terminal.output import on_ci
from kontext_cli.terminal.preview import Grid, Window

_SMALL = 20
"""The columns of an image among many."""
_FEWEST_ROWS = 16
_ROWS_OF_TEXT = 4
_PATIENCE = 3.0
"""Seconds that the end of a run waits for its last images at most."""


class Previews:
    """Draws images in the order in which they are added, side by side if there are several.

    What cannot be drawn is left out.
    """

    def __init__(self, protocol: Protocol, *, small: bool) -> None:
        """``small`` images have their names below, since there are many; others are as large as
        half the window."""
        self._protocol = protocol
        self._small = small
        self._paths: Queue[list[Path]] = Queue()
        self._drawn: Queue[tuple[int, list[str]]] = Queue()
        self._undrawn = 0
        self._thread = Thread(target=self._run, daemon=True)

    def add(self, paths: Iterable[Path]) -> None:
        """Draw the images of a job."""
        with suppress(RuntimeError):  # there can be no more threads
            if not self._thread.is_alive():
                self._thread.start()
            self._undrawn += 1
            self._paths.put([*paths])

    def ready(self) -> Iterator[str]:
        """What was drawn since the last call; our own sequences and escaped text."""
        yield from self._next(0)

    def rest(self) -> Iterator[str]:
        """Wait for all that is not drawn yet, but not for long."""
        yield from self._next(_PATIENCE)

    def _next(self, patience: float) -> Iterator[str]:
        end = time.monotonic() + patience
        while self._undrawn:
            try:
                jobs, drawn = self._drawn.get(timeout=max(end - time.monotonic(), 0))
            except Empty:
                return
            self._undrawn -= jobs
            yield from drawn

    def _run(self) -> None:
        while True:
            jobs = self._next_jobs()
            try:
                drawn = self._rows([path for job in jobs for path in job])
            except Exception:  # a preview must not fail a job that is saved
                drawn = []
            self._drawn.put((len(jobs), drawn))

    def _next_jobs(self) -> list[list[Path]]:
        """The images of the next job; small ones together with those of all that wait."""
        jobs = [self._paths.get()]
        with suppress(Empty):
            while self._small:
                jobs.append(self._paths.get_nowait())
        return jobs

    def _rows(self, paths: list[Path]) -> list[str]:
        window = Window.of(sys.stderr)
        rows = max(window.rows // 2, min(_FEWEST_ROWS, window.rows - _ROWS_OF_TEXT))
        grid = Grid.within(
            window,
            self._protocol,
            os.environ,
            count=len(paths),
            rows=rows,
            width=_SMALL if self._small else None,
        )
        return [*grid.draw(paths, [], names=self._small or len(paths) > 1)]


def open_previews(when: Preview, *, as_json: bool, quiet: bool, small: bool) -> Previews | None:
    """The previews of a run; None where standard error is no terminal, or cannot show any."""
    if quiet or when == "off" or sys.stderr is None or not sys.stderr.isatty():
        return None
    protocol = _automatic(as_json=as_json) if when == "auto" else when
    if protocol is None or (protocol == "blocks" and not can_show_blocks(sys.stderr.encoding)):
        return None
    return Previews(protocol, small=small)


def _automatic(*, as_json: bool) -> Protocol | None:
    if as_json or on_ci():
        return None
    protocol = protocol_of(os.environ, sys.stderr.encoding)
    return None if protocol == "blocks" and os.environ.get("NO_COLOR") else protocol
