"""`kontext status`: list recent jobs, or poll the provider for the named ones."""

import os
import shutil
import sys
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kontext_cli.commands.exit_codes import common_code, state_code
from kontext_cli.job import Job, State
from kontext_cli.journal import Journal
from kontext_cli.providers import Name
from kontext_cli.settings.paths import state_dir
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.output import to_stderr, to_stdout
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.report import Report
from kontext_cli.terminal.text import print_error

if TYPE_CHECKING:
    from kontext_cli.engine.engine import Engine


def ask(
    names: Sequence[str],
    *,
    provider: Name | None,
    model: str | None,
    watch: bool,
    timeout: float,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> int:
    """Print the current state of jobs; returns the exit code for their states."""
    # Listing jobs needs neither the HTTP library nor pydantic.
    from kontext_cli.commands.find import named_jobs
    from kontext_cli.commands.session import Session

    report = open_report(as_json=as_json, quiet=quiet or not watch, plain=debug)
    report.downloads = False
    with Session(report, debug=debug) as session:
        jobs = named_jobs(session, names, provider=provider, model=model)
        waiting = [job for job in jobs if job.state in (State.QUEUED, State.RUNNING)]

        async def ask_one(engine: "Engine", job: Job) -> None:
            if not session.journal.claim(job):
                engine.leave_record(job)
            if watch:
                await engine.follow(job, timeout=timeout)
            else:
                await engine.ask(job)

        session.run(lambda: session.for_each(waiting, ask_one), waiting)
        _print(jobs, report, as_json=as_json)
        return common_code([_code(job, asked=job in waiting) for job in jobs])


def _print(jobs: Sequence[Job], report: Report, *, as_json: bool) -> None:
    report.close()
    if as_json:
        for job in jobs:
            to_stdout(as_line(job_record(job, with_urls=True)))
    else:
        print_table(jobs)
    for job in jobs:
        if job.error:
            print_error(job.error, job)


def _code(job: Job, *, asked: bool) -> int:
    """The exit code for the job's state, or of the error if polling failed."""
    if asked and job.error is not None:
        return job.error.exit_code
    return state_code(job.state)


_HEADINGS = ("id", "age", "provider", "model", "state", "prompt", "files")


_PROMPT = _HEADINGS.index("prompt")


_NARROWEST = 12


_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def show_recent(*, limit: int, states: Collection[State], batch: str | None, as_json: bool) -> int:
    """Print the newest jobs, newest first. Raises JournalFault."""
    journal = Journal.read(state_dir(os.environ), log=to_stderr)
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
        to_stderr("no jobs yet" if not states and batch is None else "no matching jobs")
    return 0


def print_table(jobs: Sequence[Job]) -> None:
    """Print a table of jobs, with prompts truncated to the width of the terminal.

    File names are truncated only on a terminal, never in a pipe.
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
