"""The structure of picture files: whether all of one is there, before any of it is decoded.

Decoders are lenient: a picture that was cut off, or whose bytes were changed on the way, often
decodes to something.
"""

import re
import zlib
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
_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = 0x2C, 0x21, 0x3B


def flaw(data: bytes, kind: Format) -> str | None:
    """What is wrong with the structure of a picture, going on from "that is"; None where it is
    whole. Bytes after its end are allowed."""
    return {"jpeg": _jpeg, "png": _png, "webp": _webp, "gif": _gif}[kind](data)


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


def _webp(data: bytes) -> str | None:
    """The length of a RIFF file stands at its head."""
    return None if len(data) >= 8 + int.from_bytes(data[4:8], "little") else _CUT_SHORT


def _gif(data: bytes) -> str | None:
    """Walk the blocks to the trailer (GIF89a, appendix A)."""
    try:
        position = 13 + _gif_colours(data[10])
        while data[position] != _GIF_END:
            if data[position] == _GIF_IMAGE:
                position += 11 + _gif_colours(data[position + 9])
            elif data[position] == _GIF_EXTENSION:
                position += 2
            else:
                return _DAMAGED
            while data[position]:
                position += 1 + data[position]
            position += 1
    except IndexError:
        return _CUT_SHORT
    return None


def _gif_colours(flags: int) -> int:
    """The bytes of a table of colours, where the flags say that there is one."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0
