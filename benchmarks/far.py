"""The way to a server far away, on one machine."""

import asyncio
from contextlib import suppress


async def far(host: str, port: int, delay: float) -> asyncio.Server:
    """Listen for clients of the server at host and port, as if it were ``delay`` seconds away.

    Each round trip takes that long, so that a new connection costs one for TCP and one for TLS
    before its first request.
    """

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay)
        there, back = await asyncio.open_connection(host, port)
        await asyncio.gather(_carry(reader, back, 0), _carry(there, writer, delay))

    return await asyncio.start_server(connected, host, 0, backlog=512)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on what is read until its end, each piece after the delay."""
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while piece := await reader.read(65_536):
            loop.call_later(delay, writer.write, piece)
    loop.call_later(delay, writer.close)
