"""`kontext cancel`: one cancel request per job, and the provider's answer."""

from collections.abc import Sequence

from kontext_cli.commands.exit_codes import common_code
from kontext_cli.commands.find import named_jobs
from kontext_cli.commands.session import Session
from kontext_cli.engine.endings import for_job
from kontext_cli.errors import KontextError, UsageError
from kontext_cli.job import OPEN, Job, State
from kontext_cli.providers import Name
from kontext_cli.providers.base import Cancellation, Queue
from kontext_cli.settings.settings import known_provider
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.output import print_result, to_stderr
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.text import print_error

_ACCEPTED = (Cancellation.REMOVED, Cancellation.REQUESTED)


def run_cancel(
    names: Sequence[str], *, provider: Name | None, model: str | None, as_json: bool, debug: bool
) -> int:
    """Cancel jobs; 0 if each was removed or its cancel request accepted, else 4."""
    report = open_report(as_json=as_json, quiet=True, plain=debug)
    with Session(report, debug=debug) as session:
        jobs = named_jobs(session, names, provider=provider, model=model)
        for job in jobs:
            _check(session, job)
        codes: list[int] = []

        async def work() -> None:
            for job in jobs:
                codes.append(await _cancel(session, job))

        session.run(work, [])
        if as_json:
            for job in jobs:
                print_result(as_line(job_record(job)))
        return common_code(codes)


def _check(session: Session, job: Job) -> None:
    if not isinstance(session.settings.open(known_provider(job.provider)), Queue):
        raise UsageError(f"{job.provider} answers in one call; there is nothing to cancel")
    if job.handle is None:
        raise UsageError(f"job {job.id} is {job.state} and has no request id")


async def _cancel(session: Session, job: Job) -> int:
    provider = session.settings.open(known_provider(job.provider))
    try:
        async with session.engine(provider) as engine:
            answer = await engine.cancel(job)
    except KontextError as error:
        job.error = for_job(error, job)
        print_error(job.error, job)
        return error.exit_code
    to_stderr(f"job {job.id}: {answer}")
    if answer is Cancellation.TOO_LATE and job.state in OPEN:
        to_stderr(f"hint: kontext fetch {job.id}")
    if answer is Cancellation.REMOVED:
        job.state = State.CANCELED
        session.journal.record(job)
    return 0 if answer in _ACCEPTED else 4
