"""A request to a provider and its answer, as data."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

Kind = Literal["submit", "status", "stream", "result", "cancel", "upload"]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to be made with the provider's key.

    ``kind`` decides what may be asked again: a submit hardly ever, a result until it answers for
    the job, all others always.
    """

    kind: Kind
    method: Literal["GET", "POST", "PUT"]
    url: str
    json: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Reply:
    """One HTTP answer, read to its end; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None where it is not JSON (NaN and Infinity become None)."""
        try:
            return json.loads(self.body, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return None

    @property
    def object(self) -> Mapping[str, Any]:
        """The body as a JSON object, empty where it is something else."""
        return self.json if isinstance(self.json, dict) else {}

    @property
    def text(self) -> str:
        """The body as text, whatever it holds."""
        return self.body.decode("utf-8", errors="replace")

    @property
    def is_html(self) -> bool:
        """Whether a gateway answered with a page of its own in place of the provider."""
        return self.body.lstrip()[:1] == b"<"


_LEVELS = 16
"""How deeply a provider's report may be nested; real ones are three levels deep."""


def plain(value: Any, *, levels: int = _LEVELS) -> Any:
    """The value without what JSON cannot express: infinite numbers, endless depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        inner = levels - 1
        return {key: plain(each, levels=inner) for key, each in value.items()} if levels else None
    if isinstance(value, list):
        return [plain(each, levels=levels - 1) for each in value] if levels else None
    return value
