"""A server on loopback that says what a test wants said, byte for byte, and what talks to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

from kontext_cli.errors import BadMedia
from kontext_cli.http.addresses import Address
from kontext_cli.http.call import Call, Kind
from kontext_cli.http.transport import Transport
from runs import at_once

T = TypeVar("T")
Say = Callable[["Conversation"], Awaitable[None]]

HERE = Path(__file__).parent / "http"
AUTHORITY = HERE / "authority.pem"
CERTIFICATE = HERE / "server.pem"


class Conversation:
    """One request that came in, and the way back."""

    def __init__(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        self.line, *rows = head.decode("latin-1").strip().split("\r\n")
        self.headers = {
            name.lower(): value for name, _, value in (row.partition(": ") for row in rows)
        }
        self.body = body
        self._writer = writer

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    async def send(self, data: bytes) -> None:
        """Say just these bytes."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(
        self, body: bytes = b"", *, status: int = 200, headers: Sequence[str] = ()
    ) -> None:
        """Say something well-formed."""
        rows = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
        await self.send("\r\n".join([*rows, "", ""]).encode("latin-1") + body)

    async def redirect(self, location: str) -> None:
        await self.answer(status=302, headers=[f"location: {location}"])

    async def drip(self, byte: bytes = b" ") -> None:
        """Go on and on, a byte at a time."""
        while True:
            await self.send(byte)
            await asyncio.sleep(0)

    def hang_up(self) -> None:
        self._writer.close()


class Wire:
    """Counts who came, and what they asked for."""

    def __init__(self, say: Say) -> None:
        self.port = 0
        self.connections = 0
        self.heard: list[Conversation] = []
        self._say = say
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._under_way.add(task)
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                await self._converse(reader, writer)
        self._under_way.discard(task)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
            await writer.wait_closed()

    async def until_all_have_left(self) -> None:
        """Wait until the last connection is closed."""
        await asyncio.gather(*self._under_way)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(await reader.readuntil(b"\r\n\r\n"), b"", writer)
        length = int(conversation.headers.get("content-length", "0"))
        self.heard.append(conversation)
        if "x-stay-deaf" not in conversation.path:
            conversation.body = await reader.readexactly(length)
        await self._say(conversation)

    async def stop(self) -> None:
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(self._under_way)


@asynccontextmanager
async def wire(say: Say, tls: ssl.SSLContext | None = None) -> AsyncIterator[Wire]:
    """Listen on a free port of 127.0.0.1 until the block ends."""
    listening = Wire(say)
    server = await asyncio.start_server(listening.serve, "127.0.0.1", 0, ssl=tls)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
        await listening.stop()


def server_tls() -> ssl.SSLContext:
    """What a server needs to prove that it is provider.example or files.example."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


class Memory:
    """A sink that keeps what came."""

    def __init__(self) -> None:
        self.data = b""
        self.restarts = 0

    def write(self, chunk: bytes) -> None:
        self.data += chunk

    def restart(self) -> None:
        self.data = b""
        self.restarts += 1

    async def check(self, announced: int | None) -> bytes:
        """The bytes, if they are the file."""
        if self.data != IMAGE or announced not in (None, len(IMAGE)):
            raise BadMedia("no image", billed="yes")
        return self.data


IMAGE = b"\x89PNG, let us say" * 100


def transport(base: str, authorization: str | None = "Key canary-key", **options: Any) -> Transport:
    """A transport as the engine would have it, that waits for nothing."""
    headers = {"Authorization": authorization} if authorization else {}
    return Transport("fal", [base], headers, **{"sleep": at_once, **options})


def a_call(base: str, kind: Kind = "status", path: str = "/app/requests/r1") -> Call:
    if kind == "submit":
        return Call(kind, "POST", f"{base}{path}", json={"prompt": "x"})
    return Call(kind, "GET", f"{base}{path}")


async def download(transport: Transport, url: str) -> bytes:
    sink = Memory()
    return await transport.download(url, sink, sink.check)


def in_time(work: Awaitable[T]) -> T:
    """Run it to its end; a minute is as good as for ever."""

    async def limited() -> T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(limited())


class Names:
    """A resolver that knows what it is told, and counts what it is asked."""

    def __init__(self, **known: Sequence[str]) -> None:
        self._known = {name.replace("_", "."): addresses for name, addresses in known.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append(host)
        return [ip_address(each) for each in self._known[host]]
