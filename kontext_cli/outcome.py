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
from kontext_cli.job import ACCEPTED, Job, State


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
    """The job, with the word that another run is at it."""
    job.error = StillRunning("another kontext is at this job", billed="maybe")
    return job


def still_running(provider: str, timeout: float) -> StillRunning:
    """A job that takes longer than we were told to wait."""
    return StillRunning(
        f"{provider} is still at it after {timeout:g} s; the job goes on there", billed="maybe"
    )


def bill(job: Job, error: KontextError) -> Billed:
    """What was accepted may cost, whatever went wrong on our side; what was made does."""
    if job.state is State.READY:
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
    fetch = job.id if recorded else f"{job.request_id} -p {job.provider}"
    mends_first = isinstance(error, StorageFault | KeyFault) and error.hint
    return f"{error.hint}, then: kontext fetch {fetch}" if mends_first else f"kontext fetch {fetch}"
