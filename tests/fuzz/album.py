"""Small images of every kind that is read, and bombs; their makers."""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import Image

from fuzz.refusals import tried
from kontext_cli.errors import InputFault, ProviderError
from kontext_cli.files.inputs import load_images
from kontext_cli.files.part import PartFile
from kontext_cli.files.saved import VerifiedImage
from kontext_cli.images.inputs import InputImage

SIZE = (5, 3)
ROOMY = 2**20
"""Bytes of an input image that are never too many."""

_MODES = {"1": 1, "L": 1, "P": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4, "I;16": 2}
_PNG = b"\x89PNG\r\n\x1a\n"


def as_input(data: bytes, folder: Path, most: int = ROOMY) -> InputImage | InputFault:
    """What is made of an input image of which ``most`` bytes go inline."""
    path = folder / "in"
    path.write_bytes(data)

    def load() -> InputImage:
        (image,) = load_images([str(path)], inline_bytes=most, provider="fal", stdin=io.BytesIO)
        return image

    return tried(InputFault, load)


def as_output(
    data: bytes, folder: Path, announced: int | None = None
) -> VerifiedImage | ProviderError:
    """What is made of a file that a provider sent, and said to be of ``announced`` bytes."""
    with PartFile.create(folder) as part:
        part.write(data)
        return tried(ProviderError, part.verify, announced)


def _frame(mode: str, seed: int) -> Image.Image:
    """An image that compresses badly, so that cuts fall into its pixels."""
    width, height = SIZE
    line = (width + 7) // 8 if mode == "1" else width * _MODES[mode]
    image = Image.frombytes(mode, SIZE, random.Random(seed).randbytes(line * height))
    if mode == "P":
        image.putpalette(random.Random(2).randbytes(3 * 16))
    return image


def _saved(kind: str, mode: str = "RGB", frames: int = 1, **options: Any) -> bytes:
    first, *others = [_frame(mode, seed) for seed in range(frames)]
    out = io.BytesIO()
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(out, kind, **more, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(kind: bytes, data: bytes) -> bytes:
    """A small PNG with one chunk more, before its pixels."""
    whole = _saved("png")
    return whole[:33] + chunk(kind, data) + whole[33:]


OUTPUTS = {
    "jpeg": _saved("jpeg", optimize=True),
    "grey jpeg": _saved("jpeg", "L", optimize=True),
    "progressive jpeg": _saved("jpeg", "L", progressive=True),
    "CMYK jpeg": _saved("jpeg", "CMYK", optimize=True),
    "two jpegs in one": _saved("mpo", frames=2, optimize=True),
    "png": _saved("png"),
    "png with text": png_with(b"tEXt", b"Comment\0a red fox"),
    "palette png": _saved("png", "P", bits=4),
    "1-bit png": _saved("png", "1"),
    "grey and alpha png": _saved("png", "LA"),
    "16-bit png": _saved("png", "I;16"),
    "animated png": _saved("png", frames=2),
    "webp": _saved("webp"),
    "webp with alpha": _saved("webp", "RGBA"),
    "lossless webp": _saved("webp", lossless=True),
    "animated webp": _saved("webp", frames=2),
}
"""What a provider may send."""
INPUTS = OUTPUTS | {
    "gif": _saved("gif", "P"),
    "grey gif": _saved("gif", "L"),
    "animated gif": _saved("gif", "P", frames=3),
}
"""What a user may give."""
FOREIGN = {
    "avif": _saved("avif"),
    "avif with alpha": _saved("avif", "RGBA"),
    "grey avif": _saved("avif", "L"),
    "animated avif": _saved("avif", frames=3),
}
"""What a user may give, and is converted; HEIC is decoded elsewhere, in a process of its own."""


def png_of(width: int, height: int) -> bytes:
    """A black PNG, whole; one bit a pixel."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 1)
    return _PNG + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def gif_of(width: int, height: int) -> bytes:
    """A GIF of one small frame on a large screen."""
    data = bytearray(INPUTS["gif"])
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose pixels end early, which libjpeg fills up with grey."""
    data = bytearray(OUTPUTS["jpeg"])
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_of(width: int, height: int) -> bytes:
    """A lossless WebP of a single colour, whole: 34 bytes, whatever its size."""
    bits = width - 1 | height - 1 << 14
    data = b"\x2f" + struct.pack("<I", bits) + b"\x07\x10\x11\x11\x88\x88\xfe\x07\0"
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


BOMBS = {"png": png_of, "jpeg": jpeg_of, "gif": gif_of, "webp": webp_of}
"""Images of any size in a few bytes."""


def jpeg_of_scans(width: int, height: int, scans: int) -> bytes:
    """A grey progressive JPEG, whole, that says nothing in each of its scans."""
    blocks = (width + 7) // 8 * ((height + 7) // 8)
    one_code = b"\1" + bytes(15)
    head = (
        _segment(0xDB, b"\0" + b"\1" * 64)
        + _segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
        + _segment(0xC4, b"\x00" + one_code + b"\x00")
        + _segment(0xC4, b"\x10" + one_code + b"\x00")
    )
    bits = bytes(blocks // 8) + b"\x7f"
    first = _segment(0xDA, b"\1\1\0\0\0\0") + bits
    further = _segment(0xDA, b"\1\1\0\1\x3f\0") + bits
    return b"\xff\xd8" + head + first + further * scans + b"\xff\xd9"


def _segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data
