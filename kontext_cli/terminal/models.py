"""Models and providers: a matrix of what is offered where, and a provider in detail."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from kontext_cli.job import Operation
from kontext_cli.options import OPTIONS
from kontext_cli.providers.base import Provider
from kontext_cli.providers.offers import Offer
from kontext_cli.providers.options import Endpoint, Option
from kontext_cli.settings.settings import spelled_variables
from kontext_cli.terminal.cells import width_of, wrapped
from kontext_cli.terminal.printable import escaped
from kontext_cli.terminal.style import BOLD, DIM, Line, Piece
from kontext_cli.terminal.table import Cell, Column, labeled, table, window_width
from kontext_cli.words import dollars, flag, listed

_SWITCHES = {row.name for row in OPTIONS if row.type is bool}
_WORDS: Mapping[Operation, str] = {"generate": "generate", "edit": "edit"}
_LETTERS: Mapping[Operation, str] = {"generate": "g", "edit": "e"}
_ABSENT = "–"
_UNKNOWN = "?"
_FROM = "+"
_ABOUT_PRICES = "Prices are estimates in US dollars for an image, as of {}."
_MORE = ("Options, endpoints and keys:", "kontext models -p PROVIDER")


def model_matrix(offers: Sequence[Offer]) -> Iterator[Line]:
    """A row for each model and a column for each provider, in several tables if one is too wide.

    The routes to a model through one provider are left to its details.
    """
    width = window_width()
    offers = [offer for offer in offers if ":" not in offer.model]
    models = list(dict.fromkeys(offer.model for offer in offers))
    spelling = _WORDS
    cells = _cells(offers, spelling)
    if len(_blocks(cells, models, width)) > 1:
        spelling = _LETTERS
        cells = _cells(offers, spelling)
    for names in _blocks(cells, models, width):
        columns = [Column("model"), *(Column(name) for name in names)]
        rows = [
            [Cell(model, BOLD), *(_cell(cells[name].get(model, _ABSENT)) for name in names)]
            for model in models
        ]
        yield from (*table(columns, rows, width), "")
    meaning = "" if spelling is _WORDS else "g: generate. e: edit. "
    own = {offer.provider.default_model for offer in offers if offer.provider.own_names}
    of_servers = "".join(f" {model}: the one that your own server has." for model in sorted(own))
    dates = sorted({offer.price.dated for offer in offers if offer.price and offer.price.dated})
    prices = _ABOUT_PRICES.format(dates[-1]) if dates else ""
    more = " ".join(_MORE)
    notes = wrapped(
        f"{meaning}{prices} {_FROM}: more for larger images. {_UNKNOWN}: unknown.{of_servers}",
        width,
    )
    for line in (*notes, *((more,) if len(more) <= width else _MORE)):
        yield [Piece(line, DIM)]


def provider_details(offers: Sequence[Offer]) -> Iterator[Line]:
    """What one provider or several offer: keys, models with prices and endpoints, and options."""
    for number, (provider, own) in enumerate(groupby(offers, lambda offer: offer.provider)):
        if number:
            yield ""
        yield from _details(provider, list(own))


def _cells(offers: Sequence[Offer], spelling: Mapping[Operation, str]) -> dict[str, dict[str, str]]:
    """The text of each cell, by provider and model; the prices of a column are aligned."""
    cells: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(offer.provider.name for offer in offers):
        own = [offer for offer in offers if offer.provider.name == name]
        operations = {
            model: ", ".join(spelling[offer.operation] for offer in group)
            for model, group in by_model(own).items()
        }
        most = max(map(len, operations.values()))
        cells[name] = {
            offer.model: f"{operations[offer.model]:<{most}}  {short_price(offer)}" for offer in own
        }
    return cells


def by_model(offers: Sequence[Offer]) -> dict[str, list[Offer]]:
    """The offers of each model."""
    found: dict[str, list[Offer]] = {}
    for offer in offers:
        found.setdefault(offer.model, []).append(offer)
    return found


def _blocks(
    cells: Mapping[str, Mapping[str, str]], models: Sequence[str], width: int
) -> list[list[str]]:
    """The providers in groups whose columns have room side by side."""
    first = max(map(len, (*models, "model")))
    blocks: list[list[str]] = []
    left = 0
    for name, column in cells.items():
        wide = 2 + max(map(width_of, (name, *column.values())))
        if not blocks or wide > left:
            blocks.append([])
            left = width - first
        blocks[-1].append(name)
        left -= wide
    return blocks


def _cell(text: str) -> Cell:
    return Cell(text, DIM if text == _ABSENT else "")


def short_price(offer: Offer) -> str:
    """The price of the cheapest image, for a table: `$0.04`, `$0.03+`, `free` or `?`."""
    price = offer.price
    if price is None:
        return _UNKNOWN
    if not price.least and not price.varies:
        return "free"
    return f"{dollars(price.least)}{_FROM if price.varies else ''}"


def _details(provider: Provider, offers: Sequence[Offer]) -> Iterator[Line]:
    where = "offline, in this process" if provider.offline else provider.base_url
    where = where or "no base URL is set"
    key = spelled_variables(provider.name) if provider.key_variables else "none needed"
    if provider.key_variables and provider.needs_base_url:
        key += " (optional)"
    yield [Piece(provider.name, BOLD), Piece(f"  {escaped(where)}")]
    yield from labeled("  key: ", key)
    for model, each in by_model(offers).items():
        yield ""
        yield [Piece(f"  {model}", BOLD), Piece(f"  {price_text(each[0])}")]
        endpoints = [endpoint for offer in each for endpoint in offer.endpoints]
        most = max(width_of(purpose(endpoint)) for endpoint in endpoints)
        for endpoint in endpoints:
            yield f"    {purpose(endpoint):<{most}}  {endpoint.id}"
    groups = by_options(offers)
    for options, models in groups.items():
        yield ""
        if len(groups) > 1:
            yield from labeled("  ", f"options of {listed([*models])}")
        for row in options:
            yield from labeled(f"  {flag(row.field):<19} ", limits_text(row))


def by_options(offers: Sequence[Offer]) -> dict[tuple[Option, ...], dict[str, None]]:
    """The models and operations by what options they have, named so that they are told apart."""
    whole = {
        model: {tuple(offer.options) for offer in own} for model, own in by_model(offers).items()
    }
    groups: dict[tuple[Option, ...], dict[str, None]] = {}
    for offer in offers:
        alike = len(whole[offer.model]) == 1
        name = offer.model if alike else f"{offer.model} ({offer.operation})"
        groups.setdefault(tuple(offer.options), {})[name] = None
    return groups


def purpose(endpoint: Endpoint) -> str:
    """What an endpoint is for: `edit, 2–4 images`."""
    if endpoint.images is None:
        return endpoint.operation
    least, most = endpoint.images.least, endpoint.images.most
    return f"{endpoint.operation}, {'1 image' if most == 1 else f'{least}–{most} images'}"


def price_text(offer: Offer) -> str:
    """The price of the cheapest image with its date: `about $0.04 (2026-11-21)`."""
    price = offer.price
    if price is None:
        return "price unknown"
    if not price.least and not price.varies:
        return "free"
    about = "from" if price.varies else "about"
    return f"{about} {dollars(price.least)} ({price.dated or 'from the config'})"


def limits_text(row: Option) -> str:
    """What an option takes: `1 to 20 (default 3.5)`."""
    if row.field in _SWITCHES:
        return "flag"
    return row.limits() + ("" if row.default is None else f" (default {row.default})")
