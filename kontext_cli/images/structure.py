"""The structure of image files: whether one is complete, checked before it is decoded.

Decoders are lenient: an image that was cut off, or whose bytes were changed on the way, often
decodes to something.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Literal

Format = Literal["jpeg", "png", "webp", "gif"]

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_SCANS = 100
"""Of a progressive JPEG; encoders make about ten. Each costs a pass over all of its pixels."""

_CUT_SHORT = "cut short"
_DAMAGED = "damaged"
_JPEG_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])", re.DOTALL)
_JPEG_ALONE = {0x01, 0xD8}
_JPEG_END = 0xD9
_JPEG_SCAN = 0xDA
_PNG_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Samples a pixel, by colour type (W3C PNG, 11.2.1)."""
_WHOLE_PASS = (0, 0, 1, 1)
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row, and steps to the next ones, of each pass of interlaced pixels (8.2)."""
_INFLATED_AT_ONCE = 2**18


def fault_of(data: bytes, kind: Format) -> str | None:
    """What is wrong with the structure of an image, continuing "that is"; None for a complete one.

    Bytes after its end are allowed. A WebP and a GIF are left to their decoders, which reject
    whatever is cut short.
    """
    check = {"jpeg": _jpeg, "png": _png}.get(kind)
    return check(data) if check else None


def _jpeg(data: bytes) -> str | None:
    """Walk the segments by their lengths: a preview within the metadata has an end of its own."""
    position = scans = 0
    while marker := _JPEG_MARKER.search(data, position):
        kind, position = marker[1][0], marker.end()
        if kind == _JPEG_END:
            return None
        scans += kind == _JPEG_SCAN
        if scans > MOST_SCANS:
            return f"made of more than {MOST_SCANS} scans"
        if kind not in _JPEG_ALONE:
            position += max(2, int.from_bytes(data[position : position + 2], "big"))
    return _CUT_SHORT


def _png(data: bytes) -> str | None:
    """Walk the chunks, each of which carries a checksum (W3C PNG, 5.3)."""
    view = memoryview(data)
    position = len(PNG_SIGNATURE)
    while len(data) >= position + 12:
        length = int.from_bytes(view[position : position + 4], "big")
        end = position + 8 + length
        if len(data) < end + 4:
            break
        if zlib.crc32(view[position + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            return _DAMAGED
        if data[position + 4 : position + 8] == b"IEND":
            return None
        position = end + 4
    return _CUT_SHORT


def lacks_rows(data: bytes) -> bool:
    """Whether the compressed data of a PNG without a `fault_of` end before its last pixel.

    Decoders take the end of the data for the end of the image. Inflates all of it, in constant
    memory.
    """
    missing = _png_bytes(data[16:29])
    inflating = zlib.decompressobj()
    for compressed in _png_data(data):
        rest: bytes | memoryview = compressed
        while rest and missing > 0 and not inflating.eof:
            missing -= len(inflating.decompress(rest, _INFLATED_AT_ONCE))
            rest = inflating.unconsumed_tail
    return missing > 0 and missing > len(inflating.flush())


def _png_data(data: bytes) -> Iterator[memoryview]:
    """The contents of the IDAT chunks."""
    view = memoryview(data)
    position = len(PNG_SIGNATURE)
    while (kind := data[position + 4 : position + 8]) not in (b"IEND", b""):
        end = position + 8 + int.from_bytes(view[position : position + 4], "big")
        if kind == b"IDAT":
            yield view[position + 8 : end]
        position = end + 4


def _png_bytes(header: bytes) -> int:
    """How many bytes the data of a PNG inflate to: rows of pixels, each with its filter's byte."""
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    bits = header[8] * _PNG_SAMPLES.get(header[9], 0)
    total = 0
    for left, top, across, down in _ADAM7 if header[12] else (_WHOLE_PASS,):
        columns = max(0, -(-(width - left) // across))
        rows = max(0, -(-(height - top) // down))
        total += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    return total
