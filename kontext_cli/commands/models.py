"""`kontext models`: list providers, models, options and prices."""

import os
from collections.abc import Iterator, Sequence
from typing import Any

from kontext_cli.errors import UsageError
from kontext_cli.providers import NAMES, Name
from kontext_cli.providers.base import Adaptive, Provider
from kontext_cli.providers.offers import Offer, offers_of
from kontext_cli.providers.options import Option
from kontext_cli.settings.origins import all_settings
from kontext_cli.settings.settings import Settings
from kontext_cli.terminal.models import model_matrix, provider_details
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.style import Line


def list_models(provider: Name | None, model: str | None, *, with_settings: bool) -> Result:
    """List the models of all providers or of one, and optionally where settings come from.

    A server whose models have names of its own is asked for them where it is the one. Raises
    UsageError for a model that none of them has, KontextError where a server does not answer.
    """
    settings = Settings.load(os.environ)
    if provider is None:
        listed = [settings.offered(name) for name in NAMES]
    else:
        listed = [_asked(settings, provider, debug=with_settings)]
    every = [offer for each in listed for offer in offers_of(each)]
    offers = [
        offer
        for offer in every
        if model in (None, offer.model, *(endpoint.id for endpoint in offer.endpoints))
    ]
    if not offers:
        names = ", ".join(dict.fromkeys(offer.model for offer in every))
        raise UsageError(f"there is no model `{model}`", hint=f"there are {names}")
    origins = all_settings(settings) if with_settings else {}
    return Result(
        text=_text(offers, in_detail=bool(provider or model)),
        records=map(_record, offers),
        messages=[
            *(one_line(text) for text in _unused(provider)),
            *(
                one_line(f"{name} = {setting.value} ({setting.origin})")
                for name, setting in origins.items()
            ),
        ],
    )


def _unused(provider: Name | None) -> Iterator[str]:
    """A notice for each package that has a provider under one of our names; the packages are
    searched only for a name that is not ours."""
    if provider is None or provider in NAMES:
        return
    from kontext_cli.providers.installed import packages_of

    for name in NAMES:
        for package in packages_of(name):
            yield f"notice: the provider {name} of {package} is not used: kontext has its own"


def _text(offers: Sequence[Offer], *, in_detail: bool) -> Iterator[Line]:
    return provider_details(offers) if in_detail else model_matrix(offers)


def _asked(settings: Settings, name: Name, *, debug: bool) -> Provider:
    """The provider; of servers of one's own, the first that answers which models it has."""
    provider = settings.offered(name)
    if not isinstance(provider, Adaptive) or not provider.base_url:
        return provider
    from kontext_cli.commands.models_asked import first_to_answer

    return first_to_answer(settings.servers(name), settings, debug=debug)


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
    price = offer.price
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
