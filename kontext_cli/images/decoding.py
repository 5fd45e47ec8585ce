"""Detects what bytes are, and decodes complete images."""

import io
import re
from collections.abc import Collection
from math import ceil
from typing import TYPE_CHECKING

from kontext_cli.images.reading import NotAnImage, OtherKind
from kontext_cli.images.structure import PNG_SIGNATURE, Format, fault_of, lacks_rows

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

_NAMES: dict[Format, str] = {"jpeg": "JPEG", "png": "PNG", "webp": "WebP image", "gif": "GIF"}
_CUT_SHORT = "cut short"
_JPEG_START = b"\xff\xd8\xff"
FORMATS: tuple[Format, ...] = ("jpeg", "png", "webp", "gif")
"""All that are read."""
MOST_PIXELS = 178_956_970
"""Of an image that is read; where Pillow, too, reports a decompression bomb."""

_SNIPPET = 60
_ANY_PIXELS = 64_000_000
_SMALLEST = 1, 1
_THIN = 16
_PIXELS_A_BYTE = 100
"""Beyond 64 megapixels, more are decompression bombs; photographs have about two a byte."""

# With their articles, for messages; only what a download or an input plausibly turns out to be.
# Patterns, here and elsewhere, that few runs need are compiled when they are used.
_OTHER_KINDS = (
    (rb"(?s:RIFF....WAVE)", "a WAV sound"),
    (rb"(?s:....ftyp(avif|avis))", "an AVIF image"),
    (rb"(?s:....ftyp(hei|hev|mif1|msf1))", "a HEIC image"),
    (rb"(?s:....ftyp)", "an MP4 video"),
    (rb"(?s:BM....\0\0\0\0)", "a BMP image"),
    (rb"II\*\0|MM\0\*", "a TIFF image"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL image"),
    (rb"%PDF-", "a PDF"),
    (rb"PK\x03\x04", "a ZIP archive"),
    (rb"\x1f\x8b", "gzip data"),
)
_TEXT_KINDS = (
    (rb"(?i:\s*(<!doctype html|<html))", "an HTML page"),
    (rb"(?s:\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg)", "an SVG image"),
    (rb"\s*<\?xml", "an XML document"),
    (rb"\s*[{\[]", "JSON"),
    (rb"[\x09\x0a\x0d\x20-\x7e\x80-\xff]{1,256}\Z", "text"),
)


def get_ready() -> None:
    """Import the decoder, which takes 10 ms, ahead of its use."""
    from PIL import Image, JpegImagePlugin, PngImagePlugin  # noqa: F401


def sniff(data: bytes) -> Format | None:
    """The format of an image by its first bytes, None for any that we do not read."""
    if data.startswith(_JPEG_START):
        return "jpeg"
    if data.startswith(PNG_SIGNATURE):
        return "png"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    return None


def other_kind(data: bytes) -> OtherKind:
    """What the bytes look like, as a noun with its article, and an excerpt in plain ASCII."""
    if known := sniff(data):
        return OtherKind(f"a {_NAMES[known]}")
    head = data[:256]
    for pattern, noun in _OTHER_KINDS:
        if re.match(pattern, head):
            return OtherKind(noun)
    for pattern, noun in _TEXT_KINDS:
        if re.match(pattern, head):
            return OtherKind(noun, _snippet(head))
    return OtherKind("no image of a known format", _snippet(head))


def decode(
    data: bytes, *, formats: Collection[Format], most_pixels: int, most_side: int | None = None
) -> "tuple[Format, Image]":
    """Decode an image in full, into a loaded Pillow image; of an animation, the first frame.

    The size is checked from the header, before any pixel is decoded. Bytes after the image's
    end are allowed. Raises NotAnImage for any fault, OtherKind where the bytes do not even begin
    like an image of these formats.
    """
    kind, _, image = _decoded(data, formats, most_pixels, most_side)
    return kind, image


def decode_reduced(
    data: bytes, *, formats: Collection[Format], most_pixels: int, least: tuple[int, int]
) -> "tuple[tuple[int, int], Image]":
    """An image's size, and the image with no fewer pixels than fit into ``least``, either way up.

    A JPEG comes at a half, a quarter or an eighth of its size, which is as much faster. Raises
    NotAnImage like ``decode``.
    """
    _, size, image = _decoded(data, formats, most_pixels, None, least)
    return size, image


def prove(
    data: bytes, *, formats: Collection[Format], most_pixels: int
) -> tuple[Format, tuple[int, int]]:
    """The format and the size in pixels of an image, after all of its data were decoded.

    Raises NotAnImage like ``decode``. Of a JPEG an eighth of the pixels is computed: decoding its
    data tells whether it is complete, computing all the pixels would take twice as long.
    """
    kind, size, _ = _decoded(data, formats, most_pixels, None, least=_SMALLEST)
    return kind, size


def size_of(data: bytes) -> tuple[int, int] | None:
    """The size of an image by its header alone; None where that is not one of an image."""
    kind = sniff(data)
    if kind is None:
        return None
    try:
        return _open(data, kind).size
    except Exception:  # as many kinds as in decoding
        return None


def _decoded(
    data: bytes,
    formats: Collection[Format],
    most_pixels: int,
    most_side: int | None,
    least: tuple[int, int] | None = None,
) -> "tuple[Format, tuple[int, int], Image]":
    """The format and size of an image, and its pixels: fewer where ``least`` are enough."""
    kind = sniff(data)
    if kind is None and _is_beginning(data):
        raise NotAnImage(_CUT_SHORT if data else "empty")
    if kind is None or kind not in formats:
        raise other_kind(data)
    if fault := fault_of(data, kind):
        raise NotAnImage(f"a {_NAMES[kind]} that is {fault}")
    try:
        image = _open(data, kind)
        size = image.size
        if fault := size_fault(size, len(data), most_pixels, most_side):
            raise NotAnImage(f"a {_NAMES[kind]} {fault}")
        if least is not None:
            image.draft(None, _enough(size, least))
        image.load()
        if kind == "png" and _may_lack_rows(image) and lacks_rows(data):
            raise NotAnImage(f"a {_NAMES[kind]} that is {_CUT_SHORT}")
    except NotAnImage:
        raise
    except MemoryError as error:
        raise NotAnImage(f"a {_NAMES[kind]} that takes more memory than there is") from error
    except Exception as error:
        # Pillow's decoders raise some ten kinds of exception on damaged bytes.
        raise NotAnImage(f"a {_NAMES[kind]} that does not decode") from error
    return kind, size, image


def _enough(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The pixels of an image of that size when it fits into a box, upright or on its side.

    All pixels of a thin one: rounding would change its shape.
    """
    (width, height), (across, down) = size, box
    scale = max(min(across / width, down / height), min(down / width, across / height))
    enough = ceil(width * scale), ceil(height * scale)
    return enough if min(enough) >= _THIN or box == _SMALLEST else size


def _open(data: bytes, kind: Format) -> "ImageFile":
    """Open the bytes with the decoder of their format only.

    `Image.open` would add its guesses at related formats (a JPEG as MPO), and a size check that
    warns instead of raising.
    """
    import warnings

    # Warnings about odd metadata are of no use to the user; what matters is raised.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    stream = io.BytesIO(data)
    if kind == "jpeg":
        from PIL.JpegImagePlugin import JpegImageFile

        return JpegImageFile(stream)
    if kind == "png":
        from PIL.PngImagePlugin import PngImageFile

        return PngImageFile(stream)
    if kind == "gif":
        from PIL.GifImagePlugin import GifImageFile

        return GifImageFile(stream)
    from PIL.WebPImagePlugin import WebPImageFile

    return WebPImageFile(stream)


def max_pixels(length: int) -> int:
    """How many pixels an image of ``length`` bytes can have without being a bomb."""
    return max(_ANY_PIXELS, length * _PIXELS_A_BYTE)


def size_fault(
    size: tuple[int, int], length: int, most_pixels: int, most_side: int | None
) -> str | None:
    """What is wrong with the size of an image of ``length`` bytes; None where it is allowed."""
    width, height = size
    if min(size) < 1:
        return "without pixels"
    if width * height > most_pixels:
        limit = f"{most_pixels // 1_000_000} megapixels"
    elif most_side is not None and max(size) > most_side:
        limit = f"{most_side} pixels a side"
    elif width * height > max_pixels(length):
        limit = f"{length:,} bytes hold of a real one"
    else:
        return None
    return f"of {width}×{height} pixels, more than {limit}"


def _is_beginning(data: bytes) -> bool:
    """Whether these few bytes can be the first of a JPEG, PNG or WebP; so can no bytes at all."""
    riff = len(data) < 12 and b"RIFF".startswith(data[:4]) and b"WEBP".startswith(data[8:])
    return riff or _JPEG_START.startswith(data) or PNG_SIGNATURE.startswith(data)


def _may_lack_rows(image: "ImageFile") -> bool:
    """Whether the data of a PNG may have ended early: Pillow leaves rows without data at zero.

    Looking at the last one spares most images a count of their data. Interlaced images do not
    come row by row.
    """
    width, height = image.size
    last = image.crop((0, height - 1, width, height)).tobytes()
    return bool(image.info.get("interlace")) or not any(last)


def _snippet(data: bytes) -> str:
    """The beginning of a file on one line, nothing but printable ASCII."""
    text = repr(b" ".join(data.split()))[2:-1].replace("`", "'")
    return text if len(text) <= _SNIPPET else text[:_SNIPPET] + "…"
