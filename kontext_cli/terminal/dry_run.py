"""A `--dry-run` as text: the calls, files and costs of what would be sent."""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.engine.plan import Plan
from kontext_cli.files.names import sidecar_name
from kontext_cli.http.call import Part
from kontext_cli.http.urls import abridged, is_url
from kontext_cli.job import Cost, Job
from kontext_cli.terminal.cells import fitted, flat
from kontext_cli.terminal.printable import escaped, one_line
from kontext_cli.terminal.records import job_record
from kontext_cli.terminal.style import BOLD, DIM, Line, Piece
from kontext_cli.terminal.table import Cell, Column, is_for_people, tabbed, table, window_width
from kontext_cli.terminal.text import cost_text, rows_text, short_cost

_SHOWN = 40
_MOST_OF_A_PROMPT = 500
"""Characters of a prompt that a table looks at, which cuts it to the window."""

Rows = Iterable[tuple[Entry, Job]]


def plan_lines(plan: Plan, *, seed_given: bool) -> Iterator[Line]:
    """The call without its key and without URL signatures, the files, and the estimate.

    What is drawn anew for each job, the id and a seed that was not given, is no more than named.
    """
    urls = {source.name for source in plan.job.sources if is_url(source.name)}
    plain = {image.base64 for image in plan.draft.local_images}
    call, seed = plan.draft.call(), None if seed_given else plan.job.seed
    yield [Piece(f"{call.method} "), Piece(call.url, BOLD)]
    body = call.json if call.json is not None else _form(call.parts)
    yield json.dumps(_shortened(body, urls, plain, seed), indent=2, ensure_ascii=False)
    for path in plan.names.paths if plan.names else ["standard output"]:
        name = _without_drawn(str(path), seed, plan.job.id)
        yield [Piece("file: ", DIM), Piece(one_line(name), BOLD)]
        if plan.job.target and plan.job.target.sidecar:
            yield [Piece("file: ", DIM), Piece(one_line(sidecar_name(name)), BOLD)]
    cost = plan.job.cost
    yield [Piece("cost: ", DIM), Piece("unknown" if cost.usd is None else cost_text(cost))]


def _form(parts: Sequence[Part]) -> dict[str, Any]:
    """The fields of a form, files by their size, as a list where there are several of a name."""
    fields: dict[str, Any] = {}
    for part in parts:
        text = part.content.decode(errors="replace")
        shown = f"({len(part.content):,} bytes, {part.media_type})" if part.media_type else text
        fields[part.name] = [*fields[part.name], shown] if part.name in fields else [shown]
    return {name: each if len(each) > 1 else each[0] for name, each in fields.items()}


def _shortened(value: Any, urls: Collection[str], plain: Collection[str], seed: int | None) -> Any:
    """The value with inline images, data URLs or ``plain`` base64, cut to a prefix and their size,
    image URLs unsigned, and no drawn seed."""
    if isinstance(value, str) and value in urls:
        return abridged(value)
    if isinstance(value, str) and (value.startswith("data:") or value in plain):
        return f"{value[:_SHOWN]}… ({len(value):,} characters)"
    if isinstance(value, str):
        return _without_drawn(value, seed, None)
    if isinstance(value, list):
        return [_shortened(each, urls, plain, seed) for each in value]
    if isinstance(value, dict):
        return {key: _shortened(each, urls, plain, seed) for key, each in value.items()}
    return "<seed>" if seed is not None and value == seed else value


def _without_drawn(name: str, seed: int | None, job_id: str | None) -> str:
    """A file name without what is drawn anew for each job."""
    if seed is not None:
        name = name.replace(str(seed), "<seed>")
    return name if job_id is None else name.replace(job_id, "<job>")


def row_lines(
    entries: Sequence[Entry], rows: Callable[[], Rows], *, folder: str, cost: Cost
) -> Iterator[Line]:
    """Every row with its prompt, its files and its cost, and the total.

    A table on a terminal, tab-separated values elsewhere. ``rows`` gives the entries with their
    jobs, ``folder`` is where names are relative to, and ``cost`` is that of all rows together.
    """
    if is_for_people():
        yield from _row_table(entries, rows(), folder)
    else:
        yield from (_row_values(entry, job) for entry, job in rows())
    total = f"{rows_text(len(entries))}, {_counted([entry.step for entry in entries])}"
    yield [Piece(f"{total}: "), Piece(cost_text(cost), BOLD)]


def row_record(entry: Entry, job: Job) -> dict[str, Any]:
    """A row for `--json`, with the paths it would write."""
    if entry.step is not Step.MAKE:
        return job_record(job, reason=entry.reason)
    job.cost = entry.cost
    return job_record(job, reason=entry.reason, planned=entry.paths)


def _row_table(entries: Sequence[Entry], rows: Rows, folder: str) -> Iterator[Line]:
    """The rows as a table; what is the same for all is said above it, or goes without saying."""
    width = window_width()
    shared = [{entry.at for entry in entries}, {entry.shared.model for entry in entries}]
    same = [value for values in shared if len(values) == 1 for value in values]
    yield [Piece(fitted(escaped(", ".join([*same, f"into {folder}"])), width), DIM)]
    columns, cells = zip(*_row_columns(entries, folder), strict=True)
    shown = ([cell(entry, job) for cell in cells] for entry, job in rows)
    yield from table(columns, shown, width)


def _row_columns(
    entries: Sequence[Entry], folder: str
) -> Iterator[tuple[Column, Callable[[Entry, Job], Cell]]]:
    """The columns of a table of rows, each with what stands there."""
    yield Column("row", least=8, right=True), lambda entry, job: Cell(_row_id(entry, job))
    if len({(entry.step, entry.reason) for entry in entries}) > 1:
        yield Column("to do"), lambda entry, _: Cell(_name(entry.step))
        yield Column("because", least=8, rank=4), lambda entry, _: Cell(entry.reason, DIM)
    if len({entry.at for entry in entries}) > 1:
        yield Column("provider", rank=3), lambda entry, _: Cell(entry.at)
    if len({entry.shared.model for entry in entries}) > 1:
        yield Column("model", rank=2), lambda entry, _: Cell(entry.shared.model)
    yield Column("cost", rank=1, right=True), lambda entry, _: Cell(_row_cost(entry))
    yield Column("prompt", least=16), lambda entry, _: Cell(flat(_start(entry.request.prompt)))
    yield Column("files", least=16, rank=5), lambda entry, job: _files(entry, job, folder)


def _row_values(entry: Entry, job: Job) -> str:
    """The values of a row, as programs read them."""
    making = entry.step is Step.MAKE
    usd = entry.cost.usd if making else None
    return tabbed(
        [
            _row_id(entry, job),
            _name(entry.step),
            entry.reason,
            entry.at,
            entry.shared.model,
            "" if usd is None else f"{usd:g}",
            entry.request.prompt,
            ", ".join(_paths(entry, job)),
        ]
    )


def _row_id(entry: Entry, job: Job) -> str:
    return str(entry.row.index) if job.row_id is None else job.row_id


def _paths(entry: Entry, job: Job) -> list[str]:
    """The files of a row, as far as they are known before it runs."""
    if entry.step is not Step.MAKE and not entry.paths:
        return [str(file.path) for file in job.files]
    if entry.step is not Step.MAKE:
        return [*entry.paths]
    paths = [_without_drawn(path, entry.drawn_seed, entry.drawn_id) for path in entry.paths]
    if job.target is None or not job.target.sidecar:
        return paths
    return [each for path in paths for each in (path, sidecar_name(path))]


def _files(entry: Entry, job: Job, folder: str) -> Cell:
    inside = os.path.join(folder, "")  # noqa: PTH118
    return Cell(", ".join(path.removeprefix(inside) for path in _paths(entry, job)), BOLD)


def _row_cost(entry: Entry) -> str:
    return short_cost(entry.cost) if entry.step is Step.MAKE else ""


def _start(prompt: str) -> str:
    return prompt[:_MOST_OF_A_PROMPT]


def _counted(steps: Sequence[Step]) -> str:
    counts = ((_name(step), steps.count(step)) for step in Step)
    return ", ".join(f"{count:,} to {name}" for name, count in counts if count) or "nothing to do"


def _name(step: Step) -> str:
    return step.name.lower()
