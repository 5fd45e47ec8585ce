"""`kontext status JOB…`: poll the provider for the state of jobs, or follow them."""

from collections.abc import Sequence

from kontext_cli.commands.exit_codes import common_code
from kontext_cli.commands.find import named_jobs
from kontext_cli.commands.session import Session
from kontext_cli.commands.status import listed_jobs
from kontext_cli.engine.endings import is_unsettled
from kontext_cli.engine.engine import Engine
from kontext_cli.job import Job, State
from kontext_cli.providers import Name
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.result import Result


def poll_jobs(
    names: Sequence[str],
    *,
    provider: Name | None,
    model: str | None,
    watch: bool,
    timeout: float,
    as_json: bool,
    quiet: bool,
    debug: bool,
) -> Result:
    """Poll the provider for the current state of jobs, or follow them until they end.

    The exit code is the one of their states.
    """
    report = open_report(as_json=as_json, quiet=quiet or not watch, plain=debug)
    report.downloads = False
    with Session(report, debug=debug) as session:
        jobs = named_jobs(session, names, provider=provider, model=model)
        waiting = [
            job for job in jobs if job.state in (State.QUEUED, State.RUNNING) or is_unsettled(job)
        ]

        async def poll(engine: Engine, job: Job) -> None:
            if not session.journal.claim(job):
                engine.leave_record(job)
            if watch:
                await engine.follow(job, timeout=timeout)
            else:
                await engine.ask(job)

        session.find_keys(waiting)
        session.run(lambda: session.for_each(waiting, poll), waiting)
    codes = [
        job.error.exit_code if job.error and job in waiting else job.state.exit_code for job in jobs
    ]
    return listed_jobs(jobs, common_code(codes))
