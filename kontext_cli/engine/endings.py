"""Errors of jobs: whether the job may have been billed, and the command to paste next."""

from collections.abc import Sequence

from kontext_cli.errors import (
    Billed,
    BrokenProvider,
    JobFailed,
    JournalFault,
    KeyFault,
    KontextError,
    Moderated,
    OutcomeUnknown,
    ProviderError,
    RequestIdTaken,
    StillRunning,
    StorageFault,
    UnexpectedReply,
    Unreachable,
)
from kontext_cli.job import ACCEPTED, OPEN, Job, State


def cut_short(how: str) -> OutcomeUnknown:
    """The error of a submit whose outcome is unknown; ``how`` says why."""
    return OutcomeUnknown(
        f"the outcome of the submit is unknown ({how}): it may have been accepted and billed"
    )


def out_of_time(provider: str, timeout: float, *, sent: bool) -> KontextError:
    """The error of a submit that took longer than its timeout in seconds."""
    if sent:
        return cut_short(f"no answer within {timeout:g} s")
    return Unreachable(f"{provider} could not be reached within {timeout:g} s")


def unknown_since(job: Job) -> KontextError:
    """The error of a job whose process died during its submit."""
    how = f"{job.provider} may have accepted and billed this job, but its answer was never read"
    return at_end(OutcomeUnknown(how), job)


def not_accepted(job: Job, *, or_forgotten: bool) -> Unreachable:
    """The error of a job that its provider, asked for it, does not have; ``or_forgotten`` where so
    much time has passed that it may have had it."""
    why = "it was not accepted" + (", or a restarted server forgot it" if or_forgotten else "")
    return Unreachable(
        f"{job.provider} was asked for the job, and does not have it: {why}", hint="run it again"
    )


def not_its_own(job: Job, taken: RequestIdTaken) -> OutcomeUnknown:
    """The error of a job whose submit was answered with the request id of another one."""
    return OutcomeUnknown(
        f"{job.provider} answered with the request id of another job ({taken}): "
        "this one may have been accepted and billed"
    )


def is_unsettled(job: Job) -> bool:
    """Whether the outcome of a submit is unknown, but the provider can be asked: we chose the id of
    the job before it was sent."""
    return job.state is State.UNKNOWN and _has_chosen_id(job)


def elsewhere(job: Job) -> Job:
    """The job, with the error that another process is working on it."""
    return _taken(job, "is working on this job", hint=f"kontext fetch {job.id}")


def out_of_reach(job: Job) -> Job:
    """The job, with the error that another process gave it to a provider that is not used here."""
    return _taken(job, f"has given this job to {job.provider}", hint=f"kontext fetch {job.id}")


def overtaken(job: Job) -> Job:
    """The job, with the error that another process changed it after it was read here."""
    return _taken(
        job, "has just changed this job; nothing was done", hint=f"kontext status {job.id}"
    )


def _taken(job: Job, how: str, *, hint: str) -> Job:
    error = StillRunning(f"another kontext process {how}", hint=hint, billed="maybe")
    job.error = for_job(error, job)
    return job


def still_running(provider: str, timeout: float) -> StillRunning:
    """The error of a job that takes longer than its timeout in seconds."""
    return StillRunning(
        f"{provider} is still working after {timeout:g} s; the job continues there",
        billed="maybe",
    )


def bill_so_far(job: Job) -> Billed:
    """Whether a job may have been billed, by what is known so far."""
    if job.outputs or job.state in (State.READY, State.SAVED):
        return "yes"
    if job.state in (*OPEN, State.UNKNOWN):
        return "maybe"
    if job.error is not None:
        return job.error.billed
    return "maybe" if job.request_id else "no"


def for_job(error: KontextError, job: Job) -> KontextError:
    """A copy of an error that says nothing about the job's submit, with the billing known so far.

    Such is a missing key, a file that cannot be read, or a request for the status that failed.
    """
    billed = bill_so_far(job)
    return error.replace(billed=error.billed if billed == "no" else billed)


def unrecorded(job: Job, fault: JournalFault) -> JournalFault:
    """The error of a job that has got on well, but could not be recorded in time."""
    return fault.replace(
        f"the job is {job.state}, but not in the journal: {fault.message}",
        hint=by_request_id(job) if job.request_id else fault.hint,
        billed=bill_so_far(job),
    )


_REFUSED_AS_BUSY = (429, 503)


def was_not_taken(job: Job) -> bool:
    """Whether a job may be given to another provider: this one certainly did not accept it, and
    not because of what was asked for."""
    error = job.error
    if job.request_id is not None or job.outputs or error is None or error.billed != "no":
        return False
    is_busy = isinstance(error, JobFailed) and error.status in _REFUSED_AS_BUSY
    return is_busy or isinstance(error, KeyFault | Unreachable)


def none_left(errors: Sequence[KontextError]) -> KontextError:
    """The error where each server failed with one of these: what was tried, unless all of them
    refuse the key, or the request."""
    refusals = KeyFault, JobFailed
    if len(errors) == 1 or any(all(isinstance(each, kind) for each in errors) for kind in refusals):
        return errors[-1]
    return Unreachable(
        "no server takes jobs: " + "; ".join(each.message for each in errors),
        hint="start one of them, and run it again",
    )


def at_end(error: KontextError, job: Job, *, recorded: bool = True) -> KontextError:
    """A copy of the error that ended the work on a job, with its billing and the command to paste
    next. ``recorded`` is false if the journal lacks the job."""
    hint = _next_command(job, error, recorded=recorded)
    return error.replace(billed=_final_bill(job, error), hint=hint)


def _final_bill(job: Job, error: KontextError) -> Billed:
    if job.outputs or job.state is State.READY:
        return "yes"
    is_outcome = isinstance(error, ProviderError | Moderated)
    about_the_job = is_outcome and not isinstance(error, UnexpectedReply)
    if job.request_id and not about_the_job and error.billed == "no":
        return "maybe"
    return error.billed


def _next_command(job: Job, error: KontextError, *, recorded: bool) -> str | None:
    """The command to paste next; for a local fault, preceded by what has to be fixed."""
    if isinstance(error, OutcomeUnknown) and _has_chosen_id(job):
        return f"`kontext fetch {job.id}` asks {job.provider} for it"
    if isinstance(error, OutcomeUnknown):
        return (
            f"check {job.provider}'s list of requests; "
            f"`kontext fetch {job.id} --resubmit` submits it again"
        )
    if error.state is not None or job.state not in ACCEPTED:
        return error.hint
    if not recorded and job.request_id is None:
        return error.hint
    fetch = f"kontext fetch {job.id}" if recorded else by_request_id(job)
    fix_first = isinstance(error, StorageFault | KeyFault | BrokenProvider) and error.hint
    return f"{error.hint}, then: {fetch}" if fix_first else fetch


def by_request_id(job: Job) -> str:
    """The command that fetches a job that is not in the journal."""
    return f"kontext fetch {job.request_id} -p {job.provider}"


def _has_chosen_id(job: Job) -> bool:
    """Whether a job has an id that we chose, and is not known to be accepted under it."""
    return job.handle is not None and job.request_id is None
