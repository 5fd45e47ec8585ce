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
from kontext_cli.terminal.live_lines import JobRow, bar_line, job_line
from kontext_cli.terminal.output import (
    as_message,
    as_result,
    draw_on_stderr,
    print_result,
    to_stderr,
)

_SLOTS = 8
_BETWEEN_DRAWINGS = 0.1


class Live:
    """A line for each of at most eight running jobs, and above them the bar of a batch.

    A job keeps its line until it ends, and the next one takes its place, so that nothing jumps.
    Messages scroll above, and results too if standard output is the same terminal. Redrawn at
    most ten times a second.
    """

    def __init__(self, drawing: Drawing, progress: BatchProgress | None = None) -> None:
        """``progress`` is that of a batch; without it there is no bar."""
        self.has_bar = progress is not None
        self._drawing = drawing
        self._progress = progress
        self._clock = progress.clock if progress else time.monotonic
        self._rows: OrderedDict[str, JobRow] = OrderedDict()
        self._slots: list[JobRow | None] = [None] * _SLOTS
        self._waiting: OrderedDict[str, JobRow] = OrderedDict()
        self._has_labels = self.has_bar
        self._label_width = 0
        self._above: list[str] = []
        self._drawn_at = -_BETWEEN_DRAWINGS
        self._closed = False
        self._shares_terminal = _same_terminal()

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """Give a job a line as soon as one is free; its previous log line is cleared."""
        row = self._rows.get(job.id)
        if row is None:
            row = self._rows[job.id] = JobRow.of(job, self._clock())
            self._place(row)
        row.log(logs)
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

    def _put_above(self, line: str) -> None:
        self._above.append(line)
        self._changed()

    def _place(self, row: JobRow) -> None:
        self._has_labels |= len(self._rows) > 1
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
        lines: list[Text] = []
        if self._progress is not None:
            lines.append(bar_line(self._progress, width - 1, self._drawing.strokes))
        lines += self._job_lines(width - 1, most=max(height // 2 - 2, 1 - len(lines)))
        self._drawing.draw(lines[: height - 1], above=self._above)
        self._above.clear()

    def _job_lines(self, width: int, most: int) -> Iterator[Text]:
        """The lines of the running jobs, as many as fit; a gap between two lines stays."""
        last = max((n for n, row in enumerate(self._slots, 1) if row is not None), default=0)
        shown = self._slots[: min(last, most)]
        labels = [self._label(row) for row in shown if row is not None]
        self._label_width = max(self._label_width, *map(cell_len, labels), 0)
        for row in shown:
            if row is None:
                yield Text()
                continue
            label = self._label(row)
            indent = " " * (self._label_width - cell_len(label))
            yield job_line(row, indent + label, self._drawn_at, width)
        hidden = len(self._rows) - len(labels)
        if hidden:
            yield Text(f"… and {hidden} more", style="dim")

    def _label(self, row: JobRow) -> str:
        """The name of a row; outside a batch, a spinner, and the job if there are several."""
        if self.has_bar:
            return row.label
        spinner = self._drawing.spinner(self._drawn_at)
        return f"{spinner} {row.label}" if self._has_labels else spinner


def open_live(progress: BatchProgress | None = None) -> Live | None:
    """A live view; None on a terminal that does not support escape sequences."""
    drawing = Drawing()
    return Live(drawing, progress) if drawing.possible else None


def _same_terminal() -> bool:
    """Whether standard output is the terminal of the view, so that results would garble it."""
    if sys.stdout is None or not sys.stdout.isatty():
        return False
    out, err = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    return out.st_rdev == err.st_rdev
