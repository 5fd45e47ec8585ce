"""`generate` and `edit` for one job, from the flags to its files."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kontext_cli.commands.flags import Flags
from kontext_cli.commands.session import Session
from kontext_cli.engine.budget import Budget
from kontext_cli.engine.plan import Plan, Wanted, plan_job, room_for_images
from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.files.delivery import Delivery, StreamDelivery
from kontext_cli.files.names import Names, format_of, template_fields
from kontext_cli.files.saved import existing_file
from kontext_cli.http.certificates import load_certificates
from kontext_cli.job import Job, State, Target
from kontext_cli.providers import who_queues
from kontext_cli.providers.base import Provider
from kontext_cli.providers.prepare import choose_endpoint
from kontext_cli.request import Request, parse
from kontext_cli.settings.settings import Settings
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
        name = settings.provider(flags.provider, needs_key=False)
        provider, model = settings.open(name), settings.model(flags.model, name)
        if provider.base_url.startswith("https:") and not flags.dry_run:
            load_certificates()
        request = _request(flags)
        endpoint = choose_endpoint(provider, model, request.operation, len(request.images))
        check_waiting(flags, provider, endpoint.id)
        images = load_sources(request.images, provider)
        plan = plan_job(
            request,
            provider,
            model=model,
            images=images,
            wanted=_wanted(flags, settings),
        )
        Budget(flags.max_cost).check([plan.job.cost])
        _print_notices(report, images, plan.names)
        if flags.dry_run:
            return _dry_run(plan)
        if plan.names is not None and plan.names.skip:
            return _skip(plan.job, plan.names, report)
        settings.require_key(settings.provider(flags.provider))
        return _run(plan, provider, flags, session, report)


def load_sources(sources: tuple[str, ...], provider: Provider) -> "tuple[InputImage, ...]":
    """The input images, at a size that the provider accepts."""
    if not sources:
        return ()
    from kontext_cli.images.inputs import load_images

    return load_images(
        sources,
        inline_bytes=room_for_images(provider),
        provider=provider.name,
        stdin=piped_image,
    )


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
    if misplaced := flags.of_batches_only():
        raise UsageError(
            f"{', '.join(misplaced)} can be used only in batches",
            hint="--prompts-file FILE runs one job per row",
        )


def check_waiting_flags(flags: Flags) -> None:
    """Raises UsageError for `--no-wait` with `--sync-mode`."""
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
    if flags.no_wait:
        raise UsageError("`-o -` has nothing to write with --no-wait")
    if sys.stdout is not None and sys.stdout.isatty() and not flags.dry_run:
        raise UsageError(
            "`-o -` would write an image to the terminal", hint="redirect it to a file or a pipe"
        )


def _request(flags: Flags) -> Request:
    check_single_use(flags.prompt, flags.images)
    fields: dict[str, Any] = flags.request_fields()
    if flags.options["output_format"] is None and flags.output not in (None, "-"):
        fields["output_format"] = format_of(flags.output or "")
    prompt = read_prompt(flags.prompt, flags.operation, quiet=flags.quiet)
    return parse({**fields, "prompt": prompt})


def _wanted(flags: Flags, settings: Settings) -> Wanted | None:
    """Where files go. `-o` is relative to the working directory, unless -d is given as well."""
    if flags.output == "-":
        return None
    folder = "." if flags.output is not None and flags.output_dir is None else None
    return Wanted(
        folder=Path(folder or settings.output_dir(flags.output_dir)),
        output=flags.output,
        template=flags.name,
        exists=flags.when_taken,
    )


def _print_notices(report: Report, images: "tuple[InputImage, ...]", names: Names | None) -> None:
    for image in images:
        if image.notice:
            report.notice(image.notice)
    for notice in names.notices if names else ():
        report.notice(notice)


def _dry_run(plan: Plan) -> Result:
    from kontext_cli.terminal.dry_run import plan_lines

    paths = [str(path.absolute()) for path in plan.names.paths] if plan.names else []
    return Result(text=plan_lines(plan), records=[job_record(plan.job, planned=paths)])


def _skip(job: Job, names: Names, report: Report) -> Result:
    job.files = tuple(existing_file(path) for path in names.paths)
    job.state = State.SAVED
    job.skipped = True
    report.ended(job)
    return Result()


def _run(plan: Plan, provider: Provider, flags: Flags, session: Session, report: Report) -> Result:
    job = plan.job
    delivery = _delivery(plan, flags, session)

    async def work() -> None:
        async with session.engine(provider) as engine:
            if flags.no_wait:
                await engine.submit(job, plan.draft, timeout=flags.timeout)
            else:
                await engine.run(
                    job,
                    plan.draft,
                    delivery,
                    timeout=flags.timeout,
                    keep_flagged=flags.keep_flagged,
                )

    session.run(work, [job])
    if plan.names is not None:
        report.show_relative = not plan.names.paths[0].is_absolute()
    for text in differences(job, delivery):
        report.notice(text)
    report.ended(job)
    return Result(job.error.exit_code if job.error else 0)


def _delivery(plan: Plan, flags: Flags, session: Session) -> Delivery:
    target = plan.job.target
    if target is not None:
        plan.job.target = target = Target(target.paths, target.overwrite, flags.keep_flagged)
    return session.delivery(target)


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
