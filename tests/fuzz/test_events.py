"""Server-sent events from any bytes, however the network parts them."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.answers import encoded, leaves
from fuzz.examples import fuzzed
from kontext_cli.http.events import MOST_EVENT_BYTES, bodies

ENDS = st.sampled_from([b"\n", b"\r\n"])
STATUSES = st.dictionaries(st.sampled_from(["status", "logs"]), leaves, max_size=2)
LINES = st.one_of(
    st.builds(
        b"data:%s%s".__mod__, st.tuples(st.sampled_from([b"", b" "]), st.binary(max_size=12))
    ),
    st.builds(lambda value: b"data: " + encoded(value).encode(), STATUSES),
    st.sampled_from(
        [b"", b"", b"", b":ping", b"event: x", b"id: 1", b"retry: 1", b" data: {}", b"data:{"]
    ),
    st.binary(max_size=20),
)
STREAMS = st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=12).map(b"".join)
TOLD = b'data: {"status": "COMPLETED"}\n\n'


def told(chunks: Iterable[bytes]) -> list[Mapping[str, Any]]:
    """The bodies in a stream that comes in these pieces."""

    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def read() -> list[Mapping[str, Any]]:
        return [body async for body in bodies(stream())]

    reading = read()
    try:
        reading.send(None)  # nothing here waits for anything
    except StopIteration as done:
        return list(done.value)
    raise AssertionError("the reader waits")


def expected(stream: bytes) -> list[Mapping[str, Any]]:
    """The same by the standard's own words, all at once; lines end in a line feed here."""
    found: list[Mapping[str, Any]] = []
    *blocks, _ = stream.replace(b"\r\n", b"\n").split(b"\n\n") if stream else [b""]
    for block in blocks:
        fields = [line.partition(b":") for line in block.split(b"\n")]
        data = [value for name, _, value in fields if name == b"data"]
        try:
            body = json.loads(b"\n".join(data))
        except (ValueError, RecursionError):
            continue
        if isinstance(body, dict):
            found.append(body)
    return found


def pieces(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    """A stream in parts."""
    at = sorted(cut % (len(stream) + 1) for cut in cuts)
    return [stream[a:b] for a, b in zip([0, *at], [*at, len(stream)], strict=True)]


@fuzzed(75)
@given(stream=STREAMS, cuts=st.lists(st.integers(0), max_size=6))
@example(b"data: {}\r\n\r\ndata: {}\r\n\r\n", [9, 10, 11, 12])
def test_any_stream_in_any_pieces(stream: bytes, cuts: list[int]) -> None:
    assert told(pieces(stream, cuts)) == expected(stream)


@pytest.mark.parametrize("line", [b"data:\n", b"data:\r\n", b"data: aaaaaaa\n", b"data: a", b":"])
def test_an_event_without_an_end_is_given_up(line: bytes) -> None:
    """A line of data counts with the line feed that joins it to the next."""
    chunk = line * (MOST_EVENT_BYTES + 1)
    assert told([chunk[: len(chunk) // 2], chunk[len(chunk) // 2 :], b"\n\n", TOLD]) == []
