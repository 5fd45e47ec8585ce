"""The rows of a provider's table of cases. `test_cases.py` runs the tables of all providers.

A table is the `TABLE` of the file with the provider's name. What it holds is from the provider's
own documents, and written out: nothing of it is computed by the code it tests.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from kontext_cli.errors import Billed, KontextError
from kontext_cli.http.call import Call
from kontext_cli.job import Handle, Progress
from kontext_cli.providers.base import Cancellation, Place

A, B = "https://example.com/a.png", "data:image/png;base64,AAAA"
"""Two input images."""

KEY = "canary-key"

HTML = b"<html><head><title>502 Bad Gateway</title></head></html>"
NOT_OBJECTS: tuple[Any, ...] = (b"OK", HTML, {}, [])
"""Answers that are no JSON object, or an empty one."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Sent(NamedTuple):
    """A request, its prompt ``x``, and the exact call that submits it; the body of one that is a
    form has each field as a list."""

    id: str
    url: str
    body: Mapping[str, Any]
    fields: Mapping[str, Any] = NOTHING
    images: tuple[str, ...] = ()
    model: str = "kontext-pro"


class Limit(NamedTuple):
    """An option: its name on the wire, its lowest and highest value as they are sent, and values
    outside with the message that refuses them."""

    field: str
    wire: str
    taken: Mapping[Any, Any]
    outside: Mapping[Any, str] = NOTHING
    model: str = "kontext-pro"
    images: tuple[str, ...] = ()


class Refused(NamedTuple):
    """A request that the provider's table refuses, and words of the message and the hint."""

    message: str
    fields: Mapping[str, Any] = NOTHING
    images: tuple[str, ...] = ()
    model: str = "kontext-pro"
    hint: str = ""


class Costs(NamedTuple):
    """US dollars that a request is estimated to cost, None where that is not known.

    ``sizes`` are those of its input images, None for one of which only the URL is known.
    """

    usd: float | None
    model: str = "kontext-pro"
    num_images: int = 1
    fields: Mapping[str, Any] = NOTHING
    sizes: Sequence[tuple[int, int] | None] = ()


class Ends(NamedTuple):
    """The error that a reply becomes, words of its message, and whether it may be billed."""

    error: type[KontextError]
    text: str = ""
    billed: Billed | None = None


Step = Literal["refused", "accepted", "progress", "outcome", "canceled", "stored"]
"""The method of the adapter that reads a reply; ``refused``: the submit was not accepted."""


class Answer(NamedTuple):
    """A reply at one step of a job, and what is read from it.

    ``content`` is sent as JSON, bytes as they are. ``handle`` is that of the job where it is not
    the handle of the table, and ``endpoint`` its endpoint likewise.
    """

    id: str
    step: Step
    content: Any
    expected: Progress | Cancellation | Place | Ends
    status: int = 200
    headers: Mapping[str, str] = NOTHING
    handle: Handle | None = None
    base_url: str | None = None
    endpoint: str = ""


class Document(NamedTuple):
    """A documented example: what is typed, what is sent (but for a seed that we choose), and the
    documented answers, of which every one is asked for. ``size`` and ``format`` are those of the
    image."""

    id: str
    fields: Mapping[str, Any]
    sent: Mapping[str, Any]
    script: Mapping[str, Any]
    size: tuple[int, int]
    reply: Mapping[str, Any]
    seed: int | None = None
    images: tuple[str, ...] = ()
    model: str = "kontext-pro"
    format: Literal["jpeg", "png"] = "jpeg"


class Table(NamedTuple):
    """All cases of one provider.

    ``headers`` carry the key `KEY`. ``endpoint`` is that of the job in ``answers``, ``handle``
    its handle. ``calls`` are the exact calls that follow a job, by the method that writes them, or
    how that refuses to.
    ``pasted`` are base URLs as people paste them, and what they are read as.
    ``documents`` may be empty for a provider that is not on the network. ``base_url`` is that of
    a server of one's own, and ``takes_files`` says that input images cannot be URLs there.
    """

    headers: Mapping[str, str]
    endpoint: str
    sent: Sequence[Sent]
    limits: Sequence[Limit]
    refused: Sequence[Refused]
    costs: Sequence[Costs]
    answers: Sequence[Answer]
    documents: Sequence[Document] = ()
    handle: Handle | None = None
    calls: Mapping[str, Call | Ends | None] = NOTHING
    pasted: Mapping[str, str] = MappingProxyType(
        {
            "https://proxy.example": "https://proxy.example",
            "https://proxy.example/": "https://proxy.example",
        }
    )
    base_url: str | None = None
    takes_files: bool = False
