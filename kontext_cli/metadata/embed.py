"""Writes what an image carries into its bytes; those of its pixels are copied as they are."""

import re
import struct
from typing import NamedTuple

from kontext_cli.job import FileFormat
from kontext_cli.metadata import layout, xmp
from kontext_cli.metadata.layout import Chunk, Malformed, Segment
from kontext_cli.metadata.record import Provenance
from kontext_cli.sizes import MOST_BYTES

_LATE_JUMBF = re.compile(rb"\xff\xeb..JP", re.DOTALL)
_PLAIN_TEXT = b"\0\0\0\0\0"
"""After the keyword of an iTXt: its end, not compressed, no language, no translation."""
_ASCII, _LONG, _UNDEFINED = 2, 4, 7
_DESCRIPTION, _SOFTWARE, _EXIF_IFD, _USER_COMMENT = 0x010E, 0x0131, 0x8769, 0x9286
_XMP_CONTENT = layout.MOST_IN_SEGMENT - len(layout.XMP)
_EXTENDED_CONTENT = layout.MOST_IN_SEGMENT - len(layout.EXTENDED_XMP) - 32 - 8


class LeftAlone(Exception):
    """An image keeps its bytes; the message says which images do, continuing "images that"."""


def embedded(data: bytes, kind: FileFormat, provenance: Provenance) -> bytes:
    """The file with what it is to carry. Raises LeftAlone for one that must keep its bytes."""
    if kind == "webp":
        raise LeftAlone("are WebP")
    try:
        written = _in_png(data, provenance) if kind == "png" else _in_jpeg(data, provenance)
    except Malformed:
        raise LeftAlone("are built in an unusual way") from None
    if len(written) > MOST_BYTES:
        raise LeftAlone(f"are almost as large as {MOST_BYTES // 2**20} MiB")
    return written


class _Change(NamedTuple):
    """Bytes in place of those from ``start`` to ``end``."""

    start: int
    end: int
    content: bytes


def _changed(data: bytes, changes: list[_Change]) -> bytes:
    pieces, position = [], 0
    for start, end, content in sorted(changes):
        pieces += [data[position:start], content]
        position = end
    return b"".join([*pieces, data[position:]])


# PNG


def _in_png(data: bytes, provenance: Provenance) -> bytes:
    found = list(layout.chunks(data))
    if any(each.kind == b"caBX" for each in found):
        raise _signed()
    header = found[0]
    if not data.startswith(layout.PNG) or header.kind != b"IHDR":
        raise Malformed
    present = next((each for each in found if _is_xmp(data, each)), None)
    before, after = b"", b""
    if provenance.parameters is not None and not any(_is_parameters(data, each) for each in found):
        before = _text(b"parameters", provenance.parameters.replace("\0", "\ufffd").encode())
    if provenance.record is not None:
        after = _text(b"kontext", provenance.record.encode())
    packet = present and xmp.merged(_xmp_of(data, present), provenance, with_record=False)
    if present is None or packet is None:
        own = _text(layout.XMP_KEYWORD, xmp.packet(provenance, with_record=False))
        return _changed(data, [_Change(header.end, header.end, before + own + after)])
    changes = [
        _Change(header.end, header.end, before + after),
        _Change(present.start, present.end, _text(layout.XMP_KEYWORD, packet)),
    ]
    return _changed(data, changes)


def _is_xmp(data: bytes, chunk: Chunk) -> bool:
    if chunk.kind != b"iTXt" or not chunk.content(data).startswith(layout.XMP_KEYWORD + b"\0"):
        return False
    if xmp.refers_to_c2pa(chunk.content(data)):
        raise _signed()
    return chunk.content(data).startswith(layout.XMP_KEYWORD + _PLAIN_TEXT)


def _xmp_of(data: bytes, chunk: Chunk) -> bytes:
    return chunk.content(data)[len(layout.XMP_KEYWORD + _PLAIN_TEXT) :]


def _is_parameters(data: bytes, chunk: Chunk) -> bool:
    is_text = chunk.kind in (b"tEXt", b"zTXt", b"iTXt")
    return is_text and chunk.content(data).startswith(b"parameters\0")


def _text(keyword: bytes, text: bytes) -> bytes:
    return layout.chunk(b"iTXt", keyword + _PLAIN_TEXT + text)


# JPEG


def _in_jpeg(data: bytes, provenance: Provenance) -> bytes:
    found = list(layout.segments(data))
    _check_jpeg(data, found)
    at, has_exif = _place(data, found)
    ours = b"" if provenance.parameters is None or has_exif else _exif(provenance)
    present = next((each for each in found if _has(data, each, layout.APP1, layout.XMP)), None)
    if present is not None:
        there = data[present.content + len(layout.XMP) : present.end]
        packet = xmp.merged(there, provenance, with_record=True)
        if packet is not None and len(packet) <= _XMP_CONTENT:
            new = layout.segment(layout.APP1, layout.XMP + packet)
            return _changed(data, [_Change(at, at, ours), _Change(present.start, present.end, new)])
    return _changed(data, [_Change(at, at, ours + _xmp_segments(provenance))])


def _check_jpeg(data: bytes, found: list[Segment]) -> None:
    """Raise LeftAlone for a signed file, and for one with images after the first: a table has their
    places."""
    for each in found:
        if _has(data, each, layout.APP11, b"JP"):
            raise _signed()
        is_xmp = _has(data, each, layout.APP1, layout.XMP)
        if is_xmp and xmp.refers_to_c2pa(data[each.content : each.end]):
            raise _signed()
        if _has(data, each, layout.APP2, b"MPF\0"):
            raise LeftAlone("hold several images")
    if _LATE_JUMBF.search(data, found[-1].end if found else 2):
        raise _signed()


def _place(data: bytes, found: list[Segment]) -> tuple[int, bool]:
    """Where our segments go, after JFIF and Exif, which have to be first; whether there is Exif."""
    at = 2
    for each in found:
        if each.marker != layout.APP0 and not _has(data, each, layout.APP1, layout.EXIF):
            break
        at = each.end
    return at, any(_has(data, each, layout.APP1, layout.EXIF) for each in found)


def _has(data: bytes, segment: Segment, marker: int, beginning: bytes) -> bool:
    return segment.marker == marker and data.startswith(beginning, segment.content, segment.end)


def _xmp_segments(provenance: Provenance) -> bytes:
    main, extended, guid = xmp.packets(provenance, most=_XMP_CONTENT)
    total = len(extended).to_bytes(4, "big")
    pieces = [layout.segment(layout.APP1, layout.XMP + main)]
    for offset in range(0, len(extended), _EXTENDED_CONTENT):
        head = layout.EXTENDED_XMP + guid + total + offset.to_bytes(4, "big")
        piece = extended[offset : offset + _EXTENDED_CONTENT]
        pieces.append(layout.segment(layout.APP1, head + piece))
    return b"".join(pieces)


def _exif(provenance: Provenance) -> bytes:
    """A segment with description, program and comment; without those of them that do not fit."""
    comment = b"UNICODE\0" + (provenance.parameters or "").encode("utf-16-be", "replace")
    description = (provenance.prompt or "").replace("\0", "\ufffd").encode() + b"\0"
    for has_comment, has_description in ((True, True), (True, False), (False, True)):
        content = _tiff(
            description if has_description else None,
            provenance.tool.encode() + b"\0",
            comment if has_comment else None,
        )
        if len(content) <= layout.MOST_IN_SEGMENT:
            return layout.segment(layout.APP1, content)
    return b""


def _tiff(description: bytes | None, software: bytes, comment: bytes | None) -> bytes:
    """The Exif of these values, in big-endian order."""
    entries = [(_DESCRIPTION, _ASCII, description), (_SOFTWARE, _ASCII, software)]
    values = [(tag, kind, value) for tag, kind, value in entries if value is not None]
    count = len(values) + (comment is not None)
    start = 8 + 2 + 12 * count + 4
    rows, rest = b"", b""
    for tag, kind, value in values:
        row, rest = _entry(tag, kind, value, rest, start)
        rows += row
    if comment is not None:
        at = start + len(rest)
        rows += struct.pack(">HHII", _EXIF_IFD, _LONG, 1, at)
        row, comment = _entry(_USER_COMMENT, _UNDEFINED, comment, b"", at + 2 + 12 + 4)
        rest += struct.pack(">H", 1) + row + bytes(4) + comment
    head = layout.EXIF + b"MM\0\x2a" + struct.pack(">IH", 8, count)
    return head + rows + bytes(4) + rest


def _entry(tag: int, kind: int, value: bytes, rest: bytes, start: int) -> tuple[bytes, bytes]:
    """The entry of a value, and the ``rest`` after it: a value of more than four bytes lies there,
    at an even place; the rest begins at ``start``."""
    if len(value) <= 4:
        return struct.pack(">HHI", tag, kind, len(value)) + value.ljust(4, b"\0"), rest
    entry = struct.pack(">HHII", tag, kind, len(value), start + len(rest))
    return entry, rest + value + bytes(len(value) % 2)


def _signed() -> LeftAlone:
    return LeftAlone("carry C2PA, signed Content Credentials")
