"""What `kontext status` shows without arguments: the journal's recent jobs. Asks nobody."""

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from kontext_cli.cli.printable import one_line
from kontext_cli.cli.report import as_line, job_record, to_stderr, to_stdout
from kontext_cli.job import Job, State
from kontext_cli.journal import Journal
from kontext_cli.paths import state_dir

_HEADINGS = ("id", "age", "provider", "model", "state", "prompt", "files")
_PROMPT = _HEADINGS.index("prompt")
_NARROWEST = 12
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def show_recent(*, limit: int, states: Collection[State], batch: str | None, as_json: bool) -> int:
    """Print the newest jobs, newest first. Raises JournalFault."""
    journal = Journal.read(state_dir(os.environ), tell=to_stderr)
    if journal is None:
        jobs: list[Job] = []
    else:
        with journal:
            jobs = journal.recent(limit=limit, states=states, batch=batch)
    if as_json:
        for job in jobs:
            to_stdout(as_line(job_record(job, with_urls=True)))
    elif jobs:
        print_table(jobs)
    else:
        to_stderr("no jobs yet" if not states and batch is None else "no such jobs")
    return 0


def print_table(jobs: Sequence[Job]) -> None:
    """Print a line for each job under headings, prompts cut to the width of the terminal.

    File names are cut on a terminal alone: a pipe gets them whole.
    """
    now = datetime.now(UTC)
    rows = [_HEADINGS, *(_row(job, now) for job in jobs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    others = sum(widths) - widths[_PROMPT] + 2 * (len(widths) - 1)
    columns = shutil.get_terminal_size().columns
    widths[_PROMPT] = min(widths[_PROMPT], max(columns - others, _NARROWEST))
    if sys.stdout is not None and sys.stdout.isatty():
        short = max(others + widths[_PROMPT] - columns, 0)
        widths[-1] = max(widths[-1] - short, _NARROWEST)
    for row in rows:
        cells = (_cell(text, width) for text, width in zip(row, widths, strict=True))
        to_stdout("  ".join(cells).rstrip())


def _row(job: Job, now: datetime) -> tuple[str, ...]:
    files = ", ".join(one_line(file.path.name) for file in job.files)
    return (
        job.id,
        _age((now - job.created_at).total_seconds()),
        job.provider,
        one_line(job.model),
        str(job.state),
        one_line(str(job.request.get("prompt", "")) or f"request id {job.request_id}"),
        files,
    )


def _age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "now"


def _cell(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)
