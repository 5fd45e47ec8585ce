"""Server-sent events, however their bytes arrive."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kontext_cli.http.events import MOST_EVENT_BYTES, bodies


def told(*chunks: bytes) -> list[Mapping[str, Any]]:
    async def come() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def work() -> list[Mapping[str, Any]]:
        return [body async for body in bodies(come())]

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b'data: {"a": 1}\n\n', [{"a": 1}]),
        (b'data:{"a": 1}\r\n\r\ndata: {"a": 2}\r\n\r\n', [{"a": 1}, {"a": 2}]),
        (b': ping\n\ndata: {"a": 1}\n\n: ping\n\n', [{"a": 1}]),
        (b'event: x\nid: 7\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a":\ndata: 1}\n\n', [{"a": 1}]),
        (b'data: no json\n\ndata: [1]\n\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b'data: {"a": 1}\n', []),  # cut off before its end
        (b"data: " + b"[" * 200_000 + b'\n\ndata: {"a": 1}\n\n', [{"a": 1}]),
        (b"", []),
    ],
)
def test_each_event_is_an_object(stream: bytes, expected: list[Mapping[str, Any]]) -> None:
    assert told(stream) == expected


def test_an_event_without_end_is_not_waited_for() -> None:
    piece = b"data: " + b"x" * (MOST_EVENT_BYTES // 4)
    assert told(*[piece] * 6, b'\n\ndata: {"a": 1}\n\n') == []


@given(
    objects=st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9))),
    cuts=st.lists(st.integers(0, 400)),
    end=st.sampled_from([b"\n", b"\r\n"]),
)
@settings(max_examples=150, deadline=None)
def test_where_the_bytes_are_cut_makes_no_difference(
    objects: list[dict[str, Any]], cuts: list[int], end: bytes
) -> None:
    stream = b"".join(b"data: " + json.dumps(each).encode() + end + end for each in objects)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    chunks = [stream[a:b] for a, b in itertools.pairwise(places)]
    assert told(*chunks) == objects


@given(st.lists(st.binary(max_size=60), max_size=10))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_borne(chunks: list[bytes]) -> None:
    assert all(isinstance(body, dict) for body in told(*chunks))
