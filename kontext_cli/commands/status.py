"""`kontext status`: list recent jobs from the journal. Imports nothing that sends requests."""

import os
from collections.abc import Collection, Sequence
from typing import Any

from kontext_cli.job import Job, State
from kontext_cli.journal import Journal
from kontext_cli.settings.paths import journal_location
from kontext_cli.terminal.jobs import job_in_full, job_lines
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.records import job_record
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.text import error_lines


def list_jobs(*, limit: int, states: Collection[State], batch: str | None) -> Result:
    """List the newest jobs in the journal, newest first. Raises JournalFault."""
    journal = Journal.read(journal_location(os.environ), log=to_stderr)
    jobs: list[Job] = []
    if journal is not None:
        with journal:
            jobs = journal.recent(limit=limit, states=states, batch=batch)
    none = "no matching jobs" if states or batch is not None else "no jobs yet"
    return Result(text=job_lines(jobs), records=_records(jobs), messages=() if jobs else [none])


def listed_jobs(jobs: Sequence[Job], exit_code: int) -> Result:
    """One job in full or a table of several, and the errors of those that have one."""
    errors = [line for job in jobs if job.error for line in error_lines(job.error, job)]
    text = job_in_full(jobs[0]) if len(jobs) == 1 else job_lines(jobs)
    return Result(exit_code, text=text, records=_records(jobs), errors=errors)


def _records(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    return [job_record(job, with_urls=True) for job in jobs]
