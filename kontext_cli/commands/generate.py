"""`generate` and `edit` for one job, from the flags to its files."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from kontext_cli.commands.flags import Flags
from kontext_cli.commands.session import Session
from kontext_cli.commands.viewing import open_files, set_up_previews
from kontext_cli.engine.budget import Budget
from kontext_cli.engine.endings import was_not_taken
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.plan import Plan, Wanted, dearest, endpoints_for, plan_jobs, room_for_images
from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.files.delivery import Delivery, StreamDelivery
from kontext_cli.files.names import Names, format_of, template_fields
from kontext_cli.files.place import typed_place
from kontext_cli.files.saved import existing_file
from kontext_cli.http.certificates import load_certificates
from kontext_cli.job import Job, State
from kontext_cli.providers import who_queues
from kontext_cli.providers.base import Provider
from kontext_cli.providers.prepare import Draft, chooses_format
from kontext_cli.request import Request, parse
from kontext_cli.settings.settings import Settings, known_provider
from kontext_cli.sizes import MOST_INPUT_BYTES
from kontext_cli.terminal.input import (
    check_single_use,
    output_path,
    piped_image,
    read_prompt,
)
from kontext_cli.terminal.open import open_report
from kontext_cli.terminal.records import job_record
from kontext_cli.terminal.report import Report
from kontext_cli.terminal.result import Result
from kontext_cli.words import listed

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage


def run_one(flags: Flags) -> Result:
    """Run `generate` or `edit` for one job.

    Raises KontextError for any fault that is found before anything is sent.
    """
    flags = flags._replace(output=output_path(flags.output))
    _check_combinations(flags)
    report = open_report(as_json=flags.json, quiet=flags.quiet, plain=flags.debug)
    with Session(report, debug=flags.debug) as session:
        settings = session.settings
        set_up_previews(session, flags.preview, as_json=flags.json, quiet=flags.quiet, small=False)
        names = settings.providers(flags.provider, needs_key=False)
        providers = [*map(settings.open, names)]
        model = settings.model(flags.model, names[0], flags.operation)
        if providers[0].base_url.startswith("https:") and not flags.dry_run:
            load_certificates()
        by_suffix = chooses_format(providers, model, flags.operation)
        request = _request(flags, by_suffix=by_suffix)
        endpoints = endpoints_for(request, providers, model)
        for provider, endpoint in zip(providers, endpoints, strict=True):
            check_waiting(flags, provider, endpoint.id)
        stdin = piped_image if len(providers) == 1 else _Piped()
        plans = plan_jobs(
            request,
            providers,
            model=model,
            images=lambda provider: load_sources(request.images, provider, stdin),
            wanted=_wanted(flags, settings),
        )
        Budget(flags.max_cost).check([dearest([plan.job.cost for plan in plans])])
        first = plans[0]
        for notice in first.names.notices if first.names else ():
            report.notice(notice)
        if flags.dry_run:
            for plan in plans:
                _print_notices(plan, report)
            return _dry_run(plans, seed_given=flags.options["seed"] is not None)
        if first.names is not None and first.names.skip:
            result, job = _skip(first.job, first.names, report), first.job
        else:
            plans = _with_keys(plans, flags, settings, report)
            session.find_keys([plans[0].job])
            result, job = _run(plans, flags, session, report)
        if flags.open_images:
            open_files([job], report)
        return result


class _Piped:
    """Standard input as an image that can be read again, for each of several providers."""

    def __init__(self) -> None:
        self._content: bytes | None = None

    def __call__(self) -> BinaryIO:
        """A new stream of it. Raises UsageError as `piped_image` does."""
        if self._content is None:
            self._content = piped_image().read(MOST_INPUT_BYTES + 1)
        return BytesIO(self._content)


def load_sources(
    sources: tuple[str, ...], provider: Provider, stdin: Callable[[], BinaryIO] = piped_image
) -> "tuple[InputImage, ...]":
    """The input images, at a size that the provider accepts."""
    if not sources:
        return ()
    from kontext_cli.files.inputs import load_images

    return load_images(
        sources,
        inline_bytes=room_for_images(provider),
        provider=provider.name,
        stdin=stdin,
    )


def _with_keys(plans: list[Plan], flags: Flags, settings: Settings, report: Report) -> list[Plan]:
    """The plans at those of several providers that have a key. Raises MissingKey for none."""
    names = settings.providers(flags.provider)
    usable = [plan for plan in plans if settings.is_usable(known_provider(plan.job.provider))]
    if not usable:
        settings.require_key(names[0])
    for plan in plans:
        if plan not in usable:
            report.notice(f"there is no key for {plan.job.provider}: trying the next provider")
    return usable


def check_names(output: str | None, template: str | None) -> None:
    """Raises UsageError if both are given, or the template is invalid."""
    if output is not None and template is not None:
        raise UsageError("--output and --name both set the file name; give only one of them")
    if template is not None:
        template_fields(template)


def _check_combinations(flags: Flags) -> None:
    if flags.output == "-":
        _check_standard_output(flags)
    check_names(flags.output, flags.name)
    check_waiting_flags(flags)
    if not flags.files and (misplaced := flags.of_batches_only()):
        raise UsageError(
            f"{', '.join(misplaced)} can be used only in batches",
            hint="--prompts-file FILE runs one job per row",
        )


def check_waiting_flags(flags: Flags) -> None:
    """Raises UsageError for `--no-wait` with `--sync-mode` or `--open`."""
    if flags.no_wait and flags.open_images:
        raise UsageError(
            "--open has nothing to open with --no-wait", hint="kontext fetch JOB --open"
        )
    if flags.no_wait and flags.options["sync_mode"]:
        raise UsageError(
            "--sync-mode returns the image in the reply, which --no-wait does not wait for"
        )


def check_waiting(flags: Flags, provider: Provider, endpoint: str) -> None:
    """Raises UnsupportedOption for `--no-wait` where the provider answers in one call."""
    if flags.no_wait and provider.at(endpoint).blocking:
        raise UnsupportedOption(
            f"{provider.name} answers in one call, so --no-wait would lose the image",
            hint=f"{listed([name for name in who_queues() if name != provider.name])} have a queue",
        )


def _check_standard_output(flags: Flags) -> None:
    if (flags.options["num_images"] or 1) > 1:
        raise UsageError("`-o -` can write only one image")
    if flags.json:
        raise UsageError("`-o -` and --json both write to standard output")
    if flags.open_images:
        raise UsageError("`-o -` saves no file that --open could open")
    if flags.sidecar:
        raise UsageError("`-o -` saves no file that --sidecar could be beside")
    if flags.no_wait:
        raise UsageError("`-o -` has nothing to write with --no-wait")
    if sys.stdout is not None and sys.stdout.isatty() and not flags.dry_run:
        raise UsageError(
            "`-o -` would write an image to the terminal", hint="redirect it to a file or a pipe"
        )


def _request(flags: Flags, *, by_suffix: bool) -> Request:
    """The request; ``by_suffix``: the format is that of the name of the file, where it has one."""
    fields: dict[str, Any] = flags.request_fields()
    named = flags.output not in (None, "-")
    if by_suffix and named and flags.options["output_format"] is None:
        fields["output_format"] = format_of(flags.output or "")
    return parse({**fields, "prompt": _prompt(flags)})


def _prompt(flags: Flags) -> str:
    if flags.recipe_prompt is not None:
        return flags.recipe_prompt
    check_single_use(flags.prompt, flags.images)
    return read_prompt(flags.prompt, flags.operation, quiet=flags.quiet)


def _wanted(flags: Flags, settings: Settings) -> Wanted | None:
    """Where files go. `-o` is relative to the working directory, unless -d is given as well."""
    if flags.output == "-":
        return None
    folder = "." if flags.output is not None and flags.output_dir is None else None
    return Wanted(
        folder=typed_place(folder or settings.output_dir(flags.output_dir)),
        output=flags.output,
        template=flags.name,
        exists=flags.when_taken,
        metadata=settings.metadata(flags.metadata),
        sidecar=flags.sidecar,
    )


def _print_notices(plan: Plan, report: Report) -> None:
    """Say which input images are sent in another form than they have."""
    for image in plan.draft.images:
        if image.notice:
            report.notice(image.notice)


def _dry_run(plans: list[Plan], *, seed_given: bool) -> Result:
    from kontext_cli.terminal.dry_run import plan_lines

    plan, *others = plans
    job = replace(plan.job, cost=dearest([each.job.cost for each in plans]))
    paths = [str(path.absolute()) for path in plan.names.paths] if plan.names else []
    text = [*plan_lines(plan, seed_given=seed_given)]
    for other in others:
        text += ["", f"where {plan.job.provider} does not accept it:"]
        text += plan_lines(other, seed_given=seed_given)
        plan = other
    return Result(text=text, records=[job_record(job, planned=paths)])


def _skip(job: Job, names: Names, report: Report) -> Result:
    job.files = tuple(existing_file(path) for path in names.paths)
    job.state = State.SAVED
    job.skipped = True
    report.ended(job)
    return Result()


def _run(plans: list[Plan], flags: Flags, session: Session, report: Report) -> tuple[Result, Job]:
    """Run the job at the first provider, and at the next one where that certainly did not accept
    it; returns the job that counts."""
    plan, *others = plans
    delivery = _delivery(plan, flags, session)

    async def work() -> None:
        nonlocal plan
        await _run_at(plan, delivery, flags, session)
        while others and was_not_taken(plan.job):
            left, plan = plan.job, others.pop(0)
            report.passed_on(left, plan.job)
            plan.job.target = left.target
            await _run_at(plan, delivery, flags, session)

    session.run(work, [each.job for each in plans])
    job = plan.job
    if plan.names is not None:
        report.show_relative = not plan.names.paths[0].is_absolute()
    for text in differences(job, delivery):
        report.notice(text)
    report.ended(job)
    return Result(job.error.exit_code if job.error else 0), job


async def _run_at(plan: Plan, delivery: Delivery, flags: Flags, session: Session) -> None:
    """Run a job at its provider; in a pool, at the first of its servers that takes it."""
    job, report = plan.job, session.report
    _print_notices(plan, report)

    async def run(engine: Engine, draft: Draft) -> None:
        if flags.no_wait:
            await engine.submit(job, draft, timeout=flags.timeout)
        else:
            await engine.run(
                job, draft, delivery, timeout=flags.timeout, keep_flagged=flags.keep_flagged
            )

    servers = session.settings.servers(known_provider(job.provider))
    if len(servers) > 1:
        from kontext_cli.commands.in_turn import run_in_turn

        await run_in_turn(job, plan.draft, servers, session, run)
        return
    async with session.engine(plan.draft.provider) as engine:
        await run(engine, plan.draft)


def _delivery(plan: Plan, flags: Flags, session: Session) -> Delivery:
    target = plan.job.target
    if target is not None:
        plan.job.target = target = target._replace(keep_flagged=flags.keep_flagged)
    return session.delivery(target, metadata=session.settings.metadata(flags.metadata))


def differences(job: Job, delivery: Delivery | None = None) -> Iterator[str]:
    """How the files of a job differ from the request: fewer, in another format, or under another
    name."""
    asked = job.request.get("num_images", 1)
    if job.state is State.SAVED and job.target and len(job.files) < asked:
        yield f"{job.provider} returned {len(job.files)} of {asked} images"
    if isinstance(delivery, StreamDelivery):
        if delivery.format == "webp":
            yield f"{job.provider} sent WebP, which is written unchanged"
        return
    for file in job.files:
        planned = job.target.paths[file.number - 1 :] if job.target else ()
        if planned and planned[0] != file.path:
            why = f"{job.provider} sent {file.format.upper()}"
            if planned[0].suffix == file.path.suffix:
                why = "the name was taken in the meantime"
            yield f"`{planned[0].name}` is saved as `{file.path.name}`: {why}"
