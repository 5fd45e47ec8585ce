"""What rows ask for, checked once for all that differ in nothing but their prompts and seeds."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from kontext_cli.engine.plan import digest_of, plan_job, sources_of
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job, new_id
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Option
from kontext_cli.request import LONGEST_PROMPT, Request, chosen_seed

_MOST_FORMS = 1_000
_OF_ONE_ROW = ("prompt", "images", "seed")

Read = Callable[[], tuple[Request, Provider, str]]
"""Reads a row in full: its request, provider and model. Raises KontextError."""


class Form(NamedTuple):
    """A request that was accepted, as a pattern for those with other prompts, seeds and images.

    ``job`` was planned of it, without images' content; ``wish`` are its options as they count for
    the digest. ``prompt`` and ``seed`` are the provider's rows for these, None where it has none.
    """

    provider: Provider
    model: str
    job: Job
    wish: Mapping[str, Any]
    prompt: Option | None
    seed: Option | None

    def fits(self, prompt: object, seed: int | None) -> bool:
        """Whether a row with this prompt and seed is right as well."""
        return (
            isinstance(prompt, str)
            and len(prompt) <= LONGEST_PROMPT
            and not prompt.isspace()
            and prompt != ""
            and (self.prompt is None or self.prompt.accepts(prompt))
            and (seed is None or (self.seed is not None and self.seed.accepts(seed)))
        )

    def fill(
        self,
        prompt: str,
        seed: int | None,
        names: Sequence[str],
        images: Sequence[InputImage],
        *,
        chosen: int | None = None,
    ) -> Job:
        """The job that a row with this prompt, seed and images asks for, as `plan_job` makes it.

        ``chosen`` is the seed that was chosen earlier for a row that has none.
        """
        pattern = self.job
        digest = self.digest(prompt, seed, images)
        if seed is None and self.seed is not None:
            seed = chosen or chosen_seed()
        request = {**pattern.request, "prompt": prompt}
        if seed is not None:
            request["seed"] = seed
        if names:
            request["images"] = tuple(names)
        return Job(
            id=new_id(),
            operation=pattern.operation,
            provider=pattern.provider,
            model=pattern.model,
            endpoint=pattern.endpoint,
            request=request,
            seed=seed,
            cost=pattern.cost,
            digest=digest,
            sources=sources_of(images),
        )

    def digest(self, prompt: str, seed: int | None, images: Sequence[InputImage]) -> str:
        """The digest of what a row with this prompt, seed and images asks for."""
        own = {"prompt": prompt} if seed is None else {"prompt": prompt, "seed": seed}
        provider, endpoint = self.job.provider, self.job.endpoint
        return digest_of({**self.wish, **own}, provider, endpoint, images)


class Forms:
    """The forms of the rows so far."""

    def __init__(self) -> None:
        self._forms: dict[tuple[Any, ...], Form] = {}

    def of(self, fields: Mapping[str, Any], images: Sequence[str], read: Read) -> Form:
        """The form of a row whose fields are ``fields``, read in full where it is the first of its
        kind, or something is wrong with it. Raises KontextError."""
        prompt, seed = fields.get("prompt"), fields.get("seed")
        kind = (
            *((name, each) for name, each in fields.items() if name not in _OF_ONE_ROW),
            seed is None,
            len(images),
        )
        known = self._forms.get(kind)
        if known is not None and known.fits(prompt, seed):
            return known
        form = _form(*read())
        if len(self._forms) >= _MOST_FORMS:
            self._forms.clear()
        self._forms[kind] = form
        return form


def _form(request: Request, provider: Provider, model: str) -> Form:
    images = [InputImage(source=source, stem="", url=source) for source in request.images]
    return Form(
        provider=provider,
        model=model,
        job=plan_job(request, provider, model=model, images=images, wanted=None).job,
        wish=request.completed(takes_seed=False).options(),
        prompt=provider.option("prompt", request.operation),
        seed=provider.option("seed", request.operation),
    )
