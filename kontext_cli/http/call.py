"""A request to a provider and its answer, as data."""

import json
import math
import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, NamedTuple

Kind = Literal["submit", "status", "stream", "result", "cancel", "upload", "list"]


class Part(NamedTuple):
    """A field of a multipart form: a file where it has a media type, else text."""

    name: str
    content: bytes
    filename: str = ""
    media_type: str = ""


class Call(NamedTuple):
    """One HTTP request to be made with the provider's key; its body is JSON or a multipart form.

    ``kind`` decides what may be asked again: a submit hardly ever, a result until it answers for
    the job, all others always.
    """

    kind: Kind
    method: Literal["GET", "POST", "PUT"]
    url: str
    json: Mapping[str, Any] | None = None
    parts: tuple[Part, ...] = ()

    def body(self) -> tuple[str, bytes] | None:
        """The media type and the bytes of the body, None where it has none."""
        if self.json is not None:
            text = json.dumps(self.json, ensure_ascii=False, separators=(",", ":"))
            # half of a surrogate pair, which a server or a file may contain, is escaped as in JSON
            return "application/json", text.encode(errors="backslashreplace")
        if self.parts:
            boundary = os.urandom(16).hex()
            return f"multipart/form-data; boundary={boundary}", _form(self.parts, boundary)
        return None


def _form(parts: tuple[Part, ...], boundary: str) -> bytes:
    form = bytearray()
    for part in parts:
        form += f'--{boundary}\r\nContent-Disposition: form-data; name="{part.name}"'.encode()
        if part.media_type:
            form += f'; filename="{part.filename}"\r\nContent-Type: {part.media_type}'.encode()
        form += b"\r\n\r\n" + part.content + b"\r\n"
    return bytes(form) + f"--{boundary}--\r\n".encode()


class Reply:
    """One HTTP answer, read to its end; header names are in lower case."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

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
