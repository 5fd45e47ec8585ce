"""From a request and a provider's table to the call that submits it; options that are not in the
table are refused here, before anything is sent."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli import providers
from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.http.call import Call
from kontext_cli.job import Cost, Operation
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import Endpoint, Option
from kontext_cli.request import Request
from kontext_cli.words import flag, listed, nearest

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

_ENDPOINT_ID = r"(?a:[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)+)"


class Draft(NamedTuple):
    """A submit before its call is written: ``options`` are in the provider's form, ``images`` are
    still bytes or URLs, so that some can be uploaded first."""

    provider: Provider
    endpoint: Endpoint
    options: Mapping[str, Any]
    images: "tuple[InputImage, ...]"
    cost: Cost

    @property
    def local_images(self) -> "tuple[InputImage, ...]":
        """The images that the call would carry inline."""
        return tuple(image for image in self.images if image.content is not None)

    def with_urls(self, urls: Mapping[bytes, str]) -> "Draft":
        """The draft after uploads: ``urls`` by the content of the images that were uploaded."""
        return self._replace(
            images=tuple(
                image if (url := urls.get(image.content or b"")) is None else image.uploaded(url)
                for image in self.images
            )
        )

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

    Raises UnsupportedOption with the names of the providers or models that have what is lacking.
    """
    endpoint = choose_endpoint(provider, model, request.operation, len(images))
    options = {}
    for field, value in request.values().items():
        row = _row(provider, endpoint, field, value)
        options[row.wire or field] = row.encode(value)
    return Draft(
        provider=provider,
        endpoint=endpoint,
        options=options,
        images=tuple(images),
        cost=_cost(provider, endpoint.model, request.options.get("num_images", 1)),
    )


def choose_endpoint(provider: Provider, model: str, operation: Operation, images: int) -> Endpoint:
    """The endpoint for one of our models, or for a provider's own endpoint id.

    An id that is not in the table is used as it is, with the form of the operation.
    """
    offered = [row for row in provider.endpoints if row.operation == operation]
    if not offered:
        raise UnsupportedOption(
            f"{provider.name} has no `{operation}`",
            hint=_others(providers.who_serves(operation), "do", "does"),
        )
    fitting = [row for row in offered if row.model == model]
    if fitting:
        return _for_count(fitting, images, provider)
    if "/" in model:
        return _own_endpoint(provider, offered, model, images)
    raise _unknown_model(provider, model, operation, offered)


def chooses_format(provider: Provider, model: str, operation: Operation) -> bool:
    """Whether the format of a model's images can be chosen; else their names follow them."""
    rows = [row for row in provider.endpoints if (row.model, row.operation) == (model, operation)]
    return not rows or any(row.option("output_format") for row in rows)


def _own_endpoint(
    provider: Provider, offered: Sequence[Endpoint], endpoint_id: str, images: int
) -> Endpoint:
    if not re.fullmatch(_ENDPOINT_ID, endpoint_id):
        raise UsageError(f"`{endpoint_id}` is not an endpoint id")
    known = [row for row in provider.endpoints if row.id == endpoint_id]
    here = [row for row in known if row in offered]
    if known and not here:
        raise UsageError(f"`{endpoint_id}` is for `kontext {known[0].operation}`")
    row = _for_count(here or offered, images, provider)
    return row._replace(id=endpoint_id, model=endpoint_id)


def _for_count(rows: Sequence[Endpoint], images: int, provider: Provider) -> Endpoint:
    for row in rows:
        if row.takes(images):
            return row
    fields = [row.images for row in rows if row.images]
    least, most = min(f.least for f in fields), max(f.most for f in fields)
    wanted = "1 image" if least == most == 1 else f"{least} to {most} images"
    raise UnsupportedOption(f"{provider.name} takes {wanted} here, not {images}")


def _unknown_model(
    provider: Provider, model: str, operation: Operation, offered: Sequence[Endpoint]
) -> UnsupportedOption:
    names = list(dict.fromkeys(row.model for row in offered))
    elsewhere = providers.who_serves(operation, model)
    hint = _others(elsewhere, "do", "does") if elsewhere else f"it has {', '.join(names)}"
    if not elsewhere and (near := _near_model(model, names)):
        hint = f"did you mean `{near}`? {hint}"
    return UnsupportedOption(
        f"{provider.name} does not {operation} with the model `{model}`", hint=hint
    )


def _near_model(model: str, names: Sequence[str]) -> str | None:
    """The model that was probably meant: `pro`, `flux-kontext-max`, `kontext-por`."""
    parts = re.split(r"[\W_]+", model.casefold())
    same = [name for name in names if name.rpartition("-")[2] in parts]
    return same[0] if len(same) == 1 else nearest(model, names)


def _row(provider: Provider, endpoint: Endpoint, field: str, value: Any) -> Option:
    row = endpoint.option(field)
    if row is None:
        raise _unsupported(provider, endpoint, field)
    if not row.accepts(value):
        takers = providers.who_takes(endpoint.operation, field, value)
        raise UnsupportedOption(
            _refusal(provider, row, value), hint=_others(takers, "take it", "takes it")
        )
    return row


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
    return UnsupportedOption(
        f"{provider.name} does not support `{flag(field)}`",
        hint=_others(takers, "support it", "supports it"),
    )


def _refusal(provider: Provider, row: Option, value: Any) -> str:
    if row.longest is not None:
        return (
            f"the {row.field} has {len(value):,} characters; {provider.name} takes {row.limits()}"
        )
    return f"for {provider.name}, `{flag(row.field)}` should be {row.limits()}, not {value}"


def _others(names: Sequence[str], several: str, one: str) -> str | None:
    return f"{listed(names)} {one if len(names) == 1 else several}" if names else None


def _cost(provider: Provider, model: str, num_images: int) -> Cost:
    price = provider.price(model)
    if price is None:
        return Cost(None, "unknown")
    return Cost(round(price * num_images, 6), "estimate")
