"""From how an image was made, and the flags given, to the request that makes it again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kontext_cli.commands.flags import Flags
from kontext_cli.engine.recipe import Recipe
from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files.names import format_of
from kontext_cli.job import Operation
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Endpoint
from kontext_cli.providers.prepare import choose_endpoint
from kontext_cli.request import parse
from kontext_cli.settings.settings import Settings, known_provider, known_providers
from kontext_cli.words import flag


class Again(NamedTuple):
    """The request that makes an image again; ``provider`` is None for the one that is set.

    ``time`` is that of its job. ``notices`` say how it differs from what made the image.
    """

    operation: Operation
    prompt: str
    provider: str | None
    model: str
    images: tuple[str, ...]
    options: Mapping[str, Any]
    time: object
    notices: tuple[str, ...]

    def flags(self, flags: Flags) -> Flags:
        """The flags that ask for it."""
        return flags._replace(
            operation=self.operation,
            recipe_prompt=self.prompt,
            provider=self.provider,
            model=self.model,
            image=[*self.images],
            options={**dict.fromkeys(flags.options), **self.options},
        )

    def row(self, *, with_images: bool = True) -> dict[str, Any]:
        """The values of a row that asks for it; images that are given for all rows are left out."""
        own = ["operation", "prompt", "provider", "model", *(["images"] if with_images else [])]
        values = {name: each for name in own if (each := getattr(self, name))}
        return {**values, **self.options}

    @property
    def job(self) -> str | None:
        """What images of one job have in common; None where they cannot be distinguished."""
        if "seed" not in self.options and self.options.get("num_images", 1) == 1:
            return None
        time = None if "seed" in self.options else self.time
        return repr(self._replace(time=time, notices=()))


class Repeater:
    """Merges the flags of a run into what is known of images."""

    def __init__(self, flags: Flags, settings: Settings, prompt: str | None) -> None:
        """``prompt`` stands in for that of the images."""
        self._flags = flags
        self._settings = settings
        self._prompt = prompt
        self._given = {name: each for name, each in flags.options.items() if each is not None}
        self._opened: dict[str, Provider] = {}

    def again(self, recipe: Recipe, images: Sequence[str]) -> Again:
        """The request for an image with these input images. Raises KontextError."""
        prompt = recipe.prompt if self._prompt is None else self._prompt
        if prompt is None:
            raise InputFault("its prompt is not plain", hint="give one with --prompt")
        recorded = self._recorded(recipe, prompt, images)
        named = self._flags.provider or (recipe.provider and known_provider(recipe.provider))
        providers = self._providers(named)
        names = ",".join(provider.name for provider in providers)
        model = self._model(recipe, providers, len(images))
        endpoints = [
            choose_endpoint(each, model, recipe.operation, len(images)) for each in providers
        ]
        kept = {
            name: value
            for name, value in recorded.items()
            if all(_takes(endpoint, name, value) for endpoint in endpoints)
        }
        notices = [*recipe.notices, *self._lost(recipe, recorded, kept, providers)]
        if self._is_there(recipe) and endpoints[0].id != recipe.endpoint:
            now = f"{model} of {providers[0].name} is `{endpoints[0].id}` now"
            notices.append(f"it was made at `{recipe.endpoint}`; {now}")
        return Again(
            recipe.operation,
            prompt,
            names if named else None,
            model,
            tuple(images),
            {**kept, **self._given},
            recipe.time,
            tuple(notices),
        )

    def _recorded(self, recipe: Recipe, prompt: str, images: Sequence[str]) -> Mapping[str, Any]:
        """The recorded options that no flag replaces, validated. Raises UsageError."""
        options = {name: each for name, each in recipe.options.items() if name not in self._given}
        if format_of(self._flags.output or ""):
            options.pop("output_format", None)  # the name says which
        fields = {"operation": recipe.operation, "prompt": prompt, "images": images or None}
        return parse({**fields, **options}).options

    def _providers(self, named: str | None) -> list[Provider]:
        """The providers of a list, or those that are set. Raises UsageError for an unknown one."""
        names = known_providers(named) if named else self._settings.providers(None, needs_key=False)
        for name in names:
            if name not in self._opened:
                self._opened[name] = self._settings.open(name)
        return [self._opened[name] for name in names]

    def _is_there(self, recipe: Recipe) -> bool:
        """Whether it is made again where it was made."""
        flags = self._flags
        return recipe.is_ours and not flags.model and flags.provider in (None, recipe.provider)

    def _model(self, recipe: Recipe, providers: Sequence[Provider], images: int) -> str:
        """The model to ask for; where it was made, the one that leads to the recorded endpoint.

        An endpoint of a record is used only if it is in the provider's table, or if an id of valid
        form was named as the model: a record must not make something else of `kontext-pro`.
        """
        given = self._flags.model
        if given or recipe.model is None or recipe.endpoint is None:
            name = known_provider(providers[0].name)
            return self._settings.model(given, name, recipe.operation)
        if not self._is_there(recipe):
            _check_known(recipe, providers)
            return recipe.model
        same = [row.model for row in providers[0].endpoints if row.id == recipe.endpoint]
        for model in (recipe.model, *same):
            if _id(providers[0], model, recipe.operation, images) == recipe.endpoint:
                return model
        return recipe.model

    def _lost(
        self,
        recipe: Recipe,
        recorded: Mapping[str, Any],
        kept: Mapping[str, Any],
        providers: Sequence[Provider],
    ) -> Iterator[str]:
        """What is not as it was, though no flag asks for that."""
        names = " and ".join(provider.name for provider in providers)
        lost = [name for name in recorded if name not in kept]
        if self._is_same(recipe) and "seed" not in kept:
            yield f"{names} was sent no seed, so the image cannot be the same"
            lost = [name for name in lost if name != "seed"]
        if lost:
            shown = ", ".join(_typed(name, recorded[name]) for name in lost)
            yield f"not carried over, because not taken by {names}: {shown}"

    def _is_same(self, recipe: Recipe) -> bool:
        """Whether no flag changes the request of a record."""
        changes = self._given or self._flags.images or self._prompt is not None
        return self._is_there(recipe) and not changes


def _typed(name: str, value: Any) -> str:
    """An option as it would be typed."""
    if isinstance(value, bool):
        return flag(name)
    return f"{flag(name)} {value:g}" if isinstance(value, float) else f"{flag(name)} {value}"


def _takes(endpoint: Endpoint, name: str, value: Any) -> bool:
    option = endpoint.option(name)
    return option is not None and option.accepts(value)


def _id(provider: Provider, model: str, operation: Operation, images: int) -> str | None:
    """The endpoint id of a model, None where there is none."""
    try:
        return choose_endpoint(provider, model, operation, images).id
    except UsageError:
        return None


def _check_known(recipe: Recipe, providers: Sequence[Provider]) -> None:
    """Check that an endpoint that was named as the model is one of other providers, too.

    Raises UsageError.
    """
    for provider in providers if recipe.model == recipe.endpoint else ():
        if all(row.id != recipe.endpoint for row in provider.endpoints):
            raise UsageError(
                f"it was made by `{recipe.model}` of {recipe.provider}, which is no model of "
                f"{provider.name}",
                hint="choose one with -m",
            )
