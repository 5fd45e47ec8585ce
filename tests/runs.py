"""One job through plan and engine, against a scripted provider."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kontext_cli.engine.engine import Engine
from kontext_cli.engine.plan import Plan, Wanted, plan_jobs
from kontext_cli.files.delivery import FileDelivery
from kontext_cli.http.transport import Transport
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job
from kontext_cli.providers import Name, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.request import parse
from scripted import Scripted

KEY = "canary-key"


async def at_once(_seconds: float) -> None:
    """Sleep for no time, and let others run."""
    await asyncio.sleep(0)


def planned(
    name: Name,
    fields: dict[str, Any],
    folder: Path,
    *,
    model: str = "kontext-pro",
    images: Sequence[InputImage] = (),
    provider: Provider | None = None,
) -> Plan:
    """A job as the command line would plan it."""
    operation = "edit" if images else "generate"
    sources = tuple(image.source for image in images) or None
    request = parse({"operation": operation, "images": sources, **fields})
    return plan_jobs(
        request,
        [provider or provider_class(name)()],
        model=model,
        images=lambda _provider: images,
        wanted=Wanted(folder),
    )[0]


def run(
    plan: Plan,
    script: Scripted,
    *,
    provider: Provider | None = None,
    timeout: float = 60.0,
    keep_flagged: bool = False,
    told: list[tuple[str, int | None, tuple[str, ...]]] | None = None,
    record: Callable[[Job], None] = lambda _job: None,
) -> Job:
    """Send a planned job to the script; the job tells how it ended."""
    provider = provider or provider_class(plan.job.provider)()
    assert plan.names is not None
    delivery = FileDelivery(plan.names.paths, overwrite=False)

    def watch(job: Job, logs: Sequence[str]) -> None:
        if told is not None:
            told.append((str(job.state), job.position, tuple(logs)))

    def notice(text: str) -> None:
        if told is not None:
            told.append(("notice", None, (text,)))

    async def kept(job: Job) -> None:
        record(job)

    async def work() -> None:
        transport = Transport(
            provider.name,
            provider.key_bases,
            provider.headers(KEY),
            app=script,
            sleep=at_once,
        )
        async with transport:
            engine = Engine(
                provider, transport, record=kept, watch=watch, notice=notice, sleep=at_once
            )
            await engine.run(
                plan.job, plan.draft, delivery, timeout=timeout, keep_flagged=keep_flagged
            )

    asyncio.run(work())
    return plan.job
