"""Reads the properties of XMP and Exif that say how an image was made."""

import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from kontext_cli.metadata.record import MOST_RECORD
from kontext_cli.metadata.xmp import OURS

_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_WANTED = {
    f"{_IPTC} DigitalSourceType": "DigitalSourceType",
    f"{_IPTC} AISystemUsed": "AISystemUsed",
    f"{_IPTC} AISystemVersionUsed": "AISystemVersionUsed",
    f"{_IPTC} AIPromptInformation": "AIPromptInformation",
    "http://ns.adobe.com/xap/1.0/ CreatorTool": "CreatorTool",
    "http://ns.adobe.com/xmp/note/ HasExtendedXMP": "HasExtendedXMP",
    f"{OURS} Record": "kontext",
}
_MOST_ELEMENTS = 10_000
_MOST_ENTRIES = 1_000
_SIZES = {1: 1, 2: 1, 4: 4, 7: 1}
"""Bytes of one value, by type."""
_TEXTS = {0x010E: "ImageDescription", 0x0131: "Software", 0x9286: "UserComment"}
_EXIF_IFD = 0x8769


class _Stop(Exception):
    """Nothing more is read of a packet."""


def xmp_properties(packet: bytes) -> dict[str, str]:
    """The values of the properties that we know; of a damaged packet those before the damage.

    A packet that declares entities, which ours never needs, is not read.
    """
    from xml.parsers import expat

    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = reader.refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    with suppress(expat.ExpatError, ValueError, LookupError, _Stop):
        parser.Parse(packet, True)
    return reader.found


class _Reader:
    """Collects the text of known elements, and known attributes, without building a tree."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._elements = 0
        self._within: str | None = None
        self._depth = 0
        self._pieces: list[str] = []

    def refuse(self, *_declared: Any) -> None:
        raise _Stop

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        if self._elements > _MOST_ELEMENTS:
            raise _Stop
        for each, value in attributes.items():
            if each in _WANTED:
                self.found.setdefault(_WANTED[each], value)
        if self._within is not None:
            self._depth += 1
        elif name in _WANTED:
            self._within, self._depth, self._pieces = _WANTED[name], 0, []

    def end(self, _name: str) -> None:
        if self._within is None:
            return
        if self._depth:
            self._depth -= 1
            return
        self.found.setdefault(self._within, "".join(self._pieces))
        self._within = None

    def text(self, text: str) -> None:
        if self._within is not None:
            self._pieces.append(text)


def exif_texts(tiff: bytes) -> dict[str, str]:
    """Description, program and comment of Exif; without those that lie outside of it."""
    order = {b"MM\0\x2a": ">", b"II\x2a\0": "<"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return {}
    found: dict[str, str] = {}
    [first] = struct.unpack(f"{order}I", tiff[4:8])
    for tag, value in _entries(tiff, first, order):
        if tag == _EXIF_IFD and len(value) == 4:
            [inner] = struct.unpack(f"{order}I", value)
            found |= _texts(_entries(tiff, inner, order), order)
    return _texts(_entries(tiff, first, order), order) | found


def _texts(entries: Iterator[tuple[int, bytes]], order: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for tag, value in entries:
        if tag in _TEXTS:
            is_comment = _TEXTS[tag] == "UserComment"
            text = _comment(value, order) if is_comment else value.decode("utf-8", "replace")
            found.setdefault(_TEXTS[tag], text.strip("\0"))
    return found


def _entries(tiff: bytes, start: int, order: str) -> Iterator[tuple[int, bytes]]:
    """The tags that we know of a directory, each once, with their values, as far as these are not
    too long and lie within the data."""
    if start + 2 > len(tiff):
        return
    [count] = struct.unpack(f"{order}H", tiff[start : start + 2])
    left = {*_TEXTS, _EXIF_IFD}
    for number in range(min(count, _MOST_ENTRIES)):
        row = tiff[start + 2 + 12 * number : start + 14 + 12 * number]
        if len(row) < 12:
            return
        tag, kind, length = struct.unpack(f"{order}HHI", row[:8])
        size = length * _SIZES.get(kind, 0)
        if tag not in left or not 0 < size <= MOST_RECORD:
            continue
        left.discard(tag)
        at = 0 if size <= 4 else struct.unpack(f"{order}I", row[8:])[0]
        value = row[8 : 8 + size] if size <= 4 else tiff[at : at + size]
        if len(value) == size:
            yield tag, value


def _comment(value: bytes, order: str) -> str:
    """A comment after the name of its code; programs disagree about the order of UTF-16."""
    code, text = value[:8], value[8:]
    if code != b"UNICODE\0":
        return text.decode("utf-8", "replace")
    even, odd = text[::2].count(0), text[1::2].count(0)
    is_big = order == ">" if even == odd else even > odd
    return text.decode("utf-16-be" if is_big else "utf-16-le", "replace")
