"""`kontext models`: list providers, models, options and prices."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kontext_cli.errors import UsageError
from kontext_cli.job import Operation
from kontext_cli.options import OPTIONS
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import BOTH, Endpoint, Option
from kontext_cli.settings.settings import Settings, spelled_variables
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result
from kontext_cli.words import dollars, flag

_SWITCHES = {row.name for row in OPTIONS if row.type is bool}


@dataclass(frozen=True, slots=True)
class Offer:
    """One operation on one model at one provider."""

    provider: Provider
    model: str
    operation: Operation
    endpoints: tuple[Endpoint, ...]

    @property
    def options(self) -> list[Option]:
        """The rows that apply."""
        return [*dict.fromkeys(row for each in self.endpoints for row in each.options)]


def list_models(provider: Name | None, model: str | None, *, with_settings: bool) -> Result:
    """List the models of all providers or of one, and optionally where settings come from.

    Raises UsageError for a model that none of them has.
    """
    settings = Settings.load(os.environ)
    offers = [
        offer
        for name in ([provider] if provider else NAMES)
        for offer in _offers(settings.open(name))
        if model in (None, offer.model, *(endpoint.id for endpoint in offer.endpoints))
    ]
    if not offers:
        names = ", ".join(_model_names())
        raise UsageError(f"there is no model `{model}`", hint=f"there are {names}")
    origins = settings.described() if with_settings else {}
    return Result(
        text=_text(offers),
        records=map(_record, offers),
        messages=[
            one_line(f"{name} = {setting.value} ({setting.origin})")
            for name, setting in origins.items()
        ],
    )


def _model_names() -> Iterator[str]:
    endpoints = (each for name in NAMES for each in provider_class(name).endpoints)
    yield from dict.fromkeys(each.model for each in endpoints)


def _offers(provider: Provider) -> Iterator[Offer]:
    for model in dict.fromkeys(endpoint.model for endpoint in provider.endpoints):
        for operation in BOTH:
            endpoints = tuple(
                row
                for row in provider.endpoints
                if (row.model, row.operation) == (model, operation)
            )
            if endpoints:
                yield Offer(provider, model, operation, endpoints)


def _text(offers: list[Offer]) -> Iterator[str]:
    for name in dict.fromkeys(offer.provider.name for offer in offers):
        mine = [offer for offer in offers if offer.provider.name == name]
        yield from (_heading(mine[0].provider), *_rows(mine), *_option_rows(mine), "")
    yield "Prices are estimates; `prices` in config.toml overrides them."


def _heading(provider: Provider) -> str:
    key = spelled_variables(provider.name) if provider.key_variables else "none needed"  # type: ignore[arg-type]
    where = "offline, in this process" if provider.offline else provider.base_url
    return f"{provider.name}  {where}  key: {key}"


def _rows(offers: list[Offer]) -> Iterator[str]:
    width = max(12, *(len(offer.model) for offer in offers))
    for offer in offers:
        for endpoint in offer.endpoints:
            yield (
                f"  {offer.model:<{width}} {offer.operation:<9} {_images(endpoint):<11} "
                f"{_price(offer):<23} {endpoint.id}"
            )


def _images(endpoint: Endpoint) -> str:
    if endpoint.images is None:
        return ""
    least, most = endpoint.images.least, endpoint.images.most
    return "1 image" if most == 1 else f"{least}–{most} images"


def _price(offer: Offer) -> str:
    price = offer.provider.price(offer.model)
    if price is None:
        return "price unknown"
    if not price.least and not price.varies:
        return "free"
    about = "from" if price.varies else "about"
    return f"{about} {dollars(price.least)} ({price.dated or 'from the config'})"


def _option_rows(offers: list[Offer]) -> Iterator[str]:
    rows = dict.fromkeys(row for offer in offers for row in offer.options)
    for row in rows:
        yield f"    {flag(row.field):<19} {_limits(row)}"


def _limits(row: Option) -> str:
    if row.field in _SWITCHES:
        return "flag"
    return row.limits() + ("" if row.default is None else f" (default {row.default})")


def _record(offer: Offer) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "type": "model",
        "provider": offer.provider.name,
        "model": offer.model,
        "operation": offer.operation,
        "endpoints": [
            {
                "id": row.id,
                "images": [row.images.least, row.images.most] if row.images else None,
            }
            for row in offer.endpoints
        ],
        "options": [_option_record(row) for row in offer.options],
        "price": _price_record(offer),
    }


def _option_record(row: Option) -> dict[str, Any]:
    return {
        "name": row.field,
        "least": row.least,
        "most": row.most,
        "longest": row.longest,
        "choices": list(row.choices) or None,
        "default": row.default,
    }


def _price_record(offer: Offer) -> dict[str, Any]:
    price = offer.provider.price(offer.model)
    if price is None:
        return {"usd": None, "source": "unknown", "dated": None}
    return {
        "usd": price.least,
        "source": "estimate",
        "dated": price.dated or None,
        "further_megapixel": price.further,
        "input_megapixel": price.inputs or None,
        "resolutions": dict(price.resolutions) or None,
    }
