"""A job before it is sent: its call, its names, its cost. Nothing here sends or writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kontext_cli.inputs import InputImage
from kontext_cli.job import Job, new_id
from kontext_cli.names import Exists, Names, name_files, slugify
from kontext_cli.providers.base import Provider
from kontext_cli.providers.call import Call
from kontext_cli.providers.prepare import prepare
from kontext_cli.request import Request


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where the files should go, as the user said: ``output`` is a file, else a template names
    them in ``folder``."""

    folder: Path
    output: str | None = None
    template: str | None = None
    exists: Exists = "error"


@dataclass(frozen=True, slots=True)
class Plan:
    """A job ready to be sent; ``names`` is None where its picture goes to standard output."""

    job: Job
    call: Call
    names: Names | None


def plan_job(
    request: Request,
    provider: Provider,
    *,
    model: str,
    images: Sequence[InputImage],
    wanted: Wanted | None,
) -> Plan:
    """Turn a wish into a job for one provider. Raises KontextError for whatever cannot be done."""
    request = request.completed(takes_seed=provider.option("seed", request.operation) is not None)
    prepared = prepare(provider, request, model=model, image_urls=[image.url for image in images])
    job = Job(
        id=new_id(),
        operation=request.operation,
        provider=provider.name,
        model=model,
        endpoint=prepared.endpoint,
        request=request.described(),
        seed=request.seed,
        cost=prepared.cost,
    )
    names = None if wanted is None else _names(job, request, images, wanted)
    return Plan(job, prepared.call, names)


def _names(job: Job, request: Request, images: Sequence[InputImage], wanted: Wanted) -> Names:
    return name_files(
        output=wanted.output,
        folder=wanted.folder,
        template=wanted.template or _default_template(job, images),
        fields={
            "index": 1,
            "id": job.id,
            "slug": slugify(request.prompt),
            "seed": job.seed,
            "job": job.id,
            "provider": job.provider,
            "model": job.model,
            "stem": images[0].stem if images else None,
            "date": datetime.now().astimezone().strftime("%Y-%m-%d"),
        },
        count=request.num_images or 1,
        output_format=request.output_format or "jpeg",
        exists=wanted.exists,
    )


def _default_template(job: Job, images: Sequence[InputImage]) -> str:
    if len(images) == 1 and images[0].source != "-":
        return "{stem}-edit"
    return "{slug}-{seed}" if job.seed is not None else "{slug}-{job}"
