"""The parts of PNG and JPEG files: where they begin and end, without their content."""

import zlib
from collections.abc import Iterator
from typing import NamedTuple

PNG = b"\x89PNG\r\n\x1a\n"
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
XMP_KEYWORD = b"XML:com.adobe.xmp"
MOST_IN_SEGMENT = 2**16 - 1 - 2
"""Bytes of a segment's content: its length has two bytes, and counts these."""

APP0, APP1, APP2, APP11, COMMENT = 0xE0, 0xE1, 0xE2, 0xEB, 0xFE
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_ALONE = {0x00, 0x01, _SOI, _EOI, *range(0xD0, 0xD8)}


class Malformed(Exception):
    """A file is not built as its format says."""


class Segment(NamedTuple):
    """A segment of a JPEG from its marker to its end; its content begins at ``content``."""

    marker: int
    start: int
    content: int
    end: int


class Chunk(NamedTuple):
    """A chunk of a PNG from its length to the end of its checksum."""

    kind: bytes
    start: int
    end: int

    def content(self, data: bytes) -> bytes:
        """What it holds, of the file's data."""
        return data[self.start + 8 : self.end - 4]


def segments(data: bytes) -> Iterator[Segment]:
    """The segments before the first scan, whose start ends the iteration. Raises Malformed."""
    position = 2
    while True:
        start = position
        if data[position : position + 1] != b"\xff":
            raise Malformed
        while data[position : position + 1] == b"\xff":
            position += 1
        marker = data[position] if position < len(data) else _EOI
        if marker == _SOS:
            return
        length = int.from_bytes(data[position + 1 : position + 3], "big")
        end = position + 1 + length
        if marker in _ALONE or length < 2 or end > len(data):
            raise Malformed
        yield Segment(marker, start, position + 3, end)
        position = end


def chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks up to IEND. Raises Malformed."""
    position = len(PNG)
    while True:
        kind = data[position + 4 : position + 8]
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            raise Malformed
        yield Chunk(kind, position, end)
        if kind == b"IEND":
            return
        position = end


def segment(marker: int, content: bytes) -> bytes:
    """A segment with this content."""
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk with this content."""
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum
