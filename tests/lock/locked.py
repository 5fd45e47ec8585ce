"""Locks for tests: rows that need no run, and what hypothesis draws of them."""

import hashlib
import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from kontext_cli.lock import Header, LockedFile, LockedInput, LockedRow, parse_lock

PATH = Path("cards.lock")
HEADER = Header("cards.jsonl", "out", {"operation": "generate", "provider": "fal"})


def sha(text: str) -> str:
    """A hash that belongs to a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def row(name: str = "fox", **changes: Any) -> LockedRow:
    """A row with one image."""
    return LockedRow(
        id=name,
        request=sha(f"request of {name}"),
        prompt=sha(name),
        options={"aspect_ratio": "16:9"},
        inputs=(),
        seed=7,
        provider="fal",
        model="kontext-pro",
        files=(LockedFile(f"out/{name}.jpg", sha(f"image of {name}"), 12, 4, 3),),
    )._replace(**changes)


def lines_of(data: bytes) -> list[str]:
    """The lines of an encoded lock."""
    return data.decode().splitlines()


def ids(data: bytes) -> list[str]:
    """The ids of an encoded lock, in order."""
    return [json.loads(line)["id"] for line in lines_of(data)[1:]]


def rows_of(data: bytes) -> list[LockedRow]:
    """The rows of an encoded lock."""
    return list(parse_lock(data, PATH).rows)


hashes = st.binary(min_size=32, max_size=32).map(bytes.hex)
words = st.text("ab Z09~-.,/\\:\"'{}é🦊\u2028\ufeff", min_size=1, max_size=20)
components = words.filter(lambda word: not set(word) & set("/\\:") and word.strip(".") != "")
paths = st.lists(components, min_size=1, max_size=3).map(lambda parts: "/".join(parts) + ".jpg")
values = words | st.integers(0, 2**31) | st.booleans() | st.floats(0, 20)
options = st.dictionaries(st.sampled_from(["seed", "steps", "aspect_ratio"]), values)
rows = st.builds(
    LockedRow,
    id=words,
    request=hashes,
    prompt=hashes,
    options=options,
    inputs=st.lists(st.builds(LockedInput, words, st.none() | hashes), max_size=3).map(tuple),
    seed=st.none() | st.integers(0, 2**63 - 1),
    provider=words,
    model=words,
    files=st.lists(
        st.builds(LockedFile, paths, hashes, *[st.integers(1, 2**31)] * 3), max_size=4
    ).map(tuple),
)
headers = st.builds(Header, st.none() | components, st.just(".") | components, options)
