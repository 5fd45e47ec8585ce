"""Ports that are killed and come back, in front of sandboxes that outlive them.

What a client sees is a process that was killed: its connections break, and nobody listens. The
ledger behind it still says what was accepted.
"""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

_SHARED = True if hasattr(socket, "SO_REUSEPORT") else None


class Front:
    """A port that passes all it gets on to ``upstream``, while it lives."""

    def __init__(self, upstream: str, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = upstream
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        # It never listens: it keeps others from taking the port of a dead server.
        self._holder = socket.socket()
        if _SHARED:
            self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._holder.bind(("127.0.0.1", 0))
        self._port = self._holder.getsockname()[1]
        if not _SHARED:
            self._holder.close()
        self.revive()
        self.url = f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        """Listen no longer, and break all connections."""
        self._do(self._kill())

    def revive(self) -> None:
        """Listen at the same port again."""
        self._do(self._listen())

    def close(self) -> None:
        """Free the port."""
        self.kill()
        self._holder.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self._port, reuse_address=True, reuse_port=_SHARED
        )

    async def _kill(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.upstream)
        self._writers.add(writer)
        there, back = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            await asyncio.gather(_copy(reader, back), _copy(there, writer))
        finally:
            self._writers.discard(writer)
            writer.close()
            back.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.write_eof()


@contextmanager
def fronts() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop in which fronts live."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        asyncio.run_coroutine_threadsafe(_end_all(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _end_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
    for _ in range(3):  # until the sockets are closed
        await asyncio.sleep(0)
