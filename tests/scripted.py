"""A provider that answers from a script, in process, under any host name.

It fails the test where a call comes that the script does not know.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """One answer: an object becomes JSON, bytes go as they are."""

    content: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        if isinstance(self.content, bytes):
            return self.content
        return json.dumps(self.content).encode()


class Scripted:
    """An ASGI app: ``script`` maps "METHOD URL" to the answers to give, in turn."""

    def __init__(self, script: dict[str, Any]) -> None:
        self._script = {line: list(_answers(given)) for line, given in script.items()}
        self.requests: list[Seen] = []

    def submits(self) -> list[Seen]:
        """The requests that cost money."""
        return [seen for seen in self.requests if seen.method == "POST"]

    def unused(self) -> list[str]:
        """What the script would have answered to and nobody asked."""
        return [line for line, answers in self._script.items() if answers]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        seen = await _read(scope, receive)
        self.requests.append(seen)
        answers = self._script.get(f"{seen.method} {seen.url}")
        assert answers, f"the script has no answer to {seen.method} {seen.url}"
        answer = answers.pop(0)
        headers = {"content-length": str(len(answer.body)), **answer.headers}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
            }
        )
        await send({"type": "http.response.body", "body": answer.body})


def _answers(given: Any) -> Iterable[Answer]:
    for each in given if isinstance(given, list) else [given]:
        yield each if isinstance(each, Answer) else Answer(each)


async def _read(scope: Any, receive: Any) -> Seen:
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    host, port = scope["server"]
    origin = f"{scope['scheme']}://{host}" + (f":{port}" if port else "")
    query = scope["query_string"].decode()
    headers = {k.decode().lower(): v.decode() for k, v in scope["headers"]}
    url = origin + scope["path"] + (f"?{query}" if query else "")
    return Seen(scope["method"], url, headers, body)
