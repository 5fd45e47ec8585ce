"""What `kontext status JOB` does: ask the provider now."""

from collections.abc import Sequence

from kontext_cli.cli.exit_codes import common_code, state_code
from kontext_cli.cli.history import print_table
from kontext_cli.cli.named_jobs import named_jobs
from kontext_cli.cli.report import Report, as_line, job_record, open_report, print_error, to_stdout
from kontext_cli.cli.session import Session
from kontext_cli.engine import Engine
from kontext_cli.job import Job, State
from kontext_cli.providers import Name


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
    """Print where jobs are now; the exit code by their state."""
    report = open_report(as_json=as_json, quiet=quiet or not watch, plain=debug)
    report.downloads = False
    with Session(report, debug=debug) as session:
        jobs = named_jobs(session, names, provider=provider, model=model)
        waiting = [job for job in jobs if job.state in (State.QUEUED, State.RUNNING)]

        async def ask_one(engine: Engine, job: Job) -> None:
            if not session.journal.claim(job):
                engine.leave_record(job)
            if watch:
                await engine.follow(job, timeout=timeout)
            else:
                await engine.ask(job)

        session.run(lambda: session.for_each(waiting, ask_one), waiting)
        _tell(jobs, report, as_json=as_json)
        return common_code([_code(job, asked=job in waiting) for job in jobs])


def _tell(jobs: Sequence[Job], report: Report, *, as_json: bool) -> None:
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
    """The code of the job's state; that of the fault where asking failed."""
    if asked and job.error is not None:
        return job.error.exit_code
    return state_code(job.state)
