"""What a package that adds a provider may use: all names of ``__all__`` here, and
`kontext_cli.providers.cases` for its tests. Nothing else is kept stable for it.

A provider declares the ``VERSION`` that it was written for as ``interface``. The first number grows
when something is taken away or changed, the second when something is added: a provider for 1.2 runs
with 1.2, 1.3 and so on. `docs/how-to/providers.md` shows how to write one.
"""

from kontext_cli.errors import (
    Billed,
    Canceled,
    Expired,
    JobFailed,
    Moderated,
    NoCredit,
    RejectedKey,
    UnexpectedReply,
    UnsupportedOption,
)
from kontext_cli.http.call import Call, Part, Reply, plain
from kontext_cli.job import Handle, Operation, Output, Progress, State
from kontext_cli.providers.base import (
    Cancellation,
    Place,
    Provider,
    Queue,
    Storage,
    neutral_name,
)
from kontext_cli.providers.dialects.status_queue import StatusQueue
from kontext_cli.providers.failure import failure, short
from kontext_cli.providers.options import (
    Endpoint,
    ImageField,
    Option,
    Price,
    as_is,
    as_opposite,
    as_size,
    image_list,
    one_image,
    one_or_list,
    with_sides,
)
from kontext_cli.providers.results import read_result
from kontext_cli.sizes import ASPECT_RATIOS

__all__ = [
    "ASPECT_RATIOS",
    "VERSION",
    "Billed",
    "Call",
    "Canceled",
    "Cancellation",
    "Endpoint",
    "Expired",
    "Handle",
    "ImageField",
    "JobFailed",
    "Moderated",
    "NoCredit",
    "Operation",
    "Option",
    "Output",
    "Part",
    "Place",
    "Price",
    "Progress",
    "Provider",
    "Queue",
    "RejectedKey",
    "Reply",
    "State",
    "StatusQueue",
    "Storage",
    "UnexpectedReply",
    "UnsupportedOption",
    "as_is",
    "as_opposite",
    "as_size",
    "failure",
    "image_list",
    "neutral_name",
    "one_image",
    "one_or_list",
    "plain",
    "read_result",
    "short",
    "with_sides",
]

VERSION = (1, 0)

ATTRIBUTES = (
    *("name", "interface", "home", "further_bases", "scheme", "key_variables"),
    *("endpoints", "default_model", "prices", "inline_bytes", "blocking", "fetches_urls", "jobs"),
    *("credit_statuses", "credit_types", "key_types", "canceled_types"),
    *("error_type_header", "kept_headers"),
)
"""The data of a provider that a package sets."""

METHODS = (
    *("headers", "default_for", "submit", "accepted", "refused", "billed", "model_hint", "advice"),
    *("handle", "poll", "progress", "status", "stream", "is_about", "result", "outcome"),
    *("cancel", "canceled", "upload", "stored"),
)
"""The methods that a package may write, beside ``normalised``."""

BASES = (Provider, Queue, StatusQueue, Storage)

INTERNAL = frozenset(
    name
    for base in BASES
    for name in (*vars(base), *base.__annotations__)
    if not name.startswith("_") and name not in (*ATTRIBUTES, *METHODS, "normalised")
)
"""What the bases have for providers of this package alone."""

ERRORS = (
    *(Canceled, Expired, JobFailed, Moderated, NoCredit, RejectedKey),
    *(UnexpectedReply, UnsupportedOption),
)
"""The errors that a method may raise."""
