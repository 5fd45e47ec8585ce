"""A `--dry-run` as text: the calls, files and costs of what would be sent."""

import json
import shutil
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.engine.plan import Plan
from kontext_cli.http.urls import abridged
from kontext_cli.images.inputs import is_url
from kontext_cli.job import Cost, Job
from kontext_cli.terminal.printable import escaped, one_line
from kontext_cli.terminal.records import job_record
from kontext_cli.terminal.text import cost_text, row_name, rows_text

_SHOWN = 40


def plan_lines(plan: Plan) -> Iterator[str]:
    """The call without its key and without URL signatures, the files, and the estimate."""
    urls = {source.name for source in plan.job.sources if is_url(source.name)}
    call = plan.draft.call()
    yield f"{call.method} {call.url}"
    yield json.dumps(_shortened(call.json, urls), indent=2, ensure_ascii=False)
    for path in plan.names.paths if plan.names else ["standard output"]:
        yield f"file: {one_line(str(path))}"
    cost = plan.job.cost
    yield f"cost: {'unknown' if cost.usd is None else cost_text(cost)}"


def _shortened(value: Any, urls: Collection[str]) -> Any:
    """The value with inline images cut to a prefix and their size, and image URLs unsigned."""
    if isinstance(value, str) and value in urls:
        return abridged(value)
    if isinstance(value, str) and value.startswith("data:"):
        return f"{value[:_SHOWN]}… ({len(value):,} characters)"
    if isinstance(value, list):
        return [_shortened(each, urls) for each in value]
    if isinstance(value, dict):
        return {key: _shortened(each, urls) for key, each in value.items()}
    return value


def row_lines(rows: Iterable[tuple[Entry, Job]], cost: Cost) -> Iterator[str]:
    """Every row with its prompt, and the total; ``cost`` is that of all rows together."""
    columns = shutil.get_terminal_size().columns
    steps = []
    for entry, job in rows:
        steps.append(entry.step)
        yield escaped(_row(entry, job))
        yield f"  {fitted(entry.request.prompt, columns - 3)}"
    yield f"{rows_text(len(steps))}, {_counted(steps)}: {cost_text(cost)}"


def row_record(entry: Entry, job: Job) -> dict[str, Any]:
    """A row for `--json`, with the paths it would write."""
    planned = entry.paths if entry.step is Step.MAKE else ()
    return job_record(job, reason=entry.reason, planned=planned)


def fitted(text: str, columns: int) -> str:
    """Text truncated to one line of the given number of terminal columns."""
    plain = escaped(" ".join(text[: 4 * max(columns, 1)].split()))
    if len(text) <= 4 * columns and _start(plain, columns) == plain:
        return plain
    return f"{_start(plain, columns - 1).rstrip()}…"


def _start(text: str, columns: int) -> str:
    """As much of a text as fits."""
    if text.isascii():
        return text[: max(columns, 0)]
    return text[: sum(end <= columns for end in accumulate(map(_width, text)))]


def _width(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _row(entry: Entry, job: Job) -> str:
    line = f"{row_name(job)}: {_name(entry.step)} ({entry.reason})"
    if entry.step is Step.MAKE:
        return f"{line} → {', '.join(entry.paths)}, {cost_text(entry.cost)}"
    paths = entry.paths or [str(file.path) for file in job.files]
    return f"{line} {', '.join(paths)}" if paths else line


def _counted(steps: Sequence[Step]) -> str:
    counts = ((_name(step), steps.count(step)) for step in Step)
    return ", ".join(f"{count} to {name}" for name, count in counts if count) or "nothing to do"


def _name(step: Step) -> str:
    return step.name.lower()
