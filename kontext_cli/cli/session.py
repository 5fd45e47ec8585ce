"""Where the parts of a run are put together: flags in, an exit code out."""

import os
import sys
from pathlib import Path
from typing import Any

from kontext_cli.cli.dry_run import show_plan
from kontext_cli.cli.flags import Flags
from kontext_cli.cli.report import (
    Lines,
    Report,
    Silence,
    View,
    as_line,
    job_record,
    to_stderr,
    to_stdout,
)
from kontext_cli.cli.signals import run_until_signal
from kontext_cli.cli.streams import check_single_use, read_prompt, stdin_bytes, stdout_bytes
from kontext_cli.delivery import Delivery, FileDelivery, StreamDelivery
from kontext_cli.engine import Engine
from kontext_cli.errors import Interrupted, UsageError
from kontext_cli.inputs import MOST_INPUT_BYTES, InputImage, load_images
from kontext_cli.job import Job, State
from kontext_cli.names import Names, format_of, template_fields
from kontext_cli.outputs import existing_file, prepare_folder
from kontext_cli.plan import Plan, Wanted, plan_job
from kontext_cli.providers.base import Provider
from kontext_cli.request import MOST_IMAGES, Request, parse
from kontext_cli.settings import Settings
from kontext_cli.transport import Transport

SANDBOX_SECONDS = 0.3
"""How long a sandbox job takes in this process: enough to see the queue move."""
UPLOADED = MOST_IMAGES * MOST_INPUT_BYTES
"""Nothing has to be shrunk for a provider that takes uploads."""


def run_one(flags: Flags) -> int:
    """Do what `generate` or `edit` was asked for; the exit code.

    Raises KontextError for whatever is found wrong before anything is sent.
    """
    _check_combinations(flags)
    settings = Settings.load(os.environ)
    name = settings.provider(flags.provider, needs_key=not flags.dry_run)
    provider = settings.open(name)
    key = None if flags.dry_run else settings.require_key(name)
    request = _request(flags)
    images = load_images(
        request.images,
        inline_bytes=UPLOADED if provider.uploads else provider.inline_bytes,
        provider=provider.name,
        stdin=stdin_bytes,
    )
    report = Report(_view(flags), as_json=flags.json)
    plan = plan_job(
        request,
        provider,
        model=settings.model(flags.model),
        images=images,
        wanted=_wanted(flags, settings),
    )
    _tell_notices(report, images, plan.names)
    if flags.dry_run:
        return _show(plan, as_json=flags.json)
    if plan.names is not None and plan.names.skip:
        return _skip(plan.job, plan.names, report)
    return _run(plan, provider, key, flags, report)


def _check_combinations(flags: Flags) -> None:
    if flags.output == "-":
        if (flags.num_images or 1) > 1:
            raise UsageError("`-o -` takes one picture, not several")
        if flags.json:
            raise UsageError("`-o -` and --json both want standard output")
        if sys.stdout is not None and sys.stdout.isatty() and not flags.dry_run:
            raise UsageError(
                "`-o -` would write a picture to the terminal", hint="send it to a file or a pipe"
            )
    if flags.output is not None and flags.name is not None:
        raise UsageError("--output and --name both name the file; give one of them")
    if flags.name is not None:
        template_fields(flags.name)
    if not 0 < flags.timeout < float("inf"):
        raise UsageError(f"--timeout should be a number of seconds above 0, not {flags.timeout:g}")


def _request(flags: Flags) -> Request:
    check_single_use(flags.prompt, flags.images)
    fields: dict[str, Any] = flags.request_fields()
    if flags.output_format is None and flags.output not in (None, "-"):
        fields["output_format"] = format_of(flags.output or "")
    return parse({**fields, "prompt": read_prompt(flags.prompt, flags.operation)})


def _wanted(flags: Flags, settings: Settings) -> Wanted | None:
    """Where files go. A path typed with -o stands for itself, unless -d was typed as well."""
    if flags.output == "-":
        return None
    folder = flags.output_dir if flags.output is not None else settings.output_dir(flags.output_dir)
    return Wanted(
        folder=Path(folder or "."),
        output=flags.output,
        template=flags.name,
        exists=flags.exists,
    )


def _tell_notices(report: Report, images: tuple[InputImage, ...], names: Names | None) -> None:
    for image in images:
        if image.notice:
            report.notice(image.notice)
    for notice in names.notices if names else ():
        report.notice(notice)


def _show(plan: Plan, *, as_json: bool) -> int:
    if as_json:
        to_stdout(as_line(job_record(plan.job)))
    else:
        show_plan(plan)
    return 0


def _skip(job: Job, names: Names, report: Report) -> int:
    job.files = tuple(existing_file(path) for path in names.paths)
    job.state = State.SAVED
    job.skipped = True
    report.ended(job)
    return 0


def _run(plan: Plan, provider: Provider, key: str | None, flags: Flags, report: Report) -> int:
    delivery = _delivery(plan.names, flags)
    job = plan.job

    async def work() -> None:
        async with _transport(provider, key, flags) as transport:
            engine = Engine(provider, transport, report.watch)
            await engine.run(
                job,
                plan.call,
                delivery,
                timeout=flags.timeout,
                keep_flagged=flags.keep_flagged,
            )

    try:
        signal_number = run_until_signal(work())
    finally:
        report.close()
    if signal_number is not None:
        job.error = _interrupted(job, signal_number)
    asked = flags.num_images or 1
    if job.error is None and plan.names and len(job.files) < asked:
        report.notice(f"{job.provider} made {len(job.files)} of {asked} pictures")
    report.ended(job)
    return job.error.exit_code if job.error else 0


def _delivery(names: Names | None, flags: Flags) -> Delivery:
    if names is None:
        return StreamDelivery(stdout_bytes())
    for folder in dict.fromkeys(path.parent for path in names.paths):
        prepare_folder(folder)
    return FileDelivery(names.paths, overwrite=flags.exists == "overwrite")


def _transport(provider: Provider, key: str | None, flags: Flags) -> Transport:
    app = None
    if provider.offline:
        from kontext_cli.sandbox.app import Sandbox

        app = Sandbox(latency=SANDBOX_SECONDS).app
        key = "sandbox"
    return Transport(
        provider.name,
        provider.key_bases,
        provider.authorization(key) if key else None,
        app=app,
        trace=to_stderr if flags.debug else lambda _line: None,
    )


def _interrupted(job: Job, signal_number: int) -> Interrupted:
    if job.state is State.UNKNOWN:
        what, billed = "the submit was under way: it may have been accepted", "maybe"
    elif job.request_id and job.state is not State.SAVED:
        what, billed = f"the job goes on at {job.provider}", "maybe"
    else:
        what, billed = "nothing was accepted", "no"
    error = Interrupted(f"interrupted; {what}", signal_number=signal_number)
    error.billed = billed  # type: ignore[assignment]
    return error


def _view(flags: Flags) -> View:
    if flags.quiet:
        return Silence()
    on_a_terminal = sys.stderr is not None and sys.stderr.isatty()
    if flags.json or not on_a_terminal or os.environ.get("TERM") == "dumb":
        return Lines()
    from kontext_cli.cli.live import Live

    return Live()
