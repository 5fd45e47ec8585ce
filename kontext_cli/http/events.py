"""Server-sent events, as far as queues use them: a JSON object in each (WHATWG HTML, 9.2)."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any

MOST_EVENT_BYTES = 2**20


async def bodies(
    chunks: AsyncIterator[bytes], clean: Callable[[bytes], bytes] = bytes
) -> AsyncGenerator[Mapping[str, Any]]:
    """The objects of a stream of events, from its bytes, each cleaned before it is read.

    Ends at an event that is longer than a megabyte; events without a JSON object are ignored.
    """
    buffer = b""
    data: list[bytes] = []
    async for chunk in chunks:
        *lines, buffer = (buffer + chunk).split(b"\n")
        for line in (each.removesuffix(b"\r") for each in lines):
            if line.startswith(b"data:"):
                data.append(line[5:])
            elif not line and data:
                body = _object(clean(b"\n".join(data)))
                data.clear()
                if body is not None:
                    yield body
        if len(buffer) + sum(len(line) + 1 for line in data) > MOST_EVENT_BYTES:
            return


def _object(data: bytes) -> Mapping[str, Any] | None:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None
