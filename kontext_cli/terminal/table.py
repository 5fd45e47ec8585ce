"""Jobs as a table."""

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from kontext_cli.job import Job
from kontext_cli.terminal.printable import one_line

_HEADINGS = ("id", "age", "provider", "model", "state", "prompt", "files")
_PROMPT = _HEADINGS.index("prompt")
_NARROWEST = 12
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def job_table(jobs: Sequence[Job]) -> Iterator[str]:
    """The lines of a table of jobs, with prompts truncated to the width of the terminal.

    File names are truncated only on a terminal, never in a pipe. Without jobs there are no lines.
    """
    if not jobs:
        return
    now = datetime.now(UTC)
    rows = [_HEADINGS, *(_row(job, now) for job in jobs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    others = sum(widths) - widths[_PROMPT] + 2 * (len(widths) - 1)
    columns = shutil.get_terminal_size().columns
    widths[_PROMPT] = min(widths[_PROMPT], max(columns - others, _NARROWEST))
    if sys.stdout is not None and sys.stdout.isatty():
        short = max(others + widths[_PROMPT] - columns, 0)
        widths[-1] = max(widths[-1] - short, _NARROWEST)
    for row in rows:
        yield "  ".join(map(_cell, row, widths)).rstrip()


def _row(job: Job, now: datetime) -> tuple[str, ...]:
    return (
        job.id,
        _age((now - job.created_at).total_seconds()),
        job.provider,
        one_line(job.model),
        str(job.state),
        one_line(str(job.request.get("prompt", "")) or f"request id {job.request_id}"),
        ", ".join(one_line(file.path.name) for file in job.files),
    )


def _age(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "now"


def _cell(text: str, width: int) -> str:
    return (text if len(text) <= width else text[: width - 1] + "…").ljust(width)
