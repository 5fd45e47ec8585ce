"""Resolve a host, check its addresses, and connect to a checked address.

A host name that a server chose may resolve to the local network, at once or only the second time
it is resolved (DNS rebinding).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from itertools import chain, zip_longest
from typing import Any

import httpcore2

from kontext_cli.http.addresses import Address, literal
from kontext_cli.http.connections import Connections
from kontext_cli.http.deadlines import Deadline

Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]
"""Finds the addresses of a host and port, best first. Raises OSError."""
Allow = Callable[[str, int, Address], bool]
"""Whether an address of a host and port may be connected to."""
Attempt = asyncio.Task[httpcore2.AsyncNetworkStream]

_KNOWN_SECONDS = 10.0
"""How long the addresses of a name are used: a batch makes many connections to few hosts."""
_HEAD_START = 0.25
"""Seconds before the next address is tried beside one that does not answer (RFC 8305)."""


class Forbidden(Exception):
    """A host that a server named resolves to a non-public address."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


async def resolve(host: str, port: int) -> Sequence[Address]:
    """Resolve with the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = (literal(str(row[4][0]).partition("%")[0]) for row in found)
    return [address for address in addresses if address is not None]


class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connections to allowed addresses only; ``network`` makes them.

    TLS still checks the certificate against the host name, not the address.
    """

    def __init__(
        self,
        resolve: Resolve,
        allow: Allow,
        network: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._resolve = resolve
        self._allow = allow
        self._network = network or Connections()
        self._known: dict[tuple[str, int], tuple[float, Sequence[Address]]] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers.

        Raises Forbidden where any of the host's addresses is not allowed: no honest host mixes
        public and private addresses.
        """

        async def connect(address: Address) -> httpcore2.AsyncNetworkStream:
            return await self._network.connect_tcp(
                str(address), port, None, local_address, socket_options
            )

        try:
            async with Deadline(timeout):
                try:
                    return await _first_to_answer(await self._addresses(host, port), connect)
                except BaseException:
                    self._known.pop((host, port), None)
                    raise
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout from error
        except (OSError, UnicodeError) as error:  # UnicodeError: labels longer than DNS has
            raise httpcore2.ConnectError from error

    async def _addresses(self, host: str, port: int) -> Sequence[Address]:
        spelled_out = literal(host)
        addresses = [spelled_out] if spelled_out else await self._resolved(host, port)
        if not addresses:
            raise OSError("the name has no address")
        if not all(self._allow(host, port, address) for address in addresses):
            raise Forbidden(host)
        return _alternating(addresses)

    async def _resolved(self, host: str, port: int) -> Sequence[Address]:
        clock = asyncio.get_running_loop().time
        until, addresses = self._known.get((host, port), (0.0, ()))
        if not addresses or clock() > until:
            addresses = await self._resolve(host, port)
            self._known[host, port] = (clock() + _KNOWN_SECONDS, addresses)
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Wait, for the library."""
        await asyncio.sleep(seconds)


def _alternating(addresses: Sequence[Address]) -> list[Address]:
    """The addresses in alternating families, so that a broken family delays only one attempt."""
    first = [each for each in addresses if each.version == addresses[0].version]
    other = [each for each in addresses if each.version != addresses[0].version]
    return [each for each in chain(*zip_longest(first, other)) if each is not None]


async def _first_to_answer(
    addresses: Sequence[Address],
    connect: Callable[[Address], Coroutine[Any, Any, httpcore2.AsyncNetworkStream]],
) -> httpcore2.AsyncNetworkStream:
    """Connect to the addresses in parallel, each started a bit later; close all but the first."""
    if len(addresses) == 1:
        return await connect(addresses[0])
    tasks: list[Attempt] = []
    winner: Attempt | None = None
    rest = list(addresses)
    running: set[Attempt] = set()
    try:
        while rest or running:
            if rest:
                tasks.append(asyncio.create_task(connect(rest.pop(0))))
                running.add(tasks[-1])
            done, running = await asyncio.wait(
                running,
                timeout=_HEAD_START if rest else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            winner = next((task for task in done if task.exception() is None), None)
            if winner is not None:
                return winner.result()
        raise tasks[0].exception() or OSError("no address answered")
    finally:
        await _discard([task for task in tasks if task is not winner])


async def _discard(tasks: Sequence[Attempt]) -> None:
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, httpcore2.AsyncNetworkStream):
            await ended.aclose()
