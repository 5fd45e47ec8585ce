"""Validated requests that rows of a batch share, and how a row fills one in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from kontext_cli.engine.plan import Plan, digest_of, plan_job, room_for_images, sources_of
from kontext_cli.images.inputs import InputImage, load_images
from kontext_cli.job import Cost, Job
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Option
from kontext_cli.request import LONGEST_PROMPT, Request


@dataclass(frozen=True, slots=True)
class Form:
    """A validated request, for all rows that differ from it in prompt, seed and images alone.

    ``described`` is the request as its job describes it. ``prompt`` and ``seed`` are the
    provider's table rows for these, None where it has none.
    """

    request: Request
    provider: Provider
    model: str
    endpoint: str
    cost: Cost
    described: Mapping[str, Any]
    prompt: Option | None
    seed: Option | None

    @classmethod
    def of(cls, request: Request, provider: Provider, model: str) -> "Form":
        """The form of a request. Raises UnsupportedOption for what the provider does not take."""
        images = [InputImage(source=source, stem="", url=source) for source in request.images]
        job = plan_job(request, provider, model=model, images=images, wanted=None).job
        return cls(
            request=request,
            provider=provider,
            model=model,
            endpoint=job.endpoint,
            cost=job.cost,
            described=job.request,
            prompt=provider.option("prompt", request.operation),
            seed=provider.option("seed", request.operation),
        )

    def fits(self, prompt: object, seed: int | None) -> bool:
        """Whether a row with this prompt and seed is valid as well."""
        return (
            isinstance(prompt, str)
            and len(prompt) <= LONGEST_PROMPT
            and not prompt.isspace()
            and prompt != ""
            and (self.prompt is None or self.prompt.accepts(prompt))
            and (seed is None or (self.seed is not None and self.seed.accepts(seed)))
        )


class RowRequest(NamedTuple):
    """What one row asks for: a form, filled in. ``images`` are known by their hashes or URLs."""

    form: Form
    prompt: str
    seed: int | None
    images: tuple[InputImage, ...]

    @property
    def takes_seed(self) -> bool:
        """Whether a seed is to be chosen for it."""
        return self.seed is None and self.form.seed is not None

    def digest(self) -> str:
        """The digest that `plan_job` gives its job."""
        options = {**self.form.described, "prompt": self.prompt, "seed": self.seed}
        options.pop("images", None)
        if self.seed is None:
            del options["seed"]
        return digest_of(options, self.form.provider.name, self.form.endpoint, self.images)

    def job(self, *, job_id: str, digest: str, seed: int | None) -> Job:
        """Its job, as `plan_job` makes it; ``seed`` is what is sent, chosen or given."""
        form = self.form
        request = {**form.described, "prompt": self.prompt}
        if seed is not None:
            request["seed"] = seed
        if self.images:
            request["images"] = tuple(image.source for image in self.images)
        return Job(
            id=job_id,
            operation=form.request.operation,
            provider=form.provider.name,
            model=form.model,
            endpoint=form.endpoint,
            request=request,
            seed=seed,
            cost=form.cost,
            digest=digest,
            sources=sources_of(self.images),
        )

    def plan(self, seed: int | None, stdin: Callable[[], BinaryIO]) -> Plan:
        """Its job with the call that submits it; ``seed`` is the chosen one.

        Raises InputFault for an image that cannot be read any more.
        """
        form = self.form
        sources = tuple(image.source for image in self.images)
        own = {} if self.seed is None else {"seed": self.seed}
        request = form.request._replace(
            prompt=self.prompt, images=sources, options={**form.request.options, **own}
        )
        images = load_images(
            sources,
            inline_bytes=room_for_images(form.provider),
            provider=form.provider.name,
            stdin=stdin,
        )
        return plan_job(
            request, form.provider, model=form.model, images=images, wanted=None, seed=seed
        )
