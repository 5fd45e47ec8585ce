"""What images and sidecars say, whatever they are."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fuzz.examples import fuzzed
from kontext_cli.engine.known import Image
from kontext_cli.files.records import Record
from kontext_cli.metadata.embed import LeftAlone, embedded
from kontext_cli.metadata.find import MOST_TEXT, Finding, found_in
from kontext_cli.metadata.record import Provenance, is_record, read_json
from kontext_cli.terminal.info import info_lines, info_record
from kontext_cli.terminal.records import as_line
from metadata.encoded import jpegs, pngs

FULL = Provenance("source", "system", "kontext 1.2.3", "a fox", "a fox\nSeed: 7", '{"a": 1}')
HEADS = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8",
    b"\xff\xd8\xff\xe1\x00\x80Exif\0\0MM\0*",
    b"\xff\xd8\xff\xe1\x00\x80http://ns.adobe.com/xap/1.0/\0",
    b"RIFF\0\0\0\0WEBP",
]
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def check(found: list[Finding], record: dict[str, Any] | None = None) -> None:
    """See that all of it can be printed, for people and for programs."""
    records = () if record is None else (Record("sidecar \x1b[2J", record),)
    known = Image(Path("a \x1b.png"), "0" * 64, records, tuple(found))
    assert json.loads(as_line(info_record(known)))["type"] == "info"
    for line in info_lines([known]):
        assert isinstance(line, str)
        assert "\x1b" not in line
        assert len(line.splitlines()) == 1
    assert all(len(each.text) <= MOST_TEXT for each in found)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An image with what we write, some bytes of which were changed, cut off or moved."""
    data = draw(st.one_of(jpegs(), pngs()))
    with suppress(LeftAlone):
        data = embedded(data, "png" if data.startswith(b"\x89") else "jpeg", FULL)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(2, len(data)))
        data = data[:at] + draw(st.binary(max_size=8)) + data[at + draw(st.integers(0, 8)) :]
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


@fuzzed(150)
@given(data=damaged())
def test_damaged_images(data: bytes) -> None:
    check(found_in(data))


@fuzzed(150)
@given(head=st.sampled_from(HEADS), rest=st.binary(max_size=300))
def test_anything_that_begins_like_an_image(head: bytes, rest: bytes) -> None:
    check(found_in(head + rest))


@fuzzed(150)
@given(values=st.dictionaries(st.text(), json_values, max_size=6))
def test_records_of_anybody(values: dict[str, Any]) -> None:
    record = read_json(json.dumps({**values, "schema": 1, "type": "image"}))
    assert isinstance(record, dict)
    assert is_record(record)
    check([], record)
