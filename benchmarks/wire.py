"""HTTP/1.1 on raw sockets, reduced to what the clients need, so that their cost is measured."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

_HEAD_END = b"\r\n\r\n"
_MOST_HEAD = 64 * 1024
_REASONS = {status.value: status.phrase for status in HTTPStatus}

LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``began`` is when its first byte came, in seconds of the monotonic clock.

    Names of headers are in lower case.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    began: float


class Connection(asyncio.Protocol):
    """One client, kept alive until it leaves; ``answer`` is given its requests one by one."""

    def __init__(self, answer: Callable[[Request, "Connection"], None]) -> None:
        self._answer = answer
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._began = 0.0
        self.on_leaving: list[Callable[[], None]] = []
        """Called once when the client has gone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._transport = None
        for tell in self.on_leaving:
            tell()

    def data_received(self, data: bytes) -> None:
        if not self._buffer:
            self._began = time.monotonic()
        self._buffer += data
        try:
            while (request := self._next()) is not None:
                self._answer(request, self)
        except ValueError as error:
            self.send(reply(400, str(error).encode(), "text/plain"))
            self.close()

    def send(self, data: bytes) -> None:
        """Send bytes, unless the client has closed the connection."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """Close the connection after everything is sent."""
        if self._transport is not None:
            self._transport.close()

    def _next(self) -> Request | None:
        """The next complete request. Raises ValueError for an invalid one."""
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            if len(self._buffer) > _MOST_HEAD:
                raise ValueError("the headers have no end")
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        method, target, _version = first.split(" ")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if "transfer-encoding" in headers:
            raise ValueError("a body should come with its length")
        start = end + len(_HEAD_END)
        stop = start + int(headers.get("content-length", 0))
        if len(self._buffer) < stop:
            return None
        body = bytes(self._buffer[start:stop])
        del self._buffer[:stop]
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body, self._began)


def reply(
    status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None
) -> bytes:
    """A whole reply with its length."""
    return head(status, media_type, {"content-length": str(len(body)), **(headers or {})}) + body


def head(status: int, media_type: str, headers: Mapping[str, str]) -> bytes:
    """A status line and headers."""
    lines = [f"HTTP/1.1 {status} {_REASONS[status]}", f"content-type: {media_type}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """A piece of a body whose length is not known (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)
