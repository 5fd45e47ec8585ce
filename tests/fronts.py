"""Ports that are killed and come back, in front of sandboxes that outlive them.

What a client sees is a process that was killed: its connections break, and nobody listens. The
ledger behind it still says what was accepted.
"""

import asyncio
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

_SHARED = hasattr(socket, "SO_REUSEPORT")


class Front:
    """A port that passes all it gets on to ``upstream``, while it lives."""

    def __init__(self, upstream: str, loop: asyncio.AbstractEventLoop) -> None:
        self.upstream = upstream
        self._loop = loop
        self._life: Life | None = None
        # It never listens: it keeps others from taking the port of a dead server.
        self._holder = _bound(0)
        self._port = self._holder.getsockname()[1]
        if not _SHARED:
            self._holder.close()
        self.revive()
        self.url = f"http://127.0.0.1:{self._port}"

    def kill(self) -> None:
        """Listen no longer, and break all connections."""
        if self._life is not None:
            self._do(self._life.end())
            self._life = None

    def revive(self) -> None:
        """Listen at the same port again."""
        listener = _bound(self._port)
        listener.listen()
        listener.setblocking(False)
        self._life = Life(listener, self.upstream)
        self._do(self._life.begin())

    def close(self) -> None:
        """Free the port."""
        self.kill()
        self._holder.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class Life:
    """One life of a front: what it listens with, and its connections."""

    def __init__(self, listener: socket.socket, upstream: str) -> None:
        self._listener = listener
        self._upstream = urlsplit(upstream)
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self) -> None:
        """Accept connections from now on."""
        self._start(self._accept())

    async def end(self) -> None:
        """Break all connections."""
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await _turn()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            self._start(self._serve(connection))

    async def _serve(self, connection: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=connection)
        except BaseException:
            connection.close()
            raise
        back = None
        try:
            with suppress(OSError):
                there, back = await asyncio.open_connection(
                    self._upstream.hostname, self._upstream.port
                )
                await asyncio.gather(_copy(reader, back), _copy(there, writer))
                writer.close()
                await writer.wait_closed()
        finally:
            writer.transport.abort()
            if back is not None:
                back.transport.abort()


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if _SHARED:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", port))
    return made


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(2**16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def _turn() -> None:
    """Let the event loop close what was aborted."""
    for _ in range(3):
        await asyncio.sleep(0)


@contextmanager
def fronts() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop in which fronts live."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()
