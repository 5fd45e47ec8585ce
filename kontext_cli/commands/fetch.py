"""`kontext fetch`: download the results of jobs. It submits only with `--resubmit`."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields, replace
from pathlib import Path
from typing import NamedTuple

from kontext_cli.commands.exit_codes import common_code
from kontext_cli.commands.find import named_jobs
from kontext_cli.commands.generate import check_names, differences, load_sources
from kontext_cli.commands.provider_of_job import provider_of_job
from kontext_cli.commands.session import Session
from kontext_cli.commands.viewing import open_files, set_up_previews
from kontext_cli.engine.endings import (
    elsewhere,
    for_job,
    is_unsettled,
    overtaken,
    unknown_since,
    was_not_taken,
)
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.plan import Wanted, names_for
from kontext_cli.errors import InputFault, JournalFault, KontextError, UsageError
from kontext_cli.files.delivery import Delivery
from kontext_cli.files.disk import is_special
from kontext_cli.files.names import Exists, check_output
from kontext_cli.files.origin import moved_here
from kontext_cli.files.place import typed_place
from kontext_cli.files.saved import condition, existing_file
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import OPEN, Job, State, Target
from kontext_cli.journal.replies import Answers
from kontext_cli.providers import Name
from kontext_cli.providers.base import Provider
from kontext_cli.providers.prepare import Draft, prepare
from kontext_cli.request import Request, parse
from kontext_cli.settings.config import Preview
from kontext_cli.settings.paths import from_home
from kontext_cli.terminal.input import output_path
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.records import job_record
from kontext_cli.terminal.report import Report
from kontext_cli.terminal.result import Result

_MOST_UNKNOWN = 10_000
"""At most so many jobs of unknown outcome are read when no job is named."""
_NAMED = 10
"""At most so many of them are listed in the notice."""
_RESUBMITTED = (State.UNKNOWN, State.FAILED, State.CANCELED)


class Fetch(NamedTuple):
    """The arguments of `fetch`, by the names of its function."""

    jobs: list[str] | None
    provider: Name | None
    model: str | None
    output: str | None
    output_dir: str | None
    name: str | None
    keep_flagged: bool
    resubmit: bool
    timeout: float
    json: bool
    quiet: bool
    debug: bool
    preview: Preview | None
    open_images: bool


def run_fetch(fetch: Fetch) -> Result:
    """Download the named jobs, else all unfinished ones.

    Jobs of unknown outcome that are not named are listed in a notice and do not affect the exit
    code.
    """
    fetch = fetch._replace(output=output_path(fetch.output))
    _check(fetch)
    report = open_report(as_json=fetch.json, quiet=fetch.quiet, plain=fetch.debug)
    with Session(report, debug=fetch.debug) as session:
        set_up_previews(
            session,
            fetch.preview,
            as_json=fetch.json,
            quiet=fetch.quiet,
            small=len(fetch.jobs or ()) != 1,
        )
        return _Run(fetch, session, report).run()


def _check(fetch: Fetch) -> None:
    check_names(fetch.output, fetch.name)
    if fetch.output is not None and len(fetch.jobs or ()) != 1:
        raise UsageError("--output needs exactly one JOB", hint="kontext fetch JOB -o PATH")
    if fetch.output == "-" and fetch.json:
        raise UsageError("`-o -` and --json both write to standard output")
    if fetch.resubmit and not fetch.jobs:
        raise UsageError("--resubmit needs a JOB", hint="kontext fetch JOB --resubmit")
    if fetch.open_images and not fetch.jobs:
        raise UsageError("--open needs a JOB", hint="kontext fetch JOB --open")
    if fetch.open_images and fetch.output == "-":
        raise UsageError("`-o -` saves no file that --open could open")
    if fetch.output is not None and fetch.output != "-":
        check_output(fetch.output, _folder(fetch))


def _folder(fetch: Fetch) -> Path:
    """Where files go that are named now."""
    return typed_place(from_home(fetch.output_dir or "."))


class _Run:
    """One run of `fetch`, from its arguments to its result."""

    def __init__(self, fetch: Fetch, session: Session, report: Report) -> None:
        self._fetch = fetch
        self._session = session
        self._report = report
        self._drafts: dict[str, Draft] = {}
        """The calls of the jobs to resubmit, by job id."""

    def run(self) -> Result:
        """Find the jobs, download them, and report each as it ends."""
        if self._fetch.jobs:
            lost: list[Job] = []
            jobs = named_jobs(
                self._session,
                self._fetch.jobs,
                provider=self._fetch.provider,
                model=self._fetch.model,
            )
        else:
            jobs, lost = self._unfinished()
        deliveries = {job.id: delivery for job in jobs if (delivery := self._delivery_if_any(job))}
        for job in jobs:
            if job.id not in deliveries:
                self._report.ended(job)
        self._download([job for job in jobs if job.id in deliveries], deliveries)
        if self._fetch.open_images:
            open_files(jobs, self._report)
        codes = [job.error.exit_code if job.error else job.state.exit_code for job in jobs]
        return Result(common_code(codes), records=map(job_record, lost))

    def _unfinished(self) -> tuple[list[Job], list[Job]]:
        """The unfinished jobs, and those of unknown outcome, which nothing can be fetched for."""
        fetch, journal = self._fetch, self._session.journal
        unknown = journal.recent(limit=_MOST_UNKNOWN, states=[State.UNKNOWN])
        found = {job.id: job for job in (*journal.unfinished(), *unknown)}
        jobs = [
            job
            for job in found.values()
            if fetch.provider in (None, job.provider) and fetch.model in (None, job.model)
        ]
        answers = Answers(self._session.state_folder)
        lost = [
            job
            for job in jobs
            if job.state is State.UNKNOWN and not is_unsettled(job) and answers.find(job.id) is None
        ]
        for job in lost:
            job.error = job.error or unknown_since(job)
        if lost:
            self._report.notice(_unknown_text(lost))
        if not jobs:
            self._report.notice("no unfinished jobs; nothing to fetch")
        return [job for job in jobs if job not in lost], lost

    def _delivery_if_any(self, job: Job) -> Delivery | None:
        """Where to save the files of a job; a fault of this job does not stop the others."""
        try:
            return self._delivery_of(job)
        except KontextError as fault:
            job.error = for_job(fault, job)
            return None

    def _delivery_of(self, job: Job) -> Delivery | None:
        """Where to save the files of a job; None if nothing is to be done, which ``job`` shows."""
        fetch, session = self._fetch, self._session
        if session.journal.owned_elsewhere(job.id):
            elsewhere(job)
            return None
        again = fetch.resubmit and job.state in _RESUBMITTED
        anywhere = again and not is_unsettled(job)  # only its own server can be asked for it
        provider = provider_of_job(job, session.settings, anywhere=anywhere)
        if again:
            self._drafts[job.id] = _draft_again(job, provider)
            job.server = provider.server
            return _delivery(job, fetch, session)
        if job.state is State.SAVED and not _lacks_files(job, self._report):
            job.skipped = True
            return None
        is_lost = job.state is State.UNKNOWN and not is_unsettled(job)
        if is_lost and not provider.at(job.endpoint).blocking:
            job.error = job.error or unknown_since(job)
            return None
        kept_back = job.state is State.MODERATED and fetch.keep_flagged and job.outputs
        if job.state not in (*OPEN, State.SAVED, State.UNKNOWN, State.EXPIRED) and not kept_back:
            return None
        job.error = None
        return _delivery(job, fetch, session)

    def _download(self, jobs: Sequence[Job], deliveries: Mapping[str, Delivery]) -> None:
        """Download the jobs, a few at a time, and report each as it ends."""
        session, report = self._session, self._report
        reported: set[str] = set()

        async def download(engine: Engine, job: Job) -> None:
            delivery = deliveries[job.id]
            await self._download_one(engine, job, delivery)
            reported.add(job.id)
            for text in differences(job, delivery):
                report.notice(text)
            report.ended(job)

        session.find_keys(jobs)
        session.run(lambda: session.for_each(jobs, download), jobs)
        for job in jobs:
            if job.id not in reported:
                report.ended(job)

    async def _download_one(self, engine: Engine, job: Job, delivery: Delivery) -> None:
        keep = bool(job.target and job.target.keep_flagged)
        timeout = self._fetch.timeout
        if not self._session.journal.claim(job):
            overtaken(job)
            return
        draft = self._drafts.get(job.id)
        if draft is None or is_unsettled(job):  # it may be there, whatever the user believes
            await engine.fetch(job, delivery, timeout=timeout, keep_flagged=keep)
            if draft is None or not was_not_taken(job):
                return
        with _restored_if_refused(self._session, job):
            await engine.run(job, draft, delivery, timeout=timeout, keep_flagged=keep)


def _unknown_text(jobs: Sequence[Job]) -> str:
    """Names jobs that may have been accepted; only the user can check, or resubmit them."""
    ids = ", ".join(job.id for job in jobs[:_NAMED])
    more = f" and {len(jobs) - _NAMED} more (kontext status --state unknown)"
    return (
        f"{len(jobs)} job{' has' if len(jobs) == 1 else 's have'} an unknown outcome and may have"
        f" been accepted and billed: {ids}{more if len(jobs) > _NAMED else ''};"
        " check the provider's list of requests, then run: kontext fetch JOB --resubmit,"
        " or: kontext forget JOB"
    )


def _lacks_files(job: Job, report: Report) -> bool:
    """Whether files of a saved job were deleted since; they are removed from ``job.files``.

    A file that was changed is left alone.
    """
    there = [file for file in job.files if condition(file) != "missing"]
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
        carried = job.target.metadata if job.target else session.settings.metadata(None)
        return session.delivery(None, metadata=carried)
    asked_now = fetch.output or fetch.output_dir or fetch.name
    if asked_now or job.target is None:
        folder = _folder(fetch)
        exists: Exists = "error" if fetch.output or fetch.name else "number"
        before = job.target or Target((), metadata=session.settings.metadata(None))
        provenance = before.metadata, before.sidecar
        names = names_for(job, Wanted(folder, fetch.output, fetch.name, exists, *provenance))
        paths = tuple(path.absolute() for path in names.paths)
        job.target = Target(paths, metadata=before.metadata, sidecar=before.sidecar)
    else:
        job.target = _moved_here(job, job.target, session)
    if fetch.keep_flagged:
        job.target = job.target._replace(keep_flagged=True)
    return session.delivery(job.target)


def _moved_here(job: Job, target: Target, session: Session) -> Target:
    """The target of a job with its names on this machine; a notice where they were others."""
    moved = moved_here(target, session.journal.origin)
    if target.origin and moved.paths != target.paths:
        session.report.notice(
            f"job {job.id} was submitted on {target.origin.host}, in `{target.origin.folder}`:"
            " its files are saved under this folder"
        )
    return moved


def _draft_again(job: Job, provider: Provider) -> Draft:
    """The draft of a job to resubmit. Raises InputFault for changed images."""
    images = load_sources(tuple(source.name for source in job.sources), provider)
    _check_unchanged(job, images)
    draft = prepare(provider, _request_again(job), model=job.model, images=images)
    if provider.runs_workflows and draft.endpoint.id != job.endpoint:
        raise UsageError(
            f"the workflow has changed since job {job.id} was submitted",
            hint=f"start a new job with `kontext {job.operation}`",
        )
    return draft


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


@contextmanager
def _restored_if_refused(session: Session, job: Job) -> Iterator[None]:
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
