"""Marks an image as the maker of the models marks its own: with a JUMBF box (ISO 19566-5) where
C2PA keeps its manifest, `caBX` of PNG and APP11 of JPEG. Real ones are signed, this one is not.
"""

import struct
import zlib

_C2PA = bytes.fromhex("6332706100110010800000aa00389b71")
_JSON = bytes.fromhex("6a736f6e00110010800000aa00389b71")
"""The types of the boxes: a store of manifests, and JSON."""
_LABELLED = 3
_TEXT = b'{"claim_generator":"kontext sandbox","signature":null}'
_PNG_HEADER = 33
"""Bytes of the signature and the IHDR chunk, which comes first."""
_JPEG_START = 2


def marked(image: bytes, output_format: str) -> bytes:
    """A JPEG or PNG file with the box in it; its pixels are the same."""
    if output_format == "png":
        return image[:_PNG_HEADER] + _chunk(b"caBX", STORE) + image[_PNG_HEADER:]
    return image[:_JPEG_START] + _segment(STORE) + image[_JPEG_START:]


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content


def _described(kind: bytes, label: bytes, content: bytes) -> bytes:
    description = kind + bytes([_LABELLED]) + label + b"\0"
    return _box(b"jumb", _box(b"jumd", description) + content)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def _segment(box: bytes) -> bytes:
    """The box in one APP11 segment: `JP`, the number of the box, and that of the segment."""
    content = struct.pack(">2sHI", b"JP", 1, 1) + box
    return struct.pack(">HH", 0xFFEB, len(content) + 2) + content


STORE = _described(_C2PA, b"c2pa", _described(_JSON, b"kontext.sandbox", _box(b"json", _TEXT)))
"""The box, the same in every image."""
