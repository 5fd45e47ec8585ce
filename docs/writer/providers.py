"""The page of providers: who offers which model at which price, and with which options."""

from collections.abc import Iterator, Mapping, Sequence

from docs.writer.markdown import bullets, code, page, prose, table
from kontext_cli.options import OPTIONS
from kontext_cli.providers import NAMED_ONLY, NAMES, Name, provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.providers.offers import Offer, offers_of
from kontext_cli.providers.options import BOTH
from kontext_cli.terminal.models import (
    by_model,
    by_options,
    limits_text,
    price_text,
    purpose,
    short_price,
)
from kontext_cli.words import flag, listed

Offers = Mapping[str, Sequence[Offer]]
"""What each provider offers, by its name."""

_NONE = "–"


def providers_page() -> str:
    """Models, prices and options of all providers, first side by side and then one by one."""
    providers = [provider_class(name)() for name in NAMES]
    offers = {each.name: list(offers_of(each)) for each in providers}
    return page(
        "Providers, models and prices",
        [
            "`kontext models` shows the same in a terminal, with your own prices; "
            "`kontext models --json` prints it for programs.",
            "## Models",
            "Who has which model: estimated US dollars for one image, ? where the price is "
            "unknown, + where larger images cost more. The section of each provider has the dates "
            "of its prices.",
            _models(offers),
            "## Options",
            "Who takes which option, for at least one model. Others refuse it before anything is "
            "sent.",
            _options(offers),
            *(block for each in providers for block in _provider(each, offers[each.name])),
        ],
    )


def _models(offers: Offers) -> str:
    """A row for each provider, a column for each model that has a name with us."""
    named = {
        name: by_model([offer for offer in own if ":" not in offer.model])
        for name, own in offers.items()
        if not provider_class(name).own_names
    }
    models = dict.fromkeys(model for own in named.values() for model in own)
    return table(
        ["provider", *map(code, models)],
        [
            [_link(name), *(_cell(own.get(model, ())) for model in models)]
            for name, own in named.items()
        ],
    )


def _cell(offers: Sequence[Offer]) -> str:
    if not offers:
        return _NONE
    only = "" if len(offers) == len(BOTH) else f", only `{offers[0].operation}`"
    return prose(short_price(offers[0])) + only


def _options(offers: Offers) -> str:
    """A row for each option with its providers."""
    taken = {
        name: {row.field for offer in own for row in offer.options} for name, own in offers.items()
    }
    return table(
        ["option", "providers"],
        [
            [_field(row.name), ", ".join(_link(name) for name in offers if row.name in taken[name])]
            for row in OPTIONS
            if row.sent
        ],
    )


def _link(name: str) -> str:
    return f"[{name}](#{name})"


def _field(name: str) -> str:
    return code(flag(name))


def _provider(provider: Provider, offers: Sequence[Offer]) -> Iterator[str]:
    yield f"## {provider.name}"
    yield bullets(_facts(provider))
    if provider.own_names:
        yield (
            "Models have the server's own names, which "
            f"`kontext models -p {provider.name}` asks for. It may lack some of the options."
        )
    else:
        yield "Models:"
        yield _endpoints(offers)
    groups = by_options(offers)
    for options, models in groups.items():
        names = listed([code(name) for name in models])
        yield f"Options of {names}:" if len(groups) > 1 else "Options:"
        yield table(
            ["option", "values"],
            [[_field(row.field), prose(limits_text(row))] for row in options],
        )


def _endpoints(offers: Sequence[Offer]) -> str:
    return table(
        ["model", "operation", "endpoint", "price"],
        [
            [code(offer.model), purpose(endpoint), code(endpoint.id), prose(price_text(offer))]
            for offer in offers
            for endpoint in offer.endpoints
        ],
    )


def _facts(provider: Provider) -> Iterator[tuple[str, str]]:
    name: Name = provider.name
    optional = ", optional" if provider.needs_base_url else ""
    yield "Key", (_keys(provider) + optional) if provider.key_variables else "none"
    yield "Base URL", _base_url(provider)
    if name in NAMED_ONLY:
        yield "Used", "only where it is named, by a flag or a setting"
    yield "Jobs", _jobs(provider)
    yield "In flight in a batch", f"{provider.jobs}, unless `--jobs` or `jobs` says otherwise"
    if not provider.own_names:
        yield "Default model", code(provider.default_model)
    yield "Input images by URL", "yes" if provider.fetches_urls else "no: they are sent as files"


def _base_url(provider: Provider) -> str:
    variable = code(f"KONTEXT_{provider.name.upper()}_BASE_URL")
    if provider.offline:
        return "none: it runs in this process, offline"
    if provider.needs_base_url:
        return f"required, in {variable} or `config.toml`, as in {code(provider.home)}"
    return f"{code(provider.home)}, unless {variable} or `config.toml` sets another"


def _keys(provider: Provider) -> str:
    return ", or ".join(" and ".join(map(code, row)) for row in provider.key_variables)


def _jobs(provider: Provider) -> str:
    if provider.blocking:
        return "one blocking call: no `--no-wait`, and nothing to cancel"
    return "a queue: `--no-wait`, `status` and `fetch` work"
