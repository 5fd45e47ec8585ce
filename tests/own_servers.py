"""Servers of one's own: sandboxes behind ports that can be killed."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from starlette.types import ASGIApp

from fronts import Front
from kontext_cli.sandbox.ledger import Ledger
from world import World

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
KINDS = ("comfyui", "openai")
"""A queue, and one that answers in one call."""


class Servers:
    """A pool of servers, with the ledger of each."""

    def __init__(self, world: World, places: Sequence[Front], ledgers: Sequence[Ledger]) -> None:
        self.world = world
        self.places = places
        self.ledgers = ledgers

    def use(self, *urls: str) -> None:
        """Set the base URLs; those of the three unless others are given."""
        for name in KINDS:
            bases = urls or [f"{place.url}/{name}" for place in self.places]
            self.world.set(**{f"KONTEXT_{name.upper()}_BASE_URL": ",".join(bases)})

    @property
    def accepted(self) -> Counter[str]:
        """How often each prompt was accepted, by all of them."""
        return sum((Counter(_prompts(ledger)) for ledger in self.ledgers), Counter())

    @property
    def shares(self) -> list[int]:
        """How many jobs each of them accepted."""
        return [len(ledger.entries) for ledger in self.ledgers]


def _prompts(ledger: Ledger) -> list[str]:
    return [entry.prompt for entry in ledger.entries]


class Start(Protocol):
    """Starts three servers, with the options of the sandbox, and others for the first of them;
    ``wrap`` is put around each."""

    def __call__(
        self,
        *,
        wrap: Callable[[ASGIApp], ASGIApp] = ...,
        first: Mapping[str, Any] = NO_OPTIONS,
        **options: Any,
    ) -> Servers: ...
