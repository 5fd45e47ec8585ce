"""`kontext cancel`: one cancel request per job, and the provider's answer."""

from collections.abc import Sequence

from kontext_cli.commands.exit_codes import common_code
from kontext_cli.commands.find import named_jobs
from kontext_cli.commands.provider_of_job import provider_of_job
from kontext_cli.commands.session import Session
from kontext_cli.engine.endings import for_job
from kontext_cli.errors import KontextError, UsageError
from kontext_cli.job import OPEN, Job, State
from kontext_cli.providers import Name
from kontext_cli.providers.base import Cancellation, Provider, Queue
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.records import job_record
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.text import error_lines

_ACCEPTED = (Cancellation.REMOVED, Cancellation.REQUESTED)


def run_cancel(
    names: Sequence[str], *, provider: Name | None, model: str | None, debug: bool
) -> Result:
    """Cancel jobs; exit code 0 if each was removed or its cancel request accepted, else 4."""
    with Session(open_report(as_json=False, quiet=True), debug=debug) as session:
        jobs = named_jobs(session, names, provider=provider, model=model)
        providers = [_provider(session, job) for job in jobs]
        codes: list[int] = []
        messages: list[str] = []
        errors: list[str] = []

        async def work() -> None:
            for job, at in zip(jobs, providers, strict=True):
                codes.append(await _cancel(session, at, job, messages, errors))

        session.find_keys(jobs)
        session.run(work, [])
    records = map(job_record, jobs)
    return Result(common_code(codes), records=records, messages=messages, errors=errors)


def _provider(session: Session, job: Job) -> Provider:
    """The provider of a job that can be canceled. Raises UsageError for any other job."""
    provider = provider_of_job(job, session.settings)
    if not isinstance(provider.at(job.endpoint), Queue):
        raise UsageError(f"{job.provider} answers in one call; there is nothing to cancel")
    if job.handle is None:
        raise UsageError(f"job {job.id} is {job.state} and has no request id")
    return provider


async def _cancel(
    session: Session, provider: Provider, job: Job, messages: list[str], errors: list[str]
) -> int:
    """Cancel a job and add the answer to ``messages``, or to ``errors`` if it is not canceled;
    returns the exit code."""
    try:
        async with session.engine(provider) as engine:
            answer = await engine.cancel(job)
        accepted = answer in _ACCEPTED
        (messages if accepted else errors).append(f"job {job.id}: {answer}")
        if answer is Cancellation.REMOVED:
            job.state = State.CANCELED
            session.journal.record(job)
    except KontextError as error:
        job.error = for_job(error, job)
        errors += error_lines(job.error, job)
        return error.exit_code
    if answer is Cancellation.TOO_LATE and job.state in OPEN:
        errors.append(f"hint: kontext fetch {job.id}")
    return 0 if accepted else 4
