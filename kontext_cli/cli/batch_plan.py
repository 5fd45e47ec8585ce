"""`--dry-run` of a batch: what would be done with each row, its files, and what it would cost."""

import shutil
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from kontext_cli.batch.again import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.tally import Tally
from kontext_cli.cli.batch_report import row_name, rows_text, summary_record
from kontext_cli.cli.printable import escaped
from kontext_cli.cli.report import as_line, cost_text, job_record, to_stdout
from kontext_cli.job import Job

_INDENT = "  "


def show_rows(
    entries: Sequence[Entry], planner: Planner, tally: Tally, *, batch: str, as_json: bool
) -> int:
    """Print every row with its prompt, and the total; the exit code."""
    columns = shutil.get_terminal_size().columns
    for entry in entries:
        job = planner.stub(entry) if entry.step is Step.MAKE else planner.known_job(entry)
        if entry.step is Step.MAKE:
            tally.spend(entry.cost)
        else:
            tally.count(job)
        if as_json:
            planned = tuple(map(Path, entry.paths)) if entry.step is Step.MAKE else ()
            to_stdout(as_line(job_record(job, reason=entry.reason, planned=planned)))
        else:
            prompt = planner.prompt(entry.row)
            to_stdout(escaped(_row(entry, job)) + "\n" + _INDENT + fitted(prompt, columns - 3))
    if as_json:
        to_stdout(as_line(summary_record(batch, tally, exit_code=0)))
    else:
        to_stdout(f"{rows_text(len(entries))}, {_counted(entries)}: {cost_text(tally.cost)}")
    return 0


def fitted(text: str, columns: int) -> str:
    """A text in one line of so many columns of a terminal, the rest of it left out."""
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
