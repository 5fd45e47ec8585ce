"""The lines of the live view: one for each running job, and the bar of a batch.

Pure functions: the same jobs at the same time make the same lines, and none is wider than asked.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import NamedTuple, Self

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.http.urls import is_url, unsigned
from kontext_cli.job import Job, Note, State
from kontext_cli.terminal.drawing import Strokes
from kontext_cli.terminal.estimates import estimated_percent, logged_percent
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.text import left_text, rate_text, spent_so_far

_NARROWEST_BAR = 10
_GAUGE = 10
_PERCENT = len("100 %")
_STATE = len("downloading")
_TIME = len("99:59")
_LONGEST_POSITION = 99_999
_NARROWEST_SUBJECT = 12
_WIDEST_SUBJECT = 48
_LONGEST_SUBJECT = 300
_WIDEST_LABEL = 24
_GAP = 2
_RESERVED = len("x ") + _GAUGE + _PERCENT + len("queue 2 > running") + len("59 s") + 4 * _GAP
"""Cells beside the subject of a single job, without its provider: it does not give way to what
comes later."""


class Share(NamedTuple):
    """How far a job is, and whether that is only an estimate."""

    percent: int
    is_estimate: bool

    def __str__(self) -> str:
        return f"{'~' if self.is_estimate else ''}{self.percent} %"


@dataclass(eq=False, slots=True)
class JobRow:
    """A running job, and what is known of how far it is.

    ``since`` is when it was first shown, and ``age`` its seconds at that time. ``note`` replaces
    the subject until the job's state changes.
    """

    job: Job
    since: float
    age: float
    label: str
    subject: str
    note: str = ""
    position: int = 0
    logged: int | None = None
    estimated: int = 0

    @classmethod
    def of(cls, job: Job, since: float, shown: Callable[[str], str] = str) -> Self:
        """A row, labeled by its id or number, with the image it edits or its prompt.

        ``shown`` makes of a text what the terminal will.
        """
        age = (datetime.now(UTC) - job.created_at).total_seconds()
        return cls(job, since, max(age, 0.0), shown(_label(job)), shown(_shortened(_subject(job))))

    def update(self, logs: Sequence[str], shown: Callable[[str], str] = str) -> None:
        """Note a change of the job's state, or lines about it."""
        self.position = max(self.position, self.job.position or 0)
        percent = logged_percent(logs)
        if percent is not None:
            self.logged = percent
        notes = [line for line in logs if isinstance(line, Note)]
        if notes or not logs:
            self.note = shown(_shortened(notes[-1])) if notes else ""

    def share(self, now: float, usual_seconds: float | None) -> Share | None:
        """How far the job is; None where nothing says so, and while others are before it.

        An estimate never decreases.
        """
        if self.logged is not None:
            return Share(self.logged, is_estimate=False)
        if usual_seconds is None or _waits(self.job):
            return None
        percent = estimated_percent(self.age + now - self.since, usual_seconds)
        self.estimated = max(self.estimated, percent)
        return Share(self.estimated, is_estimate=True)


class Columns(NamedTuple):
    """The widths of the columns of several jobs; 0 for one that has no room."""

    all: int
    label: int
    time: int
    subject: int
    percent: int
    gauge: int

    @classmethod
    def fitting(cls, width: int, label: int) -> Self:
        """The columns that fit into a width: what says least about a job is left out first.

        ``label`` is the width of the widest one, of which a quarter of the line is shown at most.
        """
        label = min(label, _WIDEST_LABEL, max(width // 4, 1))
        wanted = (_NARROWEST_SUBJECT, _PERCENT, _TIME, _GAUGE)
        fits, room = _first_fitting([each + _GAP for each in wanted], width - label - _GAP - _STATE)
        subject, percent, time, bar = (
            each if fit else 0 for each, fit in zip(wanted, fits, strict=True)
        )
        if subject:
            subject = min(subject + room, max(_WIDEST_SUBJECT, width // 2))
        return cls(width, label, time, subject, percent, bar)


def row_line(
    row: JobRow, share: Share | None, now: float, columns: Columns, strokes: Strokes
) -> Text:
    """The line of one of several jobs: id or number, time, state, subject, and how far it is."""
    label = cut(row.label, columns.label, strokes)
    cells = [Text(" " * (columns.label - cell_len(label)) + label)]
    if columns.time:
        cells.append(Text(f"{clock_text(now - row.since):>{_TIME}}", "dim"))
    cells.append(_padded(Text(state_text(row.job)), _STATE))
    if columns.subject:
        cells.append(_padded(_subject_line(row, columns.subject, strokes), columns.subject))
    if share and columns.gauge:
        cells.append(gauge(share.percent, 100, columns.gauge, strokes))
    if share and columns.percent:
        cells.append(Text(f"{share!s:>{_PERCENT}}", _style(share)))
    return _joined(cells, columns.all)


def single_line(
    row: JobRow, share: Share | None, now: float, width: int, spinner: str, strokes: Strokes
) -> Text:
    """The line of the only job: its subject, how far it is, state, time and provider.

    What says least is left out first: the provider, then where it was in the queue.
    """
    state, time = state_text(row.job), time_text(now - row.since)
    queue, provider = _queue_text(row, strokes), row.job.provider
    whole = cell_len(row.note or row.subject)
    shortest = min(whole, _NARROWEST_SUBJECT)
    sizes = [
        _PERCENT + _GAP if share else 0,
        shortest + 1,
        _GAUGE + _GAP if share else 0,
        cell_len(queue),
        cell_len(provider) + _GAP,
    ]
    beside = cell_len(spinner) + cell_len(state) + cell_len(time) + 2 * _GAP
    fits, room = _first_fitting(sizes, width - beside)
    has_percent, has_subject, has_bar, has_queue, has_provider = fits
    cells = [Text(spinner)]
    if has_subject:
        most = width - _RESERVED - cell_len(provider) - _GAP
        gives_way = bool(row.note) or most < _NARROWEST_SUBJECT
        longest = shortest + room if gives_way else min(most, shortest + room)
        cells[0].append(" ").append_text(_subject_line(row, longest, strokes))
    if share and has_bar:
        cells.append(gauge(share.percent, 100, _GAUGE, strokes))
    if share and has_percent:
        cells.append(Text(str(share), _style(share)))
    cells += [Text((queue if has_queue else "") + state), Text(time, "dim")]
    if has_provider:
        cells.append(Text(provider, "dim"))
    return _joined(cells, width)


def bar_line(progress: BatchProgress, width: int, strokes: Strokes) -> Text:
    """The bar of a batch with as many facts as fit, the most important first."""
    count = f"{progress.tally.ended}/{progress.tally.total}"
    left = "stopping" if progress.stopping else left_text(progress)
    failed = f"{progress.failed} failed" if progress.failed else ""
    by_weight = [count, left, spent_so_far(progress.tally), failed, rate_text(progress)]
    fitting = set(_fitting(by_weight, width))
    line = Text()
    room = width - sum(cell_len(fact) + 2 for fact in fitting)
    if room >= _NARROWEST_BAR:
        tally = progress.tally
        line.append_text(gauge(tally.ended, tally.total, min(room, width // 4), strokes))
        line.append("  ")
    in_order = [count, failed, rate_text(progress), spent_so_far(progress.tally), left]
    facts = [Text(fact, "red" if fact is failed else "") for fact in in_order if fact in fitting]
    return line.append_text(Text("  ").join(facts))


def gauge(done: int, total: int, width: int, strokes: Strokes) -> Text:
    """A bar; it is full only when all is done."""
    full = width * done // total if total else width
    return Text.assemble((strokes.full * full, "green"), (strokes.empty * (width - full), "dim"))


def state_text(job: Job) -> str:
    """A job's state in at most eleven characters."""
    match job.state:
        case State.QUEUED if job.position and 0 < job.position <= _LONGEST_POSITION:
            return f"queue {job.position}"
        case State.READY:
            return "downloading"
        case _:
            return str(job.state)


def clock_text(seconds: float) -> str:
    """A time that has passed in at most five characters, for a column."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    if minutes < 100:
        return f"{minutes}:{rest:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}" if hours < 100 else f"{min(hours, 9999)}h"


def time_text(seconds: float) -> str:
    """A time that has passed, with its units."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def cut(text: str, width: int, strokes: Strokes) -> str:
    """Text of at most so many cells, with a mark where it was cut."""
    if cell_len(text) <= width:
        return text
    rest = width - cell_len(strokes.cut)
    if rest <= 0:
        return strokes.cut[: max(width, 0)]
    return f"{set_cell_size(text, rest).rstrip()}{strokes.cut}"


def _first_fitting(sizes: Sequence[int], room: int) -> tuple[list[bool], int]:
    """Which sizes fit side by side, until one does not; and the room that is left."""
    fits: list[bool] = []
    for size in sizes:
        fits.append(size <= room and all(fits))
        room -= size if fits[-1] else 0
    return fits, room


def _fitting(facts: Iterable[str], width: int) -> Iterator[str]:
    """The first facts that fit side by side, without empty ones."""
    for fact in filter(None, facts):
        width -= cell_len(fact) + 2
        if width < -1:
            return
        yield fact


def _joined(cells: Iterable[Text], width: int) -> Text:
    line = Text(" " * _GAP).join(cells)
    line.rstrip()
    line.truncate(max(width, 0))
    return line


def _padded(text: Text, width: int) -> Text:
    text.pad_right(max(width - text.cell_len, 0))
    return text


def _style(share: Share) -> str:
    return "dim" if share.is_estimate else ""


def _subject_line(row: JobRow, width: int, strokes: Strokes) -> Text:
    """The note about a job, else its image or prompt."""
    return Text(cut(row.note or row.subject, width, strokes), "yellow" if row.note else "")


def _queue_text(row: JobRow, strokes: Strokes) -> str:
    """The first position of a job that is running now, to be put before its state."""
    if not row.position or row.job.state is not State.RUNNING:
        return ""
    return f"queue {row.position} {strokes.arrow} "


def _waits(job: Job) -> bool:
    return job.state is State.QUEUED and bool(job.position)


def _label(job: Job) -> str:
    """The id or the number of a row, else the id of the job."""
    if job.row_id is not None:
        return one_line(job.row_id)
    return job.id if job.index is None else str(job.index)


def _subject(job: Job) -> str:
    edited = job.sources[0].name if job.sources else "-"
    if edited == "-":
        return str(job.request.get("prompt", ""))
    return PurePath(unsigned(edited) if is_url(edited) else edited).name


def _shortened(text: str) -> str:
    return one_line(text)[:_LONGEST_SUBJECT]
