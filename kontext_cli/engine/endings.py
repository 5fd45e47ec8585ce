"""What is said of a job that did not end well: whether it may cost, and what to paste next."""

from kontext_cli.errors import (
    Billed,
    KeyFault,
    KontextError,
    OutcomeUnknown,
    ProviderError,
    StillRunning,
    StorageFault,
)
from kontext_cli.job import ACCEPTED, OPEN, Job, State
from kontext_cli.words import seconds_text


def cut_short(how: str) -> OutcomeUnknown:
    """A submit whose outcome nobody can know."""
    return OutcomeUnknown(
        f"the outcome of the submit is unknown ({how}): "
        "it may have been accepted and may have been billed",
        billed="maybe",
    )


def unknown_since(job: Job) -> OutcomeUnknown:
    """What is told of a job whose process died while its submit was under way."""
    error = OutcomeUnknown(
        f"{job.provider} may have accepted and billed this job, but its answer was never read",
        billed="maybe",
    )
    error.hint = way_on(job, error, recorded=True)
    return error


def elsewhere(job: Job) -> Job:
    """The job, with the error that another run is at it."""
    error = StillRunning(
        "another kontext is at this job", hint=f"kontext fetch {job.id}", billed="maybe"
    )
    job.error = for_job(error, job)
    return job


def overtaken(job: Job) -> Job:
    """The job, with the error that another run changed it since it was read here."""
    error = StillRunning(
        "another kontext was at this job just now; this one did nothing",
        hint=f"kontext status {job.id}",
        billed="maybe",
    )
    job.error = for_job(error, job)
    return job


def still_running(provider: str, timeout: float) -> StillRunning:
    """A job that takes longer than we were told to wait."""
    return StillRunning(
        f"{provider} is still at it after {seconds_text(timeout)} s; the job goes on there",
        billed="maybe",
    )


def bill_so_far(job: Job) -> Billed:
    """Whether a job has to be paid for, by what was learned about it until now."""
    if job.outputs or job.state in (State.READY, State.SAVED):
        return "yes"
    if job.state in (*OPEN, State.UNKNOWN):
        return "maybe"
    if job.error is not None:
        return job.error.billed
    return "maybe" if job.request_id else "no"


def for_job(error: KontextError, job: Job) -> KontextError:
    """A copy of an error that stopped a command on a job, with what is known of the job's bill.

    A missing key, a file or a question that failed says nothing of what was submitted before.
    """
    copy = type(error).__new__(type(error), *error.args)
    vars(copy).update(vars(error))
    billed = bill_so_far(job)
    copy.billed = error.billed if billed == "no" else billed
    return copy


def bill(job: Job, error: KontextError) -> Billed:
    """What was accepted may cost, whatever went wrong on our side; what was made does."""
    if job.outputs or job.state is State.READY:
        return "yes"
    if job.request_id and not isinstance(error, ProviderError) and error.billed == "no":
        return "maybe"
    return error.billed


def way_on(job: Job, error: KontextError, *, recorded: bool) -> str | None:
    """The command to paste next; for a fault on this side, after what has to be mended."""
    if isinstance(error, OutcomeUnknown):
        return (
            f"look at {job.provider}'s own list of requests; "
            f"`kontext fetch {job.id} --resubmit` sends it again"
        )
    if error.state is not None or job.state not in ACCEPTED:
        return error.hint
    if not recorded and job.request_id is None:
        return error.hint
    fetch = f"kontext fetch {job.id}" if recorded else by_request_id(job)
    mends_first = isinstance(error, StorageFault | KeyFault) and error.hint
    return f"{error.hint}, then: {fetch}" if mends_first else fetch


def by_request_id(job: Job) -> str:
    """The command that fetches a job which the journal does not know."""
    return f"kontext fetch {job.request_id} -p {job.provider}"
