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
from kontext_cli.words import dollars, flag

_SWITCHES = {row.name for row in OPTIONS if row.type is bool}
_WORDS: Mapping[Operation, str] = {"generate": "generate", "edit": "edit"}
_LETTERS: Mapping[Operation, str] = {"generate": "g", "edit": "e"}
_KEY = "key"
_ABSENT = "–"
_UNKNOWN = "?"
_ABOUT_PRICES = "Prices are estimates in US dollars for an image, as of {}."
_MORE = ("Options, endpoints and keys:", "kontext models -p PROVIDER")


def model_matrix(offers: Sequence[Offer]) -> Iterator[Line]:
    """A row for each provider and a column for each model, in several tables if one is too wide."""
    width = window_width()
    providers = list(dict.fromkeys(offer.provider for offer in offers))
    spelling = _WORDS
    cells = _cells(offers, spelling)
    if len(_blocks(cells, width)) > 1:
        spelling = _LETTERS
        cells = _cells(offers, spelling)
    for models in _blocks(cells, width):
        columns = [Column("provider"), *(Column(model) for model in models), Column(_KEY, 8, 1)]
        rows = [
            [
                Cell(provider.name, BOLD),
                *(_cell(cells[model].get(provider, _ABSENT)) for model in models),
                Cell(_first_key(provider)),
            ]
            for provider in providers
        ]
        yield from (*table(columns, rows, width), "")
    meaning = "" if spelling is _WORDS else "g: generate. e: edit. "
    dates = sorted({offer.dated for offer in offers if offer.dated})
    prices = _ABOUT_PRICES.format(dates[-1]) if dates else ""
    more = " ".join(_MORE)
    notes = wrapped(f"{meaning}{prices} {_UNKNOWN}: unknown.", width)
    for line in (*notes, *((more,) if len(more) <= width else _MORE)):
        yield [Piece(line, DIM)]


def provider_details(offers: Sequence[Offer]) -> Iterator[Line]:
    """What one provider or several offer: keys, models with prices and endpoints, and options."""
    for number, (provider, own) in enumerate(groupby(offers, lambda offer: offer.provider)):
        if number:
            yield ""
        yield from _details(provider, list(own))


def _cells(
    offers: Sequence[Offer], spelling: Mapping[Operation, str]
) -> dict[str, dict[Provider, str]]:
    """The text of each cell, by model and provider; the prices of a column are aligned."""
    cells: dict[str, dict[Provider, str]] = {}
    for model in dict.fromkeys(offer.model for offer in offers):
        own = [offer for offer in offers if offer.model == model]
        operations = {
            provider: ", ".join(spelling[offer.operation] for offer in group)
            for provider, group in _by_provider(own).items()
        }
        most = max(map(len, operations.values()))
        cells[model] = {
            offer.provider: f"{operations[offer.provider]:<{most}}  {_price(offer)}"
            for offer in own
        }
    return cells


def _by_provider(offers: Sequence[Offer]) -> dict[Provider, list[Offer]]:
    found: dict[Provider, list[Offer]] = {}
    for offer in offers:
        found.setdefault(offer.provider, []).append(offer)
    return found


def _blocks(cells: Mapping[str, Mapping[Provider, str]], width: int) -> list[list[str]]:
    """The models in groups whose columns have room side by side."""
    names = {provider.name for column in cells.values() for provider in column}
    first = max(map(len, (*names, "provider")))
    blocks: list[list[str]] = []
    left = 0
    for model, column in cells.items():
        wide = 2 + max(map(width_of, (model, *column.values())))
        if not blocks or wide > left:
            blocks.append([])
            left = width - first
        blocks[-1].append(model)
        left -= wide
    return blocks


def _cell(text: str) -> Cell:
    return Cell(text, DIM if text == _ABSENT else "")


def _price(offer: Offer) -> str:
    if offer.usd is None:
        return _UNKNOWN
    return "free" if offer.usd == 0 else dollars(offer.usd)


def _first_key(provider: Provider) -> str:
    return provider.key_variables[0][0] if provider.key_variables else "none needed"


def _details(provider: Provider, offers: Sequence[Offer]) -> Iterator[Line]:
    where = "offline, in this process" if provider.offline else provider.base_url
    key = spelled_variables(provider.name) if provider.key_variables else "none needed"  # type: ignore[arg-type]
    yield [Piece(provider.name, BOLD), Piece(f"  {escaped(where)}")]
    yield from labeled("  key: ", key)
    for model, own in groupby(offers, lambda offer: offer.model):
        each = list(own)
        yield ""
        yield [Piece(f"  {model}", BOLD), Piece(f"  {_long_price(each[0])}")]
        endpoints = [endpoint for offer in each for endpoint in offer.endpoints]
        most = max(width_of(_purpose(endpoint)) for endpoint in endpoints)
        for endpoint in endpoints:
            yield f"    {_purpose(endpoint):<{most}}  {endpoint.id}"
    yield ""
    for row in dict.fromkeys(row for offer in offers for row in offer.options):
        yield from labeled(f"  {flag(row.field):<19} ", _limits(row))


def _purpose(endpoint: Endpoint) -> str:
    """What an endpoint is for: `edit, 2–4 images`."""
    if endpoint.images is None:
        return endpoint.operation
    least, most = endpoint.images.least, endpoint.images.most
    return f"{endpoint.operation}, {'1 image' if most == 1 else f'{least}–{most} images'}"


def _long_price(offer: Offer) -> str:
    if offer.usd is None:
        return "price unknown"
    if offer.usd == 0:
        return "free"
    return f"about ${offer.usd:g} ({offer.dated or 'from the config'})"


def _limits(row: Option) -> str:
    if row.field in _SWITCHES:
        return "flag"
    return row.limits() + ("" if row.default is None else f" (default {row.default})")
