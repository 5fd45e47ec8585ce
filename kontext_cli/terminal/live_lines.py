"""The lines of the live view: one for each running job, and the bar of a batch."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.batch.tally import Tally
from kontext_cli.http.urls import unsigned
from kontext_cli.images.inputs import is_url
from kontext_cli.job import Job
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.text import describe, left_text, rate_text, row_name, spent_so_far

_STATE_WIDTH = 26
_NARROWEST_BAR = 10
_NARROWEST_SUBJECT = 12
_LONGEST_SUBJECT = 300
_WIDEST_LABEL = 24


@dataclass(eq=False, slots=True)
class JobRow:
    """A running job, when it was first shown, and the last log line of its provider."""

    job: Job
    since: float
    label: str
    subject: str
    last_log: str = ""

    @classmethod
    def of(cls, job: Job, since: float) -> Self:
        """A row, labeled by its id or number, with the image it edits or its prompt."""
        return cls(job, since, _label(job), _shortened(_subject(job)))

    def log(self, logs: Sequence[str]) -> None:
        """Keep the last of the lines; none clears it."""
        self.last_log = _shortened(logs[-1]) if logs else ""


def job_line(row: JobRow, label: str, now: float, width: int) -> Text:
    """The label, time and state of a job, and its last log line, image or prompt if it fits."""
    minutes, seconds = divmod(int(now - row.since), 60)
    line = Text(f"{label} {f'{minutes}:{seconds:02}':>5}  ")
    state_end = line.cell_len + _STATE_WIDTH
    line.append(describe(row.job))
    if width - state_end >= _NARROWEST_SUBJECT:
        line.pad_right(max(state_end - line.cell_len, 0) + 2)
        line.append(row.last_log or row.subject, style="dim")
    return line


def bar_line(progress: BatchProgress, width: int, strokes: tuple[str, str]) -> Text:
    """The bar of a batch with as many facts as fit, the most important first.

    ``strokes`` draw its full and its empty part.
    """
    count = f"{progress.tally.ended}/{progress.tally.total}"
    left = "stopping" if progress.stopping else left_text(progress)
    failed = f"{progress.failed} failed" if progress.failed else ""
    by_weight = [count, left, spent_so_far(progress.tally), failed, rate_text(progress)]
    fitting = set(_fitting(by_weight, width))
    line = Text()
    room = width - sum(cell_len(fact) + 2 for fact in fitting)
    if room >= _NARROWEST_BAR:
        line.append_text(_gauge(progress.tally, min(room, width // 4), strokes))
        line.append("  ")
    in_order = [count, failed, rate_text(progress), spent_so_far(progress.tally), left]
    facts = [Text(fact, "red" if fact is failed else "") for fact in in_order if fact in fitting]
    return line.append_text(Text("  ").join(facts))


def _gauge(tally: Tally, width: int, strokes: tuple[str, str]) -> Text:
    full = width * tally.ended // tally.total if tally.total else width
    line, rest = strokes
    return Text.assemble((line * full, "green"), (rest * (width - full), "dim"))


def _fitting(facts: Iterable[str], width: int) -> Iterator[str]:
    """The first facts that fit side by side, without empty ones."""
    for fact in filter(None, facts):
        width -= cell_len(fact) + 2
        if width < -1:
            return
        yield fact


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


def _shortened(text: str) -> str:
    return one_line(text)[:_LONGEST_SUBJECT]
