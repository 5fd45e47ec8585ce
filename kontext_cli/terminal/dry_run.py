"""Prints a `--dry-run`: the calls, files and costs of what would be sent."""

import json
import shutil
import unicodedata
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.memory import Memory
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.tally import Tally
from kontext_cli.engine.plan import Plan
from kontext_cli.http.urls import abridged
from kontext_cli.images.inputs import is_url
from kontext_cli.job import Job
from kontext_cli.terminal.output import to_stdout
from kontext_cli.terminal.printable import escaped, one_line
from kontext_cli.terminal.records import as_line, job_record, summary_record
from kontext_cli.terminal.text import cost_text, row_name, rows_text

_SHOWN = 40


def show_plan(plan: Plan) -> None:
    """Print the call without its key and without URL signatures, the files, and the estimate."""
    urls = {source.name for source in plan.job.sources if is_url(source.name)}
    call = plan.draft.call()
    body = _shortened(call.json, urls)
    to_stdout(f"{call.method} {call.url}")
    to_stdout(json.dumps(body, indent=2, ensure_ascii=False))
    if plan.names is None:
        to_stdout("file: standard output")
    else:
        for path in plan.names.paths:
            to_stdout(f"file: {one_line(str(path))}")
    cost = plan.job.cost
    to_stdout(f"cost: {'unknown' if cost.usd is None else cost_text(cost)}")


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


_INDENT = "  "


def show_rows(
    entries: Sequence[Entry],
    planner: Planner,
    memory: Memory,
    tally: Tally,
    *,
    batch: str,
    as_json: bool,
) -> int:
    """Print every row with its prompt, and the total; returns the exit code."""
    columns = shutil.get_terminal_size().columns
    for entry in entries:
        job = planner.job(entry) if entry.step is Step.MAKE else memory.job_of(entry)
        if entry.step is Step.MAKE:
            tally.spend(entry.cost)
        else:
            tally.count(job)
        if as_json:
            planned = tuple(map(Path, entry.paths)) if entry.step is Step.MAKE else ()
            to_stdout(as_line(job_record(job, reason=entry.reason, planned=planned)))
        else:
            prompt = entry.request.prompt
            to_stdout(escaped(_row(entry, job)) + "\n" + _INDENT + fitted(prompt, columns - 3))
    if as_json:
        to_stdout(as_line(summary_record(batch, tally, exit_code=0)))
    else:
        to_stdout(f"{rows_text(len(entries))}, {_counted(entries)}: {cost_text(tally.cost)}")
    return 0


def fitted(text: str, columns: int) -> str:
    """Text truncated to one line of the given number of terminal columns."""
    plain = escaped(" ".join(text[: 4 * max(columns, 1)].split()))
    widths = [_width(char) for char in plain]
    if sum(widths) <= columns and len(text) <= 4 * columns:
        return plain
    kept, room = 0, columns - 1
    while kept < len(plain) and widths[kept] <= room:
        room -= widths[kept]
        kept += 1
    return f"{plain[:kept].rstrip()}…"


def _width(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _row(entry: Entry, job: Job) -> str:
    line = f"{row_name(job)}: {_name(entry.step)} ({entry.reason})"
    if entry.step is Step.MAKE:
        return f"{line} → {', '.join(entry.paths)}, {cost_text(entry.cost)}"
    paths = [str(file.path) for file in job.files]
    return f"{line} {', '.join(paths)}" if paths else line


def _counted(entries: Sequence[Entry]) -> str:
    steps = [entry.step for entry in entries]
    counts = ((_name(step), steps.count(step)) for step in Step)
    return ", ".join(f"{count} to {name}" for name, count in counts if count) or "nothing to do"


def _name(step: Step) -> str:
    return step.name.lower()
