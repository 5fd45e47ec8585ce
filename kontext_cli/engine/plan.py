"""A job before it is sent: its draft, its file names, its cost. Nothing is sent or written here."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli.errors import UsageError
from kontext_cli.files.names import (
    Exists,
    Names,
    OutputFormat,
    name_files,
    slugify,
    template_fields,
)
from kontext_cli.files.templates import Fields
from kontext_cli.job import Cost, Job, Source, Target, new_id
from kontext_cli.options import Metadata
from kontext_cli.providers.base import Provider, Storage
from kontext_cli.providers.options import Endpoint
from kontext_cli.providers.prepare import Draft, check_urls, choose_endpoint, prepare
from kontext_cli.request import MOST_IMAGES, Request
from kontext_cli.sizes import MOST_INPUT_BYTES

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

_CANONICAL = json.JSONEncoder(sort_keys=True)
_OWN = "\0"
"""In place of images, prompt and seed, which come in this order; no value contains it."""

UPLOADED = MOST_IMAGES * MOST_INPUT_BYTES
"""Bytes of images for a provider with a storage: nothing has to be scaled down for it."""


class Wanted(NamedTuple):
    """Where the files should be saved, as given by the user: ``output`` is a file, else a template
    names them in ``folder``. ``metadata`` is written into them, and with ``sidecar`` beside them.
    """

    folder: Path
    output: str | None = None
    template: str | None = None
    exists: Exists = "error"
    metadata: Metadata = "off"
    sidecar: bool = False


class Plan(NamedTuple):
    """A job ready to be sent; ``names`` is None where its image goes to standard output."""

    job: Job
    draft: Draft
    names: Names | None


def room_for_images(provider: Provider) -> int:
    """The bytes that local images may take of a request; larger ones are scaled down first."""
    return UPLOADED if isinstance(provider, Storage) else provider.inline_bytes


def plan_jobs(
    request: Request,
    providers: Sequence[Provider],
    *,
    model: str,
    images: "Callable[[Provider], Sequence[InputImage]]",
    wanted: Wanted | None,
) -> list[Plan]:
    """Plan the job of a request at each of its providers, of which one is to make it.

    ``images`` reads the input images at a size that a provider accepts. The jobs have one digest
    and one seed. Raises KontextError for what one of them does not support.
    """
    if len(providers) > 1 and wanted is not None and wanted.template is not None:
        check_maker_unused(template_fields(wanted.template))
    endpoints = endpoints_for(request, providers, model)
    digests = Digests.of_request(request, providers, endpoints)
    read = [images(provider) for provider in providers]
    digest = digests.of(request.prompt, request.options.get("seed"), read[0])
    plans: list[Plan] = []
    for provider, endpoint, own in zip(providers, endpoints, read, strict=True):
        completed = request.completed(endpoint.fields)
        if plans and plans[0].job.seed is not None and "seed" in completed.options:
            completed = completed.with_seed(plans[0].job.seed)
        plans.append(
            _plan_job(completed, provider, model=model, digest=digest, images=own, wanted=wanted)
        )
    return plans


def endpoints_for(request: Request, providers: Sequence[Provider], model: str) -> list[Endpoint]:
    """The endpoint of a request at each provider. Raises UnsupportedOption."""
    count = len(request.images)
    return [choose_endpoint(each, model, request.operation, count) for each in providers]


def dearest(costs: Sequence[Cost]) -> Cost:
    """The highest of several estimates; unknown if one of them is."""
    if any(cost.usd is None for cost in costs):
        return Cost(None, "unknown")
    return max(costs, key=lambda cost: cost.usd or 0)


def _plan_job(
    request: Request,
    provider: Provider,
    *,
    model: str,
    digest: str,
    images: "Sequence[InputImage]",
    wanted: Wanted | None,
) -> Plan:
    check_urls(provider, images)
    draft = prepare(provider, request, model=model, images=images)
    job = Job(
        id=new_id(),
        operation=request.operation,
        provider=provider.name,
        package=provider.package,
        model=model,
        endpoint=draft.endpoint.id,
        request=request.described(),
        seed=request.options.get("seed"),
        cost=draft.cost,
        digest=digest,
        sources=sources_of(images),
    )
    if wanted is None:
        return Plan(job, draft, None)
    names = names_for(job, wanted, otherwise=draft.endpoint.format)
    job.target = Target(
        tuple(path.absolute() for path in names.paths),
        overwrite=wanted.exists == "overwrite",
        metadata=wanted.metadata,
        sidecar=wanted.sidecar,
    )
    return Plan(job, draft, names)


class Digests:
    """The identities of requests that differ only in prompt, seed and images: all values given,
    and the images by their content.

    A seed that we choose is not part of it, so that the same command finds the same job again.
    """

    def __init__(self, options: Mapping[str, Any], provider: str, endpoint: str) -> None:
        """``options`` are those of any of these requests."""
        own = {"seed": _OWN} if "seed" in options else {}
        asked = {
            "provider": provider,
            "endpoint": endpoint,
            "options": {**options, **own, "prompt": _OWN},
            "images": _OWN,
        }
        self._pieces = _CANONICAL.encode(asked).split(_CANONICAL.encode(_OWN))

    @classmethod
    def of_request(
        cls, request: Request, providers: Sequence[Provider], endpoints: Sequence[Endpoint]
    ) -> "Digests":
        """Those of requests like this one: they know all the providers that may make it, and not
        which one does."""
        return cls(
            request.completed(endpoints[0].fields - {"seed"}).options,
            ",".join(provider.name for provider in providers),
            ",".join(endpoint.id for endpoint in endpoints),
        )

    def of(self, prompt: str, seed: int | None, images: "Sequence[InputImage]") -> str:
        """The digest of one of them; without a seed, if the others have none."""
        hashes = "[]"
        if images:
            hashes = _CANONICAL.encode([image.sha256 or image.source for image in images])
        start, before_prompt, *rest = self._pieces
        text = f"{start}{hashes}{before_prompt}{_CANONICAL.encode(prompt)}"
        text += str(seed).join(rest)
        return sha256(text.encode()).hexdigest()


def sources_of(images: "Sequence[InputImage]") -> tuple[Source, ...]:
    """The input images as a job keeps them."""
    return tuple(map(_source, images))


def _source(image: "InputImage") -> Source:
    is_file = image.sha256 is not None and image.source != "-"
    return Source(str(Path(image.source).absolute()) if is_file else image.source, image.sha256)


def names_for(job: Job, wanted: Wanted, *, otherwise: OutputFormat = "jpeg") -> Names:
    """The names of a job's images, whose format is ``otherwise`` where none was asked for.

    Raises UsageError, NameTaken or OutputFault.
    """
    template = wanted.template or _default_template(job)
    return name_files(
        output=wanted.output,
        folder=wanted.folder,
        template=template,
        fields=name_fields(
            template_fields(template),
            index=job.index or 1,
            row_id=_row_id(job),
            prompt=str(job.request.get("prompt", "")),
            provider=job.provider,
            model=job.model,
            source=job.sources[0].name if job.sources else None,
            draw=lambda: (job.id, job.seed),
        ),
        count=job.request.get("num_images", 1),
        output_format=job.request.get("output_format", otherwise),
        exists=wanted.exists,
        beside=wanted.sidecar or wanted.metadata == "full",
    )


def name_fields(
    used: Collection[str],
    *,
    index: int,
    row_id: str | None,
    prompt: str,
    provider: str,
    model: str,
    source: str | None,
    draw: Callable[[], tuple[str, int | None]],
) -> Fields:
    """The values of the fields that a template uses.

    ``source`` is the first input image; ``draw`` gives the id and the seed of the job.
    """
    fields: dict[str, str | int | None] = {
        "index": index,
        "id": row_id,
        "provider": provider,
        "model": model,
    }
    if "slug" in used:
        fields["slug"] = slugify(prompt)
    if "job" in used or "seed" in used:
        fields["job"], fields["seed"] = draw()
    if "stem" in used and source is not None:
        from kontext_cli.images.inputs import stem_of

        fields["stem"] = stem_of(source)
    if "date" in used:
        fields["date"] = datetime.now().astimezone().strftime("%Y-%m-%d")
    return fields


def check_maker_unused(used: Collection[str]) -> None:
    """Check the fields of a name template for a job that several providers may make: files are
    named before it is known which one does. Raises UsageError."""
    if "provider" in used:
        raise UsageError(
            "`{provider}` in a file name is not known before one of several providers accepts the "
            "job",
            hint="leave it out of --name; `kontext status JOB` says who made it",
        )


def _row_id(job: Job) -> str | None:
    """What `{id}` stands for: the id of a row in its file, that of the job where there is none."""
    return job.id if job.row is None else job.row_id


def _default_template(job: Job) -> str:
    if len(job.sources) == 1 and job.sources[0].name != "-":
        return "{stem}-edit"
    return "{slug}-{seed}" if job.seed is not None else "{slug}-{job}"
