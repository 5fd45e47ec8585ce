"""From a request and a provider's table to the call that submits it; options that are not in the
table are refused here, before anything is sent."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli import providers
from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.http.call import Call
from kontext_cli.job import Cost, Operation
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Endpoint, Option, Price, Size
from kontext_cli.request import Request
from kontext_cli.words import flag, listed, nearest

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

_LONGEST_NAME = 500
_ENDPOINT_ID = r"(?a:[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)+)"


class Draft(NamedTuple):
    """A submit before its call is written: ``options`` are in the provider's form, ``images`` are
    still bytes or URLs, so that some can be uploaded first. ``chosen`` are options that the user
    did not ask for."""

    provider: Provider
    endpoint: Endpoint
    options: Mapping[str, Any]
    images: "tuple[InputImage, ...]"
    cost: Cost
    chosen: Collection[str] = ()

    @property
    def local_images(self) -> "tuple[InputImage, ...]":
        """The images that the call would carry inline."""
        return tuple(image for image in self.images if image.content is not None)

    def at(self, server: Provider) -> "Draft":
        """The draft for another server of its provider."""
        return self._replace(provider=server)

    def with_urls(self, urls: Mapping[bytes, str]) -> "Draft":
        """The draft after uploads: ``urls`` by the content of the images that were uploaded."""
        return self._replace(
            images=tuple(
                image if (url := urls.get(image.content or b"")) is None else image.uploaded(url)
                for image in self.images
            )
        )

    def without(self, options: Collection[str]) -> "Draft":
        """The draft without some of its options."""
        left = {name: each for name, each in self.options.items() if name not in options}
        return self._replace(options=left)

    def call(self) -> Call:
        """Write the call, with the images that have no URL inline."""
        payload = dict(self.options)
        field = self.endpoint.images
        if field is not None:
            payload.update(field.encode(self.images))
        return self.provider.submit(self.endpoint.id, payload)


def prepare(
    provider: Provider, request: Request, *, model: str, images: "Sequence[InputImage]"
) -> Draft:
    """Draft the submit of ``request``; pure.

    Raises UnsupportedOption with the names of the providers or models that have what is lacking,
    for all options that it lacks.
    """
    endpoint = choose_endpoint(provider, model, request.operation, len(images))
    options: dict[str, Any] = {}
    refused: list[UnsupportedOption] = []
    for field, value in request.values().items():
        try:
            row = _row(provider, endpoint, field, value)
        except UnsupportedOption as error:
            refused.append(error)
        else:
            options[row.wire or field] = row.encode(value)
    if refused:
        raise _together(refused)
    return Draft(
        provider=provider,
        endpoint=endpoint,
        options=options,
        images=tuple(images),
        cost=Estimate.of(provider, endpoint, request.options).cost(
            [image.size for image in images]
        ),
        chosen=request.chosen,
    )


def check_urls(provider: Provider, images: "Sequence[InputImage]") -> None:
    """Raises UnsupportedOption for an image by its URL, where the provider does not fetch it."""
    if not provider.fetches_urls and any(image.url is not None for image in images):
        raise UnsupportedOption(
            f"{provider.name} does not fetch images from URLs",
            hint="download the image, and name the file",
        )


def choose_endpoint(provider: Provider, model: str, operation: Operation, images: int) -> Endpoint:
    """The endpoint for one of our models, or for a provider's own endpoint id.

    An id that is not in the table is used as it is, with the form of the operation, and of the
    same owner's other models where there are any. Where models have the server's own names, any
    name is one.
    """
    offered = [row for row in provider.endpoints if row.operation == operation]
    if not offered:
        raise UnsupportedOption(
            f"{provider.name} has no `{operation}`",
            hint=provider.advice(operation, "images")
            or _others(providers.who_serves(operation), "do", "does"),
        )
    if provider.own_names:
        offered = [row._replace(id=_checked_name(model), model=model) for row in offered]
    fitting = [row for row in offered if row.model == model]
    if fitting:
        return _for_count(fitting, images, provider, offered, model)
    if "/" in model:
        return _own_endpoint(provider, offered, model, images)
    raise _unknown_model(provider, model, operation, offered)


def chooses_format(providers: Sequence[Provider], model: str, operation: Operation) -> bool:
    """Whether all let the format of a model's images be chosen; else their names follow them."""
    rows = [
        row
        for each in providers
        for row in each.endpoints
        if row.operation == operation and (each.own_names or row.model == model)
    ]
    return all(row.option("output_format") for row in rows)


def _checked_name(model: str) -> str:
    """A server's own name of a model. Raises UsageError for what can be none."""
    if not model.isprintable() or len(model) > _LONGEST_NAME:
        raise UsageError("the name of the model is too long, or has control characters")
    return model


def _own_endpoint(
    provider: Provider, offered: Sequence[Endpoint], endpoint_id: str, images: int
) -> Endpoint:
    if not re.fullmatch(_ENDPOINT_ID, endpoint_id):
        raise UsageError(f"`{endpoint_id}` is not an endpoint id")
    known = [row for row in provider.endpoints if row.id == endpoint_id]
    fitting = [row for row in offered if row.id == endpoint_id]
    if known and not fitting:
        raise UsageError(f"`{endpoint_id}` is for `kontext {known[0].operation}`")
    provider.at(endpoint_id)
    owner = f"{endpoint_id.partition('/')[0]}/"
    alike = fitting or [row for row in offered if row.id.startswith(owner)] or offered
    row = _for_count(alike, images, provider, offered, endpoint_id)
    return row._replace(id=endpoint_id, model=endpoint_id)


def _for_count(
    rows: Sequence[Endpoint],
    images: int,
    provider: Provider,
    offered: Sequence[Endpoint],
    model: str,
) -> Endpoint:
    """The row that takes so many images. Raises UnsupportedOption with the models that do."""
    for row in rows:
        if row.takes(images):
            return row
    fields = [row.images for row in rows if row.images]
    least, most = min(f.least for f in fields), max(f.most for f in fields)
    wanted = "1 image" if least == most == 1 else f"{least} to {most} images"
    others = dict.fromkeys(row.model for row in offered if row.takes(images))
    advice = provider.advice(offered[0].operation, "images")
    raise UnsupportedOption(
        f"with {model}, {provider.name} takes {wanted}, not {images}",
        hint=advice or _others([*others], "take as many there", "takes as many there"),
    )


def _unknown_model(
    provider: Provider, model: str, operation: Operation, offered: Sequence[Endpoint]
) -> UnsupportedOption:
    names = list(dict.fromkeys(row.model for row in offered))
    elsewhere = providers.who_serves(operation, model)
    hint = _others(elsewhere, "do", "does") if elsewhere else f"it has {', '.join(names)}"
    if (only := _only_operation(provider, model)) and not elsewhere:
        hint = f"{model} is for `kontext {only}`; here {hint}"
    elif not elsewhere and (near := _near_model(model, names)):
        hint = f"did you mean `{near}`? {hint}"
    return UnsupportedOption(
        f"{provider.name} does not {operation} with the model `{model}`", hint=hint
    )


def _only_operation(provider: Provider, model: str) -> Operation | None:
    """What a model here is for, where that is one operation alone."""
    operations = {row.operation for row in provider.endpoints if row.model == model}
    return operations.pop() if len(operations) == 1 else None


def _near_model(model: str, names: Sequence[str]) -> str | None:
    """The model that was probably meant: `pro`, `flux-kontext-max`, `kontext-por`."""
    parts = {*re.split(r"[\W_]+", model.casefold())}
    same = [name for name in names if name.rpartition("-")[2] in parts]
    if same:
        return max(same, key=lambda name: len(parts & {*name.split("-")}))
    return nearest(model, names)


def _together(refused: Sequence[UnsupportedOption]) -> UnsupportedOption:
    """Several refusals as one; each has its hint if these differ."""
    if len(refused) == 1:
        return refused[0]
    hints = list(dict.fromkeys(error.hint for error in refused))
    if len(hints) == 1:
        return UnsupportedOption("; ".join(error.message for error in refused), hint=hints[0])
    return UnsupportedOption(
        "; ".join(f"{error.message}{f' ({error.hint})' if error.hint else ''}" for error in refused)
    )


def _row(provider: Provider, endpoint: Endpoint, field: str, value: Any) -> Option:
    row = endpoint.option(field)
    if row is None:
        raise _unsupported(provider, endpoint, field)
    if not row.accepts(value):
        raise UnsupportedOption(
            _refusal(provider, row, value), hint=_who_takes(provider, endpoint, field, value)
        )
    return row


def _who_takes(provider: Provider, endpoint: Endpoint, field: str, value: Any) -> str | None:
    """The models here that take a value, else the providers."""
    models = dict.fromkeys(
        each.model
        for each in provider.endpoints
        if each.operation == endpoint.operation
        and (row := each.option(field)) is not None
        and row.accepts(value)
    )
    if models:
        return _others([*models], "take it there", "takes it there")
    takers = providers.who_takes(endpoint.operation, field, value)
    takers = [name for name in takers if name != provider.name]
    return _others(takers, "take it", "takes it")


def _unsupported(provider: Provider, endpoint: Endpoint, field: str) -> UnsupportedOption:
    """The refusal of an option, naming the models here that have it, else the providers."""
    models = dict.fromkeys(
        row.model
        for row in provider.endpoints
        if row.operation == endpoint.operation and row.option(field)
    )
    if models:
        return UnsupportedOption(
            f"{provider.name} does not support `{flag(field)}` with {endpoint.model}",
            hint=_others([*models], "have it there", "has it there"),
        )
    takers = providers.who_takes(endpoint.operation, field)
    takers = [name for name in takers if name != provider.name]
    return UnsupportedOption(
        f"{provider.name} does not support `{flag(field)}`",
        hint=provider.advice(endpoint.operation, field)
        or _others(takers, "support it", "supports it"),
    )


def _refusal(provider: Provider, row: Option, value: Any) -> str:
    if row.longest is not None:
        return (
            f"the {row.field} has {len(value):,} characters; {provider.name} takes {row.limits()}"
        )
    return f"for {provider.name}, `{flag(row.field)}` should be {row.limits()}, not {value}"


def _others(names: Sequence[str], several: str, one: str) -> str | None:
    return f"{listed(names)} {one if len(names) == 1 else several}" if names else None


class Estimate(NamedTuple):
    """What the jobs of one request cost: known with the request, or with its input images.

    ``price`` is None where it is not known. ``follows`` says that the provider is left to choose
    the size of the image: it takes that of the first input, as far as is documented.
    """

    price: Price | None
    num_images: int
    resolution: str | None
    follows: bool

    @classmethod
    def of(cls, provider: Provider, endpoint: Endpoint, options: Mapping[str, Any]) -> "Estimate":
        """The estimate for a request with these options, images left out."""
        return cls(
            price=provider.price(endpoint.model),
            num_images=options.get("num_images", 1),
            resolution=options.get("resolution"),
            follows=endpoint.images is not None and "aspect_ratio" not in options,
        )

    @property
    def needs_sizes(self) -> bool:
        """Whether the cost depends on the sizes of the input images."""
        return self.price is not None and self.price.depends_on_inputs(follows=self.follows)

    def cost(self, sizes: Sequence[Size | None] = ()) -> Cost:
        """The cost of a job, with the sizes of its input images (None for an unknown one)."""
        usd = self.price and self.price.of(sizes, follows=self.follows, resolution=self.resolution)
        if usd is None:
            return Cost(None, "unknown")
        return Cost(round(usd * self.num_images, 6), "estimate")
