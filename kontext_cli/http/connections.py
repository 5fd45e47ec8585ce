"""Connections on the event loop's own transports: a job of a batch takes an eighth less CPU time
than on the general backend, and an idle connection knows without a system call that its server has
closed it.

Nothing that comes before a request leaves is taken for its answer: the first write of a request
fails where there is something to read by then (`Stream.rest`).
"""

import asyncio
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2

from kontext_cli.http.deadlines import Deadline, in_time

_MOST_BUFFERED = 2**19
"""Bytes that wait to be read before the other side has to wait as well."""


class Connections(httpcore2.AsyncNetworkBackend):
    """Makes connections for the pools of the HTTP library."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to an address; `CheckedNetwork` keeps the time. Raises ConnectError."""
        loop = asyncio.get_running_loop()
        local = None if local_address is None else (local_address, 0)
        with _as_library_errors(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            transport, wire = await loop.create_connection(_Wire, host, port, local_addr=local)
        for option in socket_options or ():
            transport.get_extra_info("socket").setsockopt(*option)
        return Stream(wire)

    async def sleep(self, seconds: float) -> None:
        """Wait, for the library."""
        await asyncio.sleep(seconds)


class _Wire(asyncio.Protocol):
    """What arrives, until it is read, and whether more can be sent."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.ended = False
        self.is_resting = True
        """Whether nothing was asked that is not answered in full."""
        self._pieces: list[bytes] = []
        self._size = 0
        self._fault: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._full = False
        self._held = False

    @property
    def is_readable(self) -> bool:
        """Whether an idle connection is of no use: its server has gone, or said more."""
        return self.ended or bool(self._pieces)

    def check(self) -> None:
        """Raise ConnectError where something is there that nothing was sent for."""
        if self.is_resting and self.is_readable:
            raise httpcore2.ConnectError("the connection is of no use")

    async def read(self, timeout: float | None) -> bytes:
        """All that has come, none at the end. Raises OSError and TimeoutError."""
        while not self._pieces:
            if self._fault is not None:
                raise OSError from self._fault
            if self.ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await in_time(self._reader, timeout)
        # Most often there is one chunk: avoid another copy of a large image.
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces, self._size = [], 0
        if self._held:
            self._held = False
            self.transport.resume_reading()
        return data

    async def write(self, data: bytes, timeout: float | None) -> None:
        """Hand over bytes, and wait while too many are on the way. As `read`."""
        if self.ended or self.transport.is_closing():
            raise OSError("the connection is closed") from self._fault
        self.transport.write(data)
        if self._full:
            self._writer = asyncio.get_running_loop().create_future()
            await in_time(self._writer, timeout)
            if self.ended:
                raise OSError("the connection broke") from self._fault

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= _MOST_BUFFERED and not self._held:
            self._held = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self.ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended, self._fault = True, exc
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _wake(self._writer)


class Stream(httpcore2.AsyncNetworkStream):
    """One connection, in the form that the HTTP library takes."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """What has come, up to some 800 kB: in the pieces that the library asks for, a large
        image takes half as long again."""
        with _as_library_errors(httpcore2.ReadTimeout, httpcore2.ReadError):
            return await self._wire.read(timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes. Raises ConnectError where a request cannot begin, and nothing has left."""
        if not buffer:
            return
        self._wire.check()
        self._wire.is_resting = False
        with _as_library_errors(httpcore2.WriteTimeout, httpcore2.WriteError):
            await self._wire.write(buffer, timeout)

    def rest(self) -> None:
        """Expect nothing until the next request."""
        self._wire.is_resting = True

    async def aclose(self) -> None:
        """Close at once, without waiting for the peer."""
        transport = self._wire.transport
        if transport.get_extra_info("ssl_object") is None:
            transport.close()
        else:
            transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Speak TLS from here on. Raises ConnectError and ConnectTimeout."""
        wire = self._wire
        with _as_library_errors(httpcore2.ConnectTimeout, httpcore2.ConnectError):
            try:
                wire.is_resting = True
                wire.check()  # what came in the clear must not be read as if it were TLS
                async with Deadline(timeout):
                    wire.transport = await asyncio.get_running_loop().start_tls(
                        wire.transport, wire, ssl_context, server_hostname=server_hostname
                    )
            except BaseException:
                wire.transport.abort()
                raise
        return self

    def get_extra_info(self, info: str) -> Any:
        transport = self._wire.transport
        match info:
            case "is_readable":
                return self._wire.is_readable
            case "client_addr":
                return transport.get_extra_info("sockname")
            case "server_addr":
                return transport.get_extra_info("peername")
            case _:
                return transport.get_extra_info(info)


def _wake(event: asyncio.Future[None] | None) -> None:
    if event is not None and not event.done():
        event.set_result(None)


@contextmanager
def _as_library_errors(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Turn errors of the system into those of the HTTP library."""
    try:
        yield
    except TimeoutError as error:
        raise late from error
    except OSError as error:  # that of TLS is one
        raise broken from error
