"""Jobs from the journal as a table, in full, or separated by tabs for programs."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

from kontext_cli.job import Job, State
from kontext_cli.terminal.cells import fitted, flat, wrapped
from kontext_cli.terminal.printable import escaped
from kontext_cli.terminal.style import (
    BOLD,
    DIM,
    FAILED,
    NONE,
    NOTICE,
    SAVED,
    Line,
    Piece,
    pieces_of,
)
from kontext_cli.terminal.table import (
    Cell,
    Column,
    is_for_people,
    tabbed,
    table,
    window_width,
)
from kontext_cli.terminal.text import bill_text, cost_text, short_cost
from kontext_cli.words import dollars

STATE_STYLES = {
    State.SAVED: SAVED,
    State.FAILED: FAILED,
    State.MODERATED: FAILED,
    State.EXPIRED: FAILED,
    State.UNKNOWN: NOTICE,
}
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_INDENT = "  "
_SHARED: dict[str, Callable[[Job], str]] = {
    "provider": lambda job: job.provider,
    "model": lambda job: job.model,
    "batch": lambda job: job.batch or "",
}
"""What is often the same for all jobs: then it is no column."""


def job_lines(jobs: Sequence[Job]) -> Iterator[Line]:
    """Jobs for standard output: a table on a terminal, tab-separated values elsewhere."""
    return job_table(jobs) if is_for_people() else map(job_values, jobs)


def job_in_full(job: Job) -> Iterator[Line]:
    """A job for standard output: with all that is known of it on a terminal, else its values."""
    return job_facts(job) if is_for_people() else iter([job_values(job)])


def candidate_lines(jobs: Sequence[Job]) -> list[str]:
    """A small table of the jobs that a name may mean, as the details of an error."""
    now = datetime.now(UTC)
    columns = [Column("id"), Column("state"), Column("age", rank=1, right=True)]
    rows = [
        [Cell(job.id), Cell(str(job.state)), Cell(age(job, now)), Cell(flat(prompt_of(job)))]
        for job in jobs
    ]
    lines = table([*columns, Column("prompt", least=12)], rows, window_width() - len(_INDENT))
    return ["".join(piece.text for piece in pieces_of(line)) for line in lines]


def prompt_of(job: Job) -> str:
    """The prompt of a job; its request id if it was submitted elsewhere."""
    return str(job.request.get("prompt", "")) or f"request id {job.request_id}"


def age(job: Job, now: datetime) -> str:
    """How long ago a job was made, in its largest unit: `3m`."""
    seconds = (now - job.created_at).total_seconds()
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "now"


def job_values(job: Job) -> str:
    """The values of a job in the order of the columns, without headings, as programs read them."""
    return tabbed(
        [
            job.id,
            job.created_at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
            str(job.state),
            job.provider,
            job.model,
            job.batch or "",
            "" if job.cost.usd is None else f"{job.cost.usd:g}",
            prompt_of(job),
            ", ".join(str(file.path) for file in job.files),
            job.error.message if job.error else "",
        ]
    )


def job_table(jobs: Sequence[Job]) -> Iterator[Line]:
    """A table of jobs, none of whose lines is wider than the window; nothing without jobs."""
    if not jobs:
        return
    width = window_width()
    values = {name: {of(job) for job in jobs} for name, of in _SHARED.items()}
    same = [each for each, *others in values.values() if each and not others]
    if same:
        yield [Piece(fitted(escaped(", ".join(same)), width), DIM)]
    columns, cells = zip(
        *_columns(jobs, [name for name in values if len(values[name]) > 1]), strict=True
    )
    heading, *lines = table(columns, [[of(job) for of in cells] for job in jobs], width)
    yield heading
    for job, line in zip(jobs, lines, strict=True):
        yield line
        if job.error is not None:
            reason = escaped(flat(job.error.message))
            yield [Piece(fitted(_INDENT + reason, width), _style(job))]


def _columns(
    jobs: Sequence[Job], differing: Sequence[str]
) -> Iterator[tuple[Column, Callable[[Job], Cell]]]:
    """The columns of a table of jobs, each with what stands there."""
    now = datetime.now(UTC)
    yield Column("id"), lambda job: Cell(job.id)
    yield Column("age", rank=3, right=True), lambda job: Cell(age(job, now), DIM)
    yield Column("state"), lambda job: Cell(str(job.state), _style(job))
    for rank, name in enumerate(differing, start=4):
        yield Column(name, rank=rank), partial(_shared_cell, _SHARED[name])
    yield Column("cost", rank=2, right=True), lambda job: Cell(_cost(job))
    yield Column("prompt", least=24), lambda job: Cell(flat(prompt_of(job)))
    if any(job.files for job in jobs):
        yield Column("file", least=20, rank=9), _file


def _shared_cell(of: Callable[[Job], str], job: Job) -> Cell:
    return Cell(of(job))


def _style(job: Job) -> str:
    return STATE_STYLES.get(job.state, NONE)


def _file(job: Job) -> Cell:
    names = ", ".join(file.path.name for file in job.files)
    return Cell(names, BOLD, str(job.files[0].path) if len(job.files) == 1 else None)


def _cost(job: Job) -> str:
    """What a job cost; `$0.04?` where it is not known whether it was billed."""
    error = job.error
    if error is not None and error.billed == "no" and job.state in _ENDED_BADLY:
        return "–"
    if error is not None and error.billed == "maybe" and job.cost.usd:
        return f"{dollars(job.cost.usd)}?"
    return short_cost(job.cost)


def _long_cost(job: Job) -> str:
    """What a job cost, or may have cost."""
    if job.error is None or job.state not in _ENDED_BADLY:
        return cost_text(job.cost)
    bill = bill_text(job.error)
    return bill if job.error.billed == "no" else f"{cost_text(job.cost)}, {bill}"


_ENDED_BADLY = (State.FAILED, State.MODERATED, State.CANCELED, State.EXPIRED)


def job_facts(job: Job) -> Iterator[Line]:
    """All that is known of a job, but for its error: a label and a value in each line."""
    width = window_width()
    age_now = age(job, datetime.now(UTC))
    ago = "just now" if age_now == "now" else f"{age_now} ago"
    yield [*_label("job"), Piece(job.id, BOLD)]
    state = Piece(str(job.state), _style(job))
    yield [*_label("state"), state, Piece(f", submitted {ago}", DIM)]
    facts = {
        "prompt": str(job.request.get("prompt", "")),
        "images": ", ".join(source.name for source in job.sources),
        "at": f"{job.provider}, {job.model}",
        "server": job.server or "",
        "request id": job.request_id or "",
        "batch": job.batch or "",
        "seed": "" if job.seed is None else str(job.seed),
        "cost": _long_cost(job),
    }
    for name, value in facts.items():
        label = _label(name)
        for paragraph in value.splitlines():
            for line in wrapped(escaped(flat(paragraph)), width - _LABEL_WIDTH):
                yield [*label, Piece(line)]
                label = _label("")
    for file in job.files:
        path = str(file.path)
        yield [*_label("file"), Piece(escaped(path), BOLD, path)]


_LABEL_WIDTH = len("request id  ")


def _label(name: str) -> list[Piece]:
    return [Piece(name.ljust(_LABEL_WIDTH), DIM if name else NONE)]
