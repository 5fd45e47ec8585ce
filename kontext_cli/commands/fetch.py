"""`kontext fetch`: download the results of jobs. It submits only with `--resubmit`."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

from kontext_cli.commands.exit_codes import common_code, state_code
from kontext_cli.commands.find import named_jobs
from kontext_cli.commands.generate import check_names, load_sources, tell_differences
from kontext_cli.commands.session import Session
from kontext_cli.engine.endings import elsewhere, for_job, overtaken, unknown_since
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.plan import Wanted, names_for
from kontext_cli.errors import (
    InputFault,
    JournalFault,
    KontextError,
    UsageError,
)
from kontext_cli.files.delivery import Delivery
from kontext_cli.files.disk import is_special
from kontext_cli.files.names import Exists
from kontext_cli.files.saved import existing_file
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import OPEN, Job, State, Target
from kontext_cli.journal.replies import Answers
from kontext_cli.providers import Name
from kontext_cli.providers.base import Provider
from kontext_cli.providers.prepare import Draft, prepare
from kontext_cli.request import Request, parse
from kontext_cli.settings.paths import from_home
from kontext_cli.settings.settings import known_provider
from kontext_cli.terminal.input import output_path
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.report import Report
from kontext_cli.terminal.result import Result

_MOST_UNKNOWN = 10_000
"""At most so many jobs of unknown outcome are read when no job is named."""
_NAMED = 10
"""At most so many of them are listed in the notice."""
_RESUBMITTED = (State.UNKNOWN, State.FAILED, State.CANCELED)


@dataclass(frozen=True, slots=True)
class Fetch:
    """The arguments of `fetch`."""

    names: tuple[str, ...]
    provider: Name | None
    model: str | None
    output: str | None
    output_dir: str | None
    template: str | None
    keep_flagged: bool
    resubmit: bool
    timeout: float
    as_json: bool
    quiet: bool
    debug: bool


@dataclass(slots=True)
class _Errand:
    """One job to download: its delivery, and the call if it is to be resubmitted."""

    job: Job
    delivery: Delivery
    draft: Draft | None = None


def run_fetch(fetch: Fetch) -> Result:
    """Download the named jobs, else all unfinished ones.

    Jobs of unknown outcome that are not named are listed in a notice and do not affect the exit
    code.
    """
    fetch = replace(fetch, output=output_path(fetch.output))
    _check(fetch)
    report = open_report(as_json=fetch.as_json, quiet=fetch.quiet, plain=fetch.debug)
    with Session(report, debug=fetch.debug) as session:
        jobs = _jobs(session, fetch, report)
        errands = [each for job in jobs if (each := _errand_if_any(session, job, fetch, report))]
        under_way = {errand.job.id for errand in errands}
        for job in jobs:
            if job.id not in under_way:
                report.ended(job)
        _run(session, errands, fetch, report)
        return Result(common_code([_code(job) for job in jobs]))


def _code(job: Job) -> int:
    return job.error.exit_code if job.error else state_code(job.state)


def _check(fetch: Fetch) -> None:
    check_names(fetch.output, fetch.template)
    if fetch.output is not None and len(fetch.names) != 1:
        raise UsageError("--output needs exactly one JOB", hint="kontext fetch JOB -o PATH")
    if fetch.output == "-" and fetch.as_json:
        raise UsageError("`-o -` and --json both write to standard output")
    if fetch.resubmit and not fetch.names:
        raise UsageError("--resubmit needs a JOB", hint="kontext fetch JOB --resubmit")


def _jobs(session: Session, fetch: Fetch, report: Report) -> list[Job]:
    """The jobs to fetch: the named ones, else all unfinished ones."""
    if fetch.names:
        return named_jobs(session, fetch.names, provider=fetch.provider, model=fetch.model)
    unknown = session.journal.recent(limit=_MOST_UNKNOWN, states=[State.UNKNOWN])
    found = {job.id: job for job in (*session.journal.unfinished(), *unknown)}
    jobs = [
        job
        for job in found.values()
        if fetch.provider in (None, job.provider) and fetch.model in (None, job.model)
    ]
    answers = Answers(session.state_folder)
    lost = [job for job in jobs if job.state is State.UNKNOWN and answers.find(job.id) is None]
    _list_unknown(lost, report)
    if not jobs:
        report.notice("no unfinished jobs; nothing to fetch")
    return [job for job in jobs if job not in lost]


def _list_unknown(jobs: Sequence[Job], report: Report) -> None:
    """List jobs that may have been accepted; only the user can check, or resubmit them."""
    if not jobs:
        return
    for job in jobs:
        job.error = job.error or unknown_since(job)
        report.listed(job)
    ids = ", ".join(job.id for job in jobs[:_NAMED])
    more = f" and {len(jobs) - _NAMED} more (kontext status --state unknown)"
    report.notice(
        f"{len(jobs)} job{'' if len(jobs) == 1 else 's'} of unknown outcome, which may have been"
        f" accepted and billed: {ids}{more if len(jobs) > _NAMED else ''};"
        " check the provider's list of requests, then run: kontext fetch JOB --resubmit,"
        " or: kontext forget JOB"
    )


def _errand_if_any(session: Session, job: Job, fetch: Fetch, report: Report) -> _Errand | None:
    """The errand for a job; a fault of this job does not stop the others."""
    try:
        return _errand(session, job, fetch, report)
    except KontextError as fault:
        job.error = for_job(fault, job)
        return None


def _errand(session: Session, job: Job, fetch: Fetch, report: Report) -> _Errand | None:
    """The errand for a job; None if there is nothing to do, and ``job`` then says why."""
    if session.journal.owned_elsewhere(job.id):
        elsewhere(job)
        return None
    provider = session.settings.open(known_provider(job.provider))
    if fetch.resubmit and job.state in _RESUBMITTED:
        draft = _draft_again(job, provider)
        return _Errand(job, _delivery(job, fetch, session), draft)
    if job.state is State.SAVED and not _lacks_files(job, report):
        job.skipped = True
        return None
    if job.state is State.UNKNOWN and not provider.blocking:
        job.error = job.error or unknown_since(job)
        return None
    kept_back = job.state is State.MODERATED and fetch.keep_flagged and job.outputs
    if job.state not in (*OPEN, State.SAVED, State.UNKNOWN, State.EXPIRED) and not kept_back:
        return None
    job.error = None
    return _Errand(job, _delivery(job, fetch, session))


def _lacks_files(job: Job, report: Report) -> bool:
    """Whether files of a saved job were deleted since; they are removed from ``job.files``.

    A file that was changed is left alone.
    """
    there = [file for file in job.files if file.path.exists()]
    for file in there:
        if is_special(file.path):
            continue
        try:
            changed = existing_file(file.path).sha256 != file.sha256
        except KontextError:
            changed = True
        if changed:
            report.notice(f"{file.path} was changed since it was saved; it is left alone")
    if there and len(there) == len(job.files):
        return False
    job.files = tuple(there)
    return True


def _delivery(job: Job, fetch: Fetch, session: Session) -> Delivery:
    """Where the files go: as given now, else as given at submit."""
    if fetch.output == "-":
        if job.request.get("num_images", 1) > 1:
            raise UsageError("`-o -` can write only one image")
        return session.delivery(None)
    asked_now = fetch.output or fetch.output_dir or fetch.template
    if asked_now or job.target is None:
        folder = Path(from_home(fetch.output_dir or "."))
        exists: Exists = "error" if fetch.output or fetch.template else "number"
        names = names_for(job, Wanted(folder, fetch.output, fetch.template, exists))
        job.target = Target(tuple(path.absolute() for path in names.paths))
    if fetch.keep_flagged:
        job.target = Target(job.target.paths, job.target.overwrite, keep_flagged=True)
    return session.delivery(job.target)


def _draft_again(job: Job, provider: Provider) -> Draft:
    """The draft of a job to resubmit. Raises InputFault for changed images."""
    images = load_sources(tuple(source.name for source in job.sources), provider)
    _check_unchanged(job, images)
    request = _request_again(job)
    return prepare(provider, request, model=job.model, images=images)


def _request_again(job: Job) -> Request:
    if not job.request:
        raise UsageError(
            f"job {job.id} was submitted elsewhere and cannot be resubmitted from here"
        )
    images = tuple(source.name for source in job.sources) or None
    return parse({**job.request, "operation": job.operation, "images": images})


def _check_unchanged(job: Job, images: Sequence[InputImage]) -> None:
    for source, image in zip(job.sources, images, strict=True):
        if source.sha256 != image.sha256:
            raise InputFault(
                f"`{source.name}` has changed since job {job.id} was submitted",
                hint="start a new job with `kontext edit`",
            )


def _run(session: Session, errands: Sequence[_Errand], fetch: Fetch, report: Report) -> None:
    """Do all errands, and report each job as it ends."""
    by_job = {errand.job.id: errand for errand in errands}
    reported: set[str] = set()

    async def go(engine: Engine, job: Job) -> None:
        await _bring(session, engine, by_job[job.id], fetch.timeout)
        reported.add(job.id)
        tell_differences(job, report, by_job[job.id].delivery)
        report.ended(job)

    jobs = [errand.job for errand in errands]
    session.run(lambda: session.for_each(jobs, go), jobs)
    for job in jobs:
        if job.id not in reported:
            report.ended(job)


async def _bring(session: Session, engine: Engine, errand: _Errand, timeout: float) -> None:
    job = errand.job
    keep = bool(job.target and job.target.keep_flagged)
    if not session.journal.claim(job):
        overtaken(job)
    elif errand.draft is None:
        await engine.fetch(job, errand.delivery, timeout=timeout, keep_flagged=keep)
    else:
        with _as_it_was(session, job):
            await engine.run(job, errand.draft, errand.delivery, timeout=timeout, keep_flagged=keep)


@contextmanager
def _as_it_was(session: Session, job: Job) -> Iterator[None]:
    """Resubmit a job within; if that is certainly not accepted, restore its previous record,
    above all whether it was billed."""
    before = replace(job)
    job.error = job.handle = job.request_id = job.finished_at = None
    job.outputs, job.files, job.reply = (), (), {}
    try:
        yield
    finally:
        refusal = job.error
        if (refusal is None or refusal.billed == "no") and not (job.request_id or job.outputs):
            for each in fields(Job):
                setattr(job, each.name, getattr(before, each.name))
            with suppress(JournalFault):  # it is then listed as unknown
                session.journal.record(job)
            job.error = for_job(refusal, job) if refusal else None
