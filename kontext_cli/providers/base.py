"""What a provider is: rows of data, and pure methods that write calls and read replies."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

from kontext_cli.errors import Billed
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Operation, Progress
from kontext_cli.providers.options import Endpoint, Option, Price

Variables = tuple[tuple[str, ...], ...]


class Provider(ABC):
    """A service that hosts the models. Subclasses are data and pure methods; none does I/O.

    ``key_variables`` lists the environment variables of a key in the order to look; a row of
    several is one key in parts, joined by a colon. ``trusted_hosts`` are hosts whose follow-up
    paths are believed; the key goes to the base alone. ``inline_bytes`` is how much image data,
    in raw bytes, a request may carry. ``credit_statuses`` are those that mean an empty account.
    ``uploads`` says that larger images go to a storage of the provider's first (`Storage`).
    ``blocking`` says that the submit's answer is the result: there is nothing to ask again.
    ``jobs`` is how many jobs of a batch are in flight at once unless the user says otherwise.
    """

    name: ClassVar[str]
    home: ClassVar[str]
    scheme: ClassVar[str] = "Bearer"
    key_variables: ClassVar[Variables] = ()
    trusted_hosts: ClassVar[frozenset[str]] = frozenset()
    endpoints: ClassVar[tuple[Endpoint, ...]]
    options: ClassVar[tuple[Option, ...]]
    prices: ClassVar[tuple[Price, ...]] = ()
    inline_bytes: ClassVar[int]
    uploads: ClassVar[bool] = False
    blocking: ClassVar[bool] = False
    jobs: ClassVar[int] = 8
    offline: ClassVar[bool] = False
    credit_statuses: ClassVar[frozenset[int]] = frozenset({402})

    def __init__(
        self, base_url: str | None = None, prices: Mapping[str, float] | None = None
    ) -> None:
        """``base_url`` stands in for ``home``; ``prices``, by model, for our own estimates."""
        self.base_url = self.normalised(base_url or self.home)
        self._prices = prices or {}

    @property
    def key_bases(self) -> tuple[str, ...]:
        """The only URLs below which the key may go."""
        return (self.base_url,)

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base URL in the form that paths are appended to."""
        return base_url.rstrip("/")

    def authorization(self, key: str) -> str:
        """The value of the Authorization header."""
        return f"{self.scheme} {key}"

    def option(self, field: str, operation: Operation) -> Option | None:
        """The row for one of our fields, None where the provider has no such option."""
        for row in self.options:
            if row.field == field and operation in row.operations:
                return row
        return None

    def price(self, model: str) -> float | None:
        """US dollars for one picture of a model, None where it is not known."""
        if model in self._prices:
            return self._prices[model]
        return next((price.usd for price in self.prices if price.model == model), None)

    def billed(self, reply: Reply) -> Billed:  # noqa: ARG002
        """Whether a job that ended with this error reply may be on the bill."""
        return "maybe"

    @abstractmethod
    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        """The call that hands over a job."""

    @abstractmethod
    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        """Read the 2xx answer to a submit: a handle to ask with, or the pictures at once."""


class Cancellation(StrEnum):
    """What a queue says to a request to cancel (fal's queue documentation)."""

    REMOVED = "removed from the queue"
    REQUESTED = "requested; it runs already, and may still finish and be billed"
    TOO_LATE = "too late: it is completed"
    UNKNOWN = "the provider does not know the job"
