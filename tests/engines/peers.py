"""A server program that runs for some tests, and an app that passes requests on to it."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

_LONGEST_START = 240.0
_LONGEST_ANSWER = 240.0
_NOT_PASSED = (b"host", b"content-length")


@contextmanager
def running(
    argv: Callable[[str], Sequence[str]],
    folder: Path,
    *,
    ready: str,
    environ: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Run a program until the block ends; ``argv`` gets its port. Its URL, once a GET of the path
    ``ready`` there answers 200."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    url, log = f"http://127.0.0.1:{port}", folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            argv(port), stdout=stream, stderr=stream, cwd=folder, env=environ and {**environ}
        )
    try:
        until = time.monotonic() + _LONGEST_START
        while not _answers(f"{url}{ready}"):
            assert process.poll() is None, log.read_text()[-2000:]
            if time.monotonic() > until:
                pytest.fail(f"it did not start: {log.read_text()[-2000:]}")
            time.sleep(0.2)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx2.get(url, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


class Passing:
    """An ASGI app in front of a server; ``posts`` counts the submits that went through."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self.posts = 0

    def body(self, _path: str, body: bytes) -> bytes:
        """What is passed on."""
        return body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.posts += scope["method"] == "POST"
        headers = [each for each in scope["headers"] if each[0] not in _NOT_PASSED]
        async with httpx2.AsyncClient(timeout=_LONGEST_ANSWER, trust_env=False) as http:
            answer = await http.request(
                scope["method"],
                f"{self._upstream}{scope['path']}",
                headers=headers,
                content=self.body(scope["path"], body),
            )
        kept = [each for each in answer.headers.raw if each[0].lower() == b"content-type"]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        await send({"type": "http.response.body", "body": answer.content})
