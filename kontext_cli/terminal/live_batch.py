"""The live view of a batch on a terminal."""

import os
import sys
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.http.urls import unsigned
from kontext_cli.images.inputs import is_url
from kontext_cli.job import Job
from kontext_cli.terminal.drawing import Drawing
from kontext_cli.terminal.output import print_result, to_stderr
from kontext_cli.terminal.printable import escaped, one_line
from kontext_cli.terminal.skips import Skips
from kontext_cli.terminal.text import describe, left_text, rate_text, row_name, spent_so_far

_SLOTS = 8
_BETWEEN_DRAWINGS = 0.1
_STATE_WIDTH = 26
_NARROWEST_BAR = 10
_NARROWEST_SUBJECT = 12
_LONGEST_SUBJECT = 300
_WIDEST_LABEL = 24


@dataclass(eq=False, slots=True)
class _Row:
    """A job in flight, its start time, and the last log line of its provider."""

    job: Job
    since: float
    label: str
    subject: str
    said: str = ""

    @classmethod
    def of(cls, job: Job, since: float) -> Self:
        """A row, labeled by its id or number, with the image it edits or its prompt."""
        return cls(job, since, _label(job), one_line(_subject(job))[:_LONGEST_SUBJECT])


def _label(job: Job) -> str:
    """The name of a row, truncated to the width of the column."""
    name = row_name(job) if job.index is not None else job.id
    if cell_len(name) <= _WIDEST_LABEL:
        return name
    return f"{set_cell_size(name, _WIDEST_LABEL - 1).rstrip()}…"


def _subject(job: Job) -> str:
    edited = job.sources[0].name if job.sources else "-"
    if edited == "-":
        return str(job.request.get("prompt", ""))
    return PurePath(unsigned(edited) if is_url(edited) else edited).name


class LiveBatch:
    """A bar for the whole batch, and a line for each of at most eight jobs in flight.

    A job keeps its line until it ends, and the next one takes its place, so that nothing jumps.
    Messages scroll above, and results too if standard output is the same terminal. Redrawn at
    most ten times a second.
    """

    def __init__(self, progress: BatchProgress, drawing: Drawing) -> None:
        self._progress = progress
        self._drawing = drawing
        self._clock = progress.clock
        self._skips = Skips()
        self._rows: OrderedDict[str, _Row] = OrderedDict()
        self._slots: list[_Row | None] = [None] * _SLOTS
        self._waiting: OrderedDict[str, _Row] = OrderedDict()
        self._label_width = 0
        self._above: list[str] = []
        self._drawn_at = -_BETWEEN_DRAWINGS
        self._closed = False
        self._shares_terminal = _same_terminal()

    def show(self, job: Job) -> None:
        """Give a job a line as soon as one is free; its previous log line is cleared."""
        row = self._rows.get(job.id)
        if row is None:
            row = self._rows[job.id] = _Row.of(job, self._clock())
            self._progress.began(job)
            self._place(row)
        row.said = ""
        self._changed()

    def heard(self, job: Job, said: str) -> None:
        """Show a log line beside the job's state."""
        self._rows[job.id].said = one_line(said)[:_LONGEST_SUBJECT]
        self._changed()

    def drop(self, job: Job) -> None:
        """Give a job's line to the job that has waited longest for one."""
        self._progress.ended(job)
        row = self._rows.pop(job.id, None)
        if row is None:
            return
        if self._waiting.pop(job.id, None) is None:
            successor = self._waiting.popitem(last=False)[1] if self._waiting else None
            self._slots[self._slots.index(row)] = successor
        self._changed()

    def result(self, line: str) -> None:
        """Print a line to standard output, above the view if that is on the same terminal."""
        if self._shares_terminal and not self._closed:
            self.say(escaped(line))
        else:
            print_result(line)

    def passed(self, text: str) -> None:
        """Print nothing: the bar counts the rows that succeeded."""

    def skipped(self, reason: str) -> None:
        """Count a row, to be reported at the end."""
        self._skips.add(reason)
        self._changed()

    def say(self, line: str) -> None:
        """Print a line above the view."""
        if self._closed:
            to_stderr(line)
        else:
            self._above.append(line)
            self._changed()

    def warn(self, line: str) -> None:
        """Print a line of an error above the view."""
        self.say(line)

    def stopping(self) -> None:
        """Show in the bar that no more rows are submitted."""
        self._progress.stopping = True
        self._changed()

    def beat(self) -> None:
        """Update the times, and close gaps between lines."""
        if not self._closed:
            self._slots.sort(key=lambda row: row is None)
            self._draw()

    def close(self) -> None:
        """Remove the view."""
        if self._closed:
            return
        self._closed = True
        if skipped := self._skips.taken():
            self._above.append(skipped)
        self._drawing.draw((), above=self._above)

    def _place(self, row: _Row) -> None:
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
        lines = [self._bar(width - 1), *self._row_lines(width - 1, most=height // 2 - 2)]
        self._drawing.draw(lines[: height - 1], above=self._above)
        self._above = []

    def _row_lines(self, width: int, most: int) -> Iterator[Text]:
        """The lines of the jobs in flight, as many as fit; a gap between two lines stays."""
        last = max((n for n, row in enumerate(self._slots, 1) if row is not None), default=0)
        shown = self._slots[: max(min(last, most), 0)]
        labels = [row.label for row in shown if row is not None]
        self._label_width = max(self._label_width, *map(cell_len, labels), 0)
        for row in shown:
            yield self._row_line(row, width) if row is not None else Text()
        hidden = len(self._rows) - len(labels)
        if hidden:
            yield Text(f"… and {hidden} more", style="dim")

    def _row_line(self, row: _Row, width: int) -> Text:
        minutes, seconds = divmod(int(self._clock() - row.since), 60)
        time = f"{minutes}:{seconds:02}"
        indent = " " * (self._label_width - cell_len(row.label))
        line = Text(f"{indent}{row.label} {time:>5}  ")
        state_end = line.cell_len + _STATE_WIDTH
        line.append(describe(row.job))
        if width - state_end >= _NARROWEST_SUBJECT:
            line.pad_right(max(state_end - line.cell_len, 0) + 2)
            line.append(row.said or row.subject, style="dim")
        return line

    def _bar(self, width: int) -> Text:
        """The bar with as many facts as fit, the most important first."""
        progress = self._progress
        count = f"{progress.tally.ended}/{progress.tally.total}"
        left = "stopping" if progress.stopping else left_text(progress)
        failed = f"{progress.failed} failed" if progress.failed else ""
        by_weight = [count, left, spent_so_far(progress.tally), failed, rate_text(progress)]
        fitting = set(_fitting(by_weight, width))
        line = Text()
        room = width - sum(cell_len(fact) + 2 for fact in fitting)
        if room >= _NARROWEST_BAR:
            line.append_text(self._gauge(min(room, width // 4)))
            line.append("  ")
        in_order = [count, failed, rate_text(progress), spent_so_far(progress.tally), left]
        facts = [
            Text(fact, "red" if fact is failed else "") for fact in in_order if fact in fitting
        ]
        return line.append_text(Text("  ").join(facts))

    def _gauge(self, width: int) -> Text:
        tally = self._progress.tally
        full = width * tally.ended // tally.total if tally.total else width
        line, rest = self._drawing.strokes
        return Text.assemble((line * full, "green"), (rest * (width - full), "dim"))


def open_live_batch(progress: BatchProgress) -> LiveBatch | None:
    """The live view of a batch; None on a terminal that does not support escape sequences."""
    drawing = Drawing()
    return LiveBatch(progress, drawing) if drawing.possible else None


def _fitting(facts: Iterable[str], width: int) -> Iterator[str]:
    """The first facts that fit side by side, without empty ones."""
    for fact in filter(None, facts):
        width -= cell_len(fact) + 2
        if width < -1:
            return
        yield fact


def _same_terminal() -> bool:
    """Whether standard output is the terminal of the view, so that results would garble it."""
    if sys.stdout is None or not sys.stdout.isatty():
        return False
    out, err = os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno())
    return out.st_rdev == err.st_rdev
