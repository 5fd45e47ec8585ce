"""Finds what an image carries about its making: what we wrote, and what others did.

Nothing of it is believed: sizes and counts are bounded, and all of it is text.
"""

import re
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from kontext_cli.metadata import layout, xmp
from kontext_cli.metadata.layout import Chunk, Malformed, Segment
from kontext_cli.metadata.properties import exif_texts, xmp_properties
from kontext_cli.metadata.record import MOST_RECORD

MOST_TEXT = MOST_RECORD
"""Bytes of one text, also once it is inflated, and of an XMP packet."""

_MOST_PARTS = 10_000
_MOST_TEXTS = 100
_MOST_FINDINGS = 1_000
_TELLING = (b"tEXt", b"zTXt", b"iTXt", b"eXIf")
_LATE_JUMBF = re.compile(rb"\xff\xeb..JP", re.DOTALL)
TOO_LONG = "(too long to be read)"
C2PA = "C2PA"


class Finding(NamedTuple):
    """One thing that an image says: where it stands (`PNG`, `Exif`, `XMP`), its name and text."""

    origin: str
    name: str
    text: str


def found_in(data: bytes) -> list[Finding]:
    """All that is found in the bytes of an image, damaged or not; nothing in other files."""
    if data.startswith(layout.PNG):
        found = _in_png(data)
    elif data.startswith(b"\xff\xd8"):
        found = _in_jpeg(data)
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        found = _in_webp(data)
    else:
        return []
    return list(dict.fromkeys(islice(found, _MOST_FINDINGS)))


def _signed() -> Finding:
    return Finding(C2PA, "signature", "present, not verified")


def _xmp(packet: bytes) -> Iterator[Finding]:
    if xmp.refers_to_c2pa(packet):
        yield _signed()
    if len(packet) > MOST_TEXT:
        yield Finding("XMP", "packet", TOO_LONG)
        return
    for name, text in xmp_properties(packet).items():
        if name != "HasExtendedXMP":
            yield Finding("XMP", name, text)


def _exif(tiff: bytes) -> Iterator[Finding]:
    for name, text in exif_texts(tiff).items():
        yield Finding("Exif", name, text)


# PNG


def _in_png(data: bytes) -> Iterator[Finding]:
    chunks = list(_until_malformed(layout.chunks(data)))
    if any(chunk.kind == b"caBX" for chunk in chunks):
        yield _signed()
    for chunk in islice((each for each in chunks if each.kind in _TELLING), _MOST_TEXTS):
        if chunk.kind == b"eXIf":
            yield from _exif(chunk.content(data))
        else:
            yield from _text(chunk.kind, chunk.content(data))


def _until_malformed(parts: Iterator[Chunk]) -> Iterator[Chunk]:
    try:
        yield from islice(parts, _MOST_PARTS)
    except Malformed:
        return


def _text(kind: bytes, content: bytes) -> Iterator[Finding]:
    keyword, _, rest = content.partition(b"\0")
    is_compressed = kind == b"zTXt"
    if kind == b"iTXt":
        is_compressed = rest[:1] == b"\x01"
        _language, _, rest = rest[2:].partition(b"\0")
        _translated, _, rest = rest.partition(b"\0")
    elif is_compressed:
        rest = rest[1:]
    text = _inflated(rest) if is_compressed else rest
    name = keyword.decode("latin-1")
    if text is None or len(text) > MOST_TEXT:
        yield Finding("PNG", name, TOO_LONG)
    elif keyword == layout.XMP_KEYWORD:
        yield from _xmp(text)
    else:
        yield Finding("PNG", name, _decoded(text))


def _inflated(data: bytes) -> bytes | None:
    """Compressed text; None for more than is read. What is damaged ends where it is damaged."""
    inflating = zlib.decompressobj()
    try:
        text = inflating.decompress(data, MOST_TEXT + 1)
    except zlib.error:
        return b""
    return text if len(text) <= MOST_TEXT else None


def _decoded(text: bytes) -> str:
    """Text as UTF-8, as programs write it whatever the chunk should hold, else as Latin-1."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


# JPEG


def _in_jpeg(data: bytes) -> Iterator[Finding]:
    found: list[Segment] = []
    try:
        for each in islice(layout.segments(data), _MOST_PARTS):
            found.append(each)  # what comes before the damage is kept
    except Malformed:
        pass
    late = _LATE_JUMBF.search(data, found[-1].end if found else 2)
    if late or any(_begins(data, each, layout.APP11, b"JP") for each in found):
        yield _signed()
    telling = (each for each in found if each.marker in (layout.APP1, layout.COMMENT))
    for each in islice(telling, _MOST_TEXTS):
        if _begins(data, each, layout.APP1, layout.EXIF):
            yield from _exif(data[each.content + len(layout.EXIF) : each.end])
        elif _begins(data, each, layout.APP1, layout.XMP):
            packet = data[each.content + len(layout.XMP) : each.end]
            yield from _xmp(packet)
            guid = xmp_properties(packet).get("HasExtendedXMP", "")
            if guid:
                yield from _xmp(_extended(data, found, guid.encode()))
        elif each.marker == layout.COMMENT:
            yield Finding("JPEG", "comment", _decoded(data[each.content : each.end]))


def _extended(data: bytes, found: list[Segment], guid: bytes) -> bytes:
    """The packet of this id from its segments, up to a little more than is read."""
    pieces: dict[int, bytes] = {}
    for each in found:
        if _begins(data, each, layout.APP1, layout.EXTENDED_XMP + guid):
            at = each.content + len(layout.EXTENDED_XMP) + len(guid)
            pieces[int.from_bytes(data[at + 4 : at + 8], "big")] = data[at + 8 : each.end]
    packet = b""
    for offset in sorted(pieces):
        if offset != len(packet) or len(packet) > MOST_TEXT:
            break
        packet += pieces[offset]
    return packet


def _begins(data: bytes, segment: Segment, marker: int, beginning: bytes) -> bool:
    return segment.marker == marker and data.startswith(beginning, segment.content, segment.end)


# WebP


def _in_webp(data: bytes) -> Iterator[Finding]:
    position = 12
    for _ in range(_MOST_TEXTS):
        kind = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        content = data[position + 8 : position + 8 + size]
        if len(kind) < 4 or len(content) < size:
            return
        if kind == b"C2PA":
            yield _signed()
        elif kind == b"EXIF":
            yield from _exif(content.removeprefix(layout.EXIF))
        elif kind == b"XMP ":
            yield from _xmp(content)
        position += 8 + size + size % 2
