"""What stands between the program and a sandbox, and answers in its place where a test wants it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response

Kind = Literal[
    "submit", "status", "stream", "result", "cancel", "place", "upload", "media", "list", "other"
]
Instead = Callable[["Asked"], Response | None]
"""Answers a request, or leaves it to the sandbox."""
Rewrite = Callable[["Asked", dict[str, Any]], dict[str, Any]]
"""Changes the sandbox's answer."""

_KINDS: tuple[tuple[str, str, Kind], ...] = (
    ("POST", r".*/storage/upload/initiate", "place"),
    ("POST", r".*/v1/files", "place"),
    ("PUT", r"/files/.*", "upload"),
    ("GET", r"/files/.*", "media"),
    ("GET", r".*/models", "list"),
    ("PUT", r".*/cancel", "cancel"),
    ("POST", r".*/predictions/[^/]+/cancel", "cancel"),
    ("GET", r".*/predictions/.*", "status"),
    ("GET", r".*/v1/get_result", "status"),
    ("GET", r".*/status/stream", "stream"),
    ("GET", r".*/status", "status"),
    ("GET", r".*/requests/.*", "result"),
    ("POST", r".*", "submit"),
)


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    kind: Kind
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def authorization(self) -> str:
        """The header that carries the key, as it came."""
        return self.headers.get("authorization") or self.headers.get("x-key", "")

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)

    @property
    def wire(self) -> bytes:
        """All of it, in one piece."""
        told = [self.method, self.path, self.query, *(f"{k}: {v}" for k, v in self.headers.items())]
        return "\n".join(told).encode("latin-1") + self.body


class Between:
    """An ASGI app before another one. ``instead`` and ``rewrite`` say what becomes of each kind of
    request; ``asked`` are those that came."""

    def __init__(self, app: Any = None) -> None:
        self._app = app
        self.asked: list[Asked] = []
        self.instead: dict[Kind, Instead] = {}
        self.rewrite: dict[Kind, Rewrite] = {}

    def clear(self) -> None:
        """Let everything through again."""
        self.asked.clear()
        self.instead.clear()
        self.rewrite.clear()

    def kinds(self) -> list[Kind]:
        """The kinds of what was asked, in turn."""
        return [asked.kind for asked in self.asked]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        body = await _body(receive)
        asked = _asked(scope, body)
        self.asked.append(asked)
        instead = self.instead.get(asked.kind)
        answer = instead(asked) if instead else None
        if answer is None and asked.kind in self.rewrite:
            answer = await self._rewritten(asked, scope, _again(body, receive))
        app = answer or self._app or Response(status_code=404)
        await app(scope, _again(body, receive), send)

    async def _rewritten(self, asked: Asked, scope: Any, receive: Any) -> Response:
        """The sandbox's answer with other words in it."""
        start: dict[str, Any] = {}
        content = b""

        async def keep(message: Any) -> None:
            nonlocal content
            if message["type"] == "http.response.start":
                start.update(message)
            content += message.get("body", b"")

        await self._app(scope, receive, keep)
        headers = {k.decode(): v.decode() for k, v in start["headers"]}
        headers.pop("content-length", None)
        rewrite = self.rewrite[asked.kind]
        if asked.kind == "stream":
            events = [line[6:] for line in content.splitlines() if line.startswith(b"data: ")]
            told = [json.dumps(rewrite(asked, json.loads(event))) for event in events]
            content = "".join(f"data: {each}\n\n" for each in told).encode()
        else:
            content = json.dumps(rewrite(asked, json.loads(content))).encode()
        return Response(content, start["status"], headers)


def _asked(scope: Any, body: bytes) -> Asked:
    method, path = scope["method"], scope["path"]
    kinds = (kind for verb, form, kind in _KINDS if verb == method and re.fullmatch(form, path))
    headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Asked(next(kinds, "other"), method, path, query, headers, body)


async def _body(receive: Any) -> bytes:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes, receive: Any) -> Callable[[], Any]:
    """What was read, for the app behind; after it, whatever else comes."""
    unread = [{"type": "http.request", "body": body, "more_body": False}]

    async def give() -> Any:
        return unread.pop() if unread else await receive()

    return give
