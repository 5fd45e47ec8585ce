"""A server in front of a sandbox that passes requests on, and spoils connections on their way back.

It is what broken proxies are: the provider behind it is as it should be.
"""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Thread
from urllib.parse import urlsplit

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_TURN = 0.0005
"""Seconds in which the event loop of a client turns a few times."""

Which = Callable[[str, str], bool]
"""Whether a request, by method and path, is meant."""


def every(_method: str, _path: str) -> bool:
    return True


def no(_method: str, _path: str) -> bool:
    return False


UNREAD = -1
"""In place of a number of bytes: the request itself is not passed on."""


def whole(_method: str, _path: str) -> int | None:
    return None


@dataclass
class Relay:
    """``doubles`` says which answers go out twice, the second time so many ``turns`` later, and
    ``chunked`` how they are framed. ``hangs_up`` says which requests meet the end of their
    connection, where it was used before. ``cuts`` says after how many bytes of an answer the
    connection ends; None for all of them."""

    upstream: str
    doubles: Which = no
    hangs_up: Which = no
    cuts: Callable[[str, str], int | None] = whole
    turns: int = 0
    chunked: bool = False
    url: str = ""
    doubled: int = 0
    hung_up: int = 0
    reused: set[str] = field(default_factory=set)
    """The methods that came on a connection that was used before."""
    files: dict[str, str] = field(default_factory=dict)
    """The sha256 of each image that went out, by its path."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        used = False
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._relayed(reader, writer, used=used):
                    used = True
        finally:
            writer.close()

    async def _relayed(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, used: bool
    ) -> bool:
        head = await reader.readuntil(_HEAD_END)
        found = _LENGTH.search(head)
        body = await reader.readexactly(int(found[1])) if found else b""
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        if used:
            self.reused.add(method)
            if self.hangs_up(method, path):
                self.hung_up += 1
                return False
        cut = self.cuts(method, path)
        if cut == UNREAD:
            return False
        answer = await self._answer(head + body)
        if cut is not None:
            writer.write(answer[:cut])
            return False
        if path.startswith("/files/"):
            self.files[path] = sha256(answer.partition(_HEAD_END)[2]).hexdigest()
        answer = self._framed(answer)
        writer.write(answer)
        if self.doubles(method, path):
            self.doubled += 1
            if self.turns:
                await writer.drain()
                await asyncio.sleep(self.turns * _TURN)
            writer.write(answer)
        await writer.drain()
        return True

    async def _answer(self, request: bytes) -> bytes:
        place = urlsplit(self.upstream)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        line, _, rest = request.partition(b"\r\n")
        try:
            writer.write(line + b"\r\nconnection: close\r\n" + rest)
            return await reader.read()
        finally:
            writer.close()

    def _framed(self, answer: bytes) -> bytes:
        head, _, body = answer.partition(_HEAD_END)
        head = _CLOSE.sub(b"", head)
        if self.chunked and _LENGTH.search(head):
            head = _LENGTH.sub(b"\r\ntransfer-encoding: chunked", head)
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        return head + _HEAD_END + body


@contextmanager
def relaying(relay: Relay) -> Iterator[Relay]:
    """Serve in a thread of its own until the block ends."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(relay.serve, "127.0.0.1", 0))
    relay.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        server.close()
        loop.run_until_complete(_end_all())
        loop.close()


async def _end_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
