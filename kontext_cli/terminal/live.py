"""The live view on a terminal: a line for each running job, and a bar for a batch."""

import os
import sys
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.job import Job
from kontext_cli.terminal.drawing import Drawing
from kontext_cli.terminal.estimates import Estimates
from kontext_cli.terminal.live_lines import Columns, JobRow, Share, bar_line, row_line, single_line
from kontext_cli.terminal.output import (
    as_message,
    as_result,
    draw_on_stderr,
    print_result,
    to_stderr,
)
from kontext_cli.terminal.suspension import Suspension
from kontext_cli.terminal.view import PastRunTimes

_SLOTS = 8
_MOST_LINES = 1 + _SLOTS + 1
_NARROW = 40
"""Columns: lines are so short that they fit into a window that becomes as narrow as that, where
the terminal breaks them. What did not would stay in its history."""
_BETWEEN_DRAWINGS = 0.1
_WITHOUT_ESTIMATE = 0.5
"""Seconds in which most requests are on their way, and many jobs are done."""


class Live:
    """A line for each of at most eight running jobs, and above them the bar of a batch.

    A job keeps its line until it ends, and the next one takes its place, so that nothing jumps.
    Messages scroll above, and results too if standard output is the same terminal. Redrawn at
    most ten times a second.
    """

    def __init__(
        self,
        drawing: Drawing,
        progress: BatchProgress | None = None,
        estimates: Estimates | None = None,
    ) -> None:
        """``progress`` is that of a batch; without it there is no bar."""
        self.has_bar = progress is not None
        self._drawing = drawing
        self._progress = progress
        self._estimates = estimates or Estimates(dict)
        self._clock = progress.clock if progress else time.monotonic
        self._rows: OrderedDict[str, JobRow] = OrderedDict()
        self._slots: list[JobRow | None] = [None] * _SLOTS
        self._waiting: OrderedDict[str, JobRow] = OrderedDict()
        self._in_columns = self.has_bar
        self._label_width = 0
        self._above: list[str] = []
        self._drawn_at = -_BETWEEN_DRAWINGS
        self._closed = False
        self._shares_terminal = _same_terminal()
        self._suspension = Suspension(drawing.erase_at_once)

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """Give a job a line as soon as one is free, and note what is new about it."""
        row = self._rows.get(job.id)
        if row is None:
            row = JobRow.of(job, self._clock(), self._drawing.shown)
            self._rows[job.id] = row
            self._place(row)
        row.update(logs, self._drawing.shown)
        self._changed()

    def drop(self, job: Job) -> None:
        """Give a job's line to the job that has waited longest for one."""
        row = self._rows.pop(job.id, None)
        if row is None:
            return
        if self._waiting.pop(job.id, None) is None:
            successor = self._waiting.popitem(last=False)[1] if self._waiting else None
            self._slots[self._slots.index(row)] = successor
        self._changed()

    def result(self, line: str, path: str | None = None) -> None:
        """Print a line to standard output, above the view if that is on the same terminal."""
        if self._shares_terminal and not self._closed:
            self._put_above(as_result(line, path))
        else:
            print_result(line, path)

    def message(self, line: str) -> None:
        """Print a line above the view."""
        if self._closed:
            to_stderr(line)
        else:
            self._put_above(as_message(line))

    def error(self, line: str) -> None:
        """Print a line of an error above the view."""
        self.message(line)

    def image(self, drawn: str) -> None:
        """Print an image above the view."""
        if self._closed:
            draw_on_stderr(drawn)
        else:
            self._above.append(drawn)
            self._changed()

    def refresh(self) -> None:
        """Update the times, and close gaps between lines."""
        if not self._closed:
            self._slots.sort(key=lambda row: row is None)
            self._draw()

    def close(self) -> None:
        """Remove the view."""
        if not self._closed:
            self._closed = True
            self._drawing.draw((), above=self._above)
            self._suspension.close()

    def _put_above(self, line: str) -> None:
        self._above.append(line)
        self._changed()

    def _place(self, row: JobRow) -> None:
        self._in_columns |= len(self._rows) > 1
        if None in self._slots:
            self._slots[self._slots.index(None)] = row
        else:
            self._waiting[row.job.id] = row

    def _changed(self) -> None:
        if not self._closed and self._clock() - self._drawn_at >= _BETWEEN_DRAWINGS:
            self._draw()

    def _draw(self) -> None:
        self._drawn_at = self._clock()
        width, height = self._drawing.size()
        widest = _NARROW * max((height - 1) // _MOST_LINES, 2)
        lines = list(self._lines(min(width - 1, widest), height))
        self._drawing.draw(lines[: height - 1], above=self._above)
        self._above.clear()

    def _lines(self, width: int, height: int) -> Iterator[Text]:
        if self._progress is not None:
            yield bar_line(self._progress, width, self._drawing.strokes)
        if self._in_columns:
            yield from self._row_lines(width, most=max(height // 2 - 2, 0 if self.has_bar else 1))
        else:
            yield from self._single_line(width)

    def _single_line(self, width: int) -> Iterator[Text]:
        for row in self._rows.values():
            strokes = self._drawing.strokes
            share, spinner = self._share(row), _turning(strokes.spinner, self._drawn_at)
            yield single_line(row, share, self._drawn_at, width, spinner, strokes)

    def _row_lines(self, width: int, most: int) -> Iterator[Text]:
        """The lines of the running jobs, as many as fit; a gap between two lines stays."""
        last = max((n for n, row in enumerate(self._slots, 1) if row is not None), default=0)
        shown = self._slots[: min(last, most)]
        columns = Columns.fitting(width, self._widest_label(shown))
        for row in shown:
            if row is None:
                yield Text()
                continue
            share = self._share(row)
            yield row_line(row, share, self._drawn_at, columns, self._drawing.strokes)
        hidden = len(self._rows) - sum(row is not None for row in shown)
        if hidden:
            yield Text(f"{self._drawing.strokes.cut} and {hidden} more", style="dim")

    def _widest_label(self, shown: Sequence[JobRow | None]) -> int:
        """The width of the column of labels, which never becomes narrower."""
        widths = [cell_len(row.label) for row in shown if row is not None]
        if self._progress is not None:
            widths += [len(str(self._progress.tally.total)), self._progress.longest_id]
        self._label_width = max(self._label_width, *widths, 0)
        return self._label_width

    def _share(self, row: JobRow) -> Share | None:
        is_new = self._drawn_at - row.since < _WITHOUT_ESTIMATE
        usual = None if is_new else self._estimates.usual_seconds(row.job)
        return row.share(self._drawn_at, usual)


def open_live(
    progress: BatchProgress | None = None, past_run_times: PastRunTimes = dict
) -> Live | None:
    """A live view; None on a terminal that does not support escape sequences."""
    drawing = Drawing()
    return Live(drawing, progress, Estimates(past_run_times)) if drawing.possible else None


def _turning(spinner: str, seconds: float) -> str:
    """The character of a spinner at a time; it turns once a second."""
    return spinner[int(seconds * len(spinner)) % len(spinner)]


def _same_terminal() -> bool:
    """Whether standard output is the terminal of the view, so that results would garble it."""
    if sys.stdout is None or not sys.stdout.isatty():
        return False
    out, err = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    return out.st_rdev == err.st_rdev
