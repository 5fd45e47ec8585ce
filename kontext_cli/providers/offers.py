"""What a provider offers: an operation on a model, with its endpoints, options and price."""

from collections.abc import Iterator
from dataclasses import dataclass

from kontext_cli.job import Operation
from kontext_cli.providers.base import Provider
from kontext_cli.providers.options import BOTH, Endpoint, Option, Price


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

    @property
    def price(self) -> Price | None:
        """The price of the model, None where it is not known."""
        return self.provider.price(self.model)


def offers_of(provider: Provider) -> Iterator[Offer]:
    """All that a provider offers, model by model; those that its server has, once that is known."""
    rows = provider.endpoints
    if provider.served:
        rows = tuple(row._replace(id=name, model=name) for name in provider.served for row in rows)
    of_models: dict[str, list[Endpoint]] = {}
    for row in rows:
        of_models.setdefault(row.model, []).append(row)
    for model, own in of_models.items():
        for operation in BOTH:
            endpoints = tuple(row for row in own if row.operation == operation)
            if endpoints:
                yield Offer(provider, model, operation, endpoints)
