"""What a provider is: tables of data, and pure methods that write calls and read replies.

`Provider` is the base of all; `Queue` adds jobs that can be polled, `Storage` adds uploads. A
package that adds a provider imports them from `interface.py`, which names what is public.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from kontext_cli.errors import Billed, KontextError, UnsupportedOption
from kontext_cli.http.call import Call, Reply
from kontext_cli.job import Handle, Operation, Progress
from kontext_cli.providers.options import Endpoint, Price

Variables = tuple[tuple[str, ...], ...]

_SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/gif": "gif"}


class Provider(ABC):
    """A service that hosts models: tables of data, and pure methods that write calls and read
    replies. Subclasses do no I/O: all requests are made by the program, with the key."""

    name: ClassVar[str]
    """The name for `-p`; with packages, lower-case letters and digits."""
    interface: ClassVar[tuple[int, int] | None] = None
    """The version of `interface.py` that a package was written for, as in ``(1, 0)``."""
    home: ClassVar[str]
    """The base URL of the service; that of an example for servers of the user's own."""
    further_bases: ClassVar[tuple[str, ...]] = ()
    """Further URLs below which calls may be made with the key, unless the user sets a base URL. A
    host of `https://*.example.com` stands for all below it."""
    scheme: ClassVar[str] = "Bearer"
    """The word before the key in the header Authorization."""
    key_variables: ClassVar[Variables] = ()
    """The environment variables of the key, in the order to look; a row of several is one key in
    parts, joined by a colon. None where no key is needed."""
    endpoints: tuple[Endpoint, ...]
    """What is offered: for each model and operation the provider's own id, options and images."""
    default_model: ClassVar[str] = "kontext-pro"
    """The model where none is named."""
    prices: ClassVar[tuple[Price, ...]] = ()
    """Estimates, by model."""
    inline_bytes: ClassVar[int]
    """Bytes of image data, before base64, that a request may carry."""
    blocking: ClassVar[bool] = False
    """Whether the answer to the submit is the result, so that nothing can be polled."""
    fetches_urls: ClassVar[bool] = True
    """Whether an input image may be a URL, which the provider downloads."""
    jobs: ClassVar[int] = 8
    """Jobs of a batch in flight at once, unless the user sets another number."""
    credit_statuses: ClassVar[frozenset[int]] = frozenset({402})
    """HTTP statuses that mean an empty account."""
    credit_types: ClassVar[frozenset[str]] = frozenset()
    """The provider's error types of an empty account."""
    key_types: ClassVar[frozenset[str]] = frozenset()
    """The provider's error types of a wrong key."""
    canceled_types: ClassVar[frozenset[str]] = frozenset()
    """The provider's error types of a canceled job."""
    error_type_header: ClassVar[str] = ""
    """The header with the type of an error whose body does not have it."""
    kept_headers: ClassVar[tuple[str, ...]] = ()
    """Headers that are stored with the answer of a blocking provider."""
    probe_path: ClassVar[str] = ""
    """The path, below the base URL, of a GET that is quick, free, and answered only with a valid
    key; empty where there is none."""

    # From here on, for providers of this package alone.
    package: ClassVar[str | None] = None
    """The installed package that adds the provider; None for those of this package."""
    probe_home: ClassVar[str] = ""
    """The base URL of ``probe_path`` where the provider has another host for it."""
    key_hosts: ClassVar[Mapping[str, frozenset[str]]] = MappingProxyType({})
    """The only hosts, besides loopback, that the key of a variable goes to; that of a variable that
    is not listed goes to every base URL."""
    needs_base_url: ClassVar[bool] = False
    """Whether its servers are the user's own: there is no host to fall back on, several are a pool,
    and a key is optional."""
    runs_workflows: ClassVar[bool] = False
    """Whether the user may give it workflows of their own, whose models the setting for all
    providers does not name."""
    own_names: ClassVar[bool] = False
    """Whether models have the server's own names."""
    served: tuple[str, ...] = ()
    """The models that a server was found to have."""
    routes: ClassVar[tuple[str, ...]] = ()
    """The hosts that a router passes jobs on to, the default one first."""
    dialects: ClassVar[tuple[str, ...]] = ()
    """What a server may be set to speak, the default one first."""
    offline: ClassVar[bool] = False
    """Whether it runs within this process, without a network."""

    def __init__(
        self, base_url: str | None = None, prices: Mapping[str, float] | None = None
    ) -> None:
        """``base_url`` stands in for ``home``; ``prices``, by model, for our own estimates."""
        self.base_url = self.normalised(base_url or ("" if self.needs_base_url else self.home))
        self._prices = prices or {}

    @property
    def server(self) -> str | None:
        """What distinguishes this server from others of the provider; None for a hosted one."""
        return self.base_url if self.needs_base_url else None

    @property
    def title(self) -> str:
        """What messages call it: the name, and for a server of the user's own the base URL."""
        return f"{self.name} at {self.server}" if self.server else self.name

    @property
    def if_unreachable(self) -> str | None:
        """The hint where no connection to a server of the user's own can be made."""
        if not self.needs_base_url:
            return None
        return f"start it, or set KONTEXT_{self.name.upper()}_BASE_URL to where it runs"

    def at(self, endpoint: str) -> "Provider":
        """The provider as it serves an endpoint: itself, but for a router. Raises UsageError for
        an endpoint that it has no route to."""
        return self

    def through(self, route: str) -> "Provider":
        """The provider with its models at another of its ``routes``."""
        return self

    def speaking(self, dialect: str) -> "Provider":
        """The provider as it speaks another of its ``dialects``."""
        return self

    def default_for(self, operation: Operation) -> str:
        """The model where none is named."""
        return self.default_model

    @property
    def key_bases(self) -> tuple[str, ...]:
        """The only URLs below which the key may go."""
        is_home = self.base_url == self.normalised(self.home)
        return (self.base_url, *(self.further_bases if is_home else ()))

    @staticmethod
    def normalised(base_url: str) -> str:
        """The base URL in the form that paths are appended to."""
        return base_url.rstrip("/")

    def headers(self, key: str) -> Mapping[str, str]:
        """The request headers that carry the key."""
        return {"Authorization": f"{self.scheme} {key}"}

    def price(self, model: str) -> Price | None:
        """What the images of a model cost; None where it is not known.

        The user's own price is for each image, whatever its size, and has no date.
        """
        if model in self._prices:
            return Price(model, self._prices[model], dated="")
        return next((price for price in self.prices if price.model == model), None)

    def load(self) -> Call | None:
        """The call, quick and free, that asks a server how many jobs it has; None where none can
        be asked."""
        return None

    def jobs_there(self, reply: Reply) -> int:
        """Read the answer to ``load``: the jobs that wait or run, whoever sent them."""
        return 0

    @property
    def probe_base(self) -> str:
        """The URL below which ``probe`` asks, and the only one that its key may go to: the user's
        own, where that is set."""
        return self.probe_home if self.probe_home and self.base_url == self.home else self.base_url

    def probe(self) -> Call | None:
        """The call, quick and free, that is answered only with a valid key, or by any server of
        the user's own; None where there is none."""
        return (
            Call("list", "GET", f"{self.probe_base}{self.probe_path}") if self.probe_path else None
        )

    def probed(self, reply: Reply) -> str:
        """What the answer to ``probe`` says of a server, in a few words; empty if nothing.

        Raises KontextError where it is no such server.
        """
        return ""

    def billed(self, reply: Reply) -> Billed:
        """Whether a job that ended with this error reply may be on the bill."""
        return "maybe"

    def model_hint(self, reply: Reply) -> str | None:
        """What to do about a submit that was refused because of its model; None for any other."""
        if reply.status not in (404, 410):
            return None
        return f"{self.name} does not have this model, or no longer: `kontext models --check`"

    def refused(self, reply: Reply) -> KontextError | None:
        """The error for an answer that refuses a submit in a form of the provider's own; None for
        the forms that are common."""
        return None

    def advice(self, operation: Operation, field: str) -> str | None:
        """What the user can change so that it takes an option, or images; None where nothing."""
        return None

    @abstractmethod
    def submit(self, endpoint: str, payload: Mapping[str, Any]) -> Call:
        """The call that hands over a job."""

    @abstractmethod
    def accepted(self, reply: Reply, endpoint: str) -> Progress:
        """Read the 2xx answer to a submit: a handle to poll with, or the images at once."""


class Adaptive(Provider):
    """A provider whose servers differ in what they take: it is asked, and learned from refusals."""

    is_known: bool = False
    """Whether a server was asked."""

    @abstractmethod
    def inquiry(self) -> Call:
        """The call, free of charge, whose answer says what a server is."""

    @abstractmethod
    def learn(self, reply: Reply) -> None:
        """Read the answer to ``inquiry``. Raises KontextError where it is no such server."""

    @abstractmethod
    def lacking(self, options: Mapping[str, Any]) -> frozenset[str]:
        """The options, of these, that the server does not take, as far as is known."""

    @abstractmethod
    def learn_refusal(self, reply: Reply) -> None:
        """Read the refusal of a submit: what it names is left out from then on."""


class Cancellation(StrEnum):
    """The answers of a queue to a request to cancel a job."""

    REMOVED = "removed from the queue"
    REQUESTED = "requested; it runs already, and may still finish and be billed"
    TOO_LATE = "too late: it is completed"
    UNKNOWN = "the provider does not know the job"


class Queue(Provider):
    """A provider that accepts a job into a queue, and is polled until it is done.

    ``cancels_by_state`` says that ``cancel`` writes another call for a job that waits than for one
    that runs, as its handle has it from the last poll. ``chooses_ids`` says that the id of a job is
    our choice: its handle is in the journal before it is sent, and a job whose answer was lost can
    be asked for.
    """

    cancels_by_state: ClassVar[bool] = False
    chooses_ids: ClassVar[bool] = False

    def named(self, call: Call, request_id: str) -> Call:
        """The submit ``call`` of a job with the id that we chose for it."""
        return call

    @abstractmethod
    def handle(self, endpoint: str, request_id: str) -> Handle:
        """The handle of a job of which no more than its request id is known."""

    @abstractmethod
    def poll(self, handle: Handle) -> Call:
        """The call that asks for a job's progress."""

    @abstractmethod
    def progress(self, reply: Reply, handle: Handle) -> Progress:
        """Read the answer to ``poll``. Raises KontextError where the job has failed."""

    @abstractmethod
    def status(self, body: Mapping[str, Any]) -> Progress:
        """Read the body of a status, polled or streamed."""

    def stream(self, handle: Handle) -> Call | None:
        """The call answered by server-sent events, each the body of a status with new log lines
        only, until the job is done; None where the provider has none."""
        return None

    def is_about(self, handle: Handle, body: Mapping[str, Any]) -> bool:
        """False where the body of a status names another job."""
        return True

    @abstractmethod
    def result(self, handle: Handle) -> Call:
        """The call for the result of a job that is done."""

    @abstractmethod
    def outcome(self, reply: Reply) -> Progress:
        """Read the answer to ``result``. Raises KontextError where the job has failed."""

    def cancel(self, handle: Handle) -> Call:
        """The call that cancels a job. Raises UnsupportedOption where the provider has none."""
        raise _endless(self)

    def canceled(self, reply: Reply) -> Cancellation:
        """Read the answer to ``cancel``. Raises KontextError for a refusal."""
        raise _endless(self)


def _endless(provider: Provider) -> UnsupportedOption:
    return UnsupportedOption(
        f"{provider.name} cannot cancel a job: it runs to its end, and is billed"
    )


class Place(NamedTuple):
    """Where an image is stored: the URL or name for requests, and, where its bytes are still to be
    sent there, a signed URL to PUT them to, without the key."""

    url: str
    upload_url: str | None = None


class Storage(Provider):
    """A provider that stores input images that are too large for a request."""

    @abstractmethod
    def upload(self, content: bytes, media_type: str) -> Call:
        """The call that stores an image, or asks for a place to; it must not have a file's name."""

    @abstractmethod
    def stored(self, reply: Reply) -> Place:
        """Read the answer to ``upload``. Raises KontextError for a refusal."""


def neutral_name(media_type: str, stem: str = "input") -> str:
    """A file name for an upload, which says nothing of the user's own file."""
    return f"{stem}.{_SUFFIXES.get(media_type, 'bin')}"
