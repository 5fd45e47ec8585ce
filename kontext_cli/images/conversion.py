"""Inputs of formats that no provider takes, HEIC and AVIF, converted to JPEG or PNG."""

import io
from typing import TYPE_CHECKING, Literal, NamedTuple

from kontext_cli.images.decoding import size_fault
from kontext_cli.images.reading import NotAnImage
from kontext_cli.images.shrinking import encode_jpeg, in_plain_colours, profile_of, upright

if TYPE_CHECKING:
    from PIL.Image import Image

Foreign = Literal["HEIC", "AVIF"]

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_OPEN_BRANDS = {b"mif1", b"msf1"}
"""Of files with any kind of pixels: those that they are compatible with tell which."""
_MOST_BRANDS = 64
_QUALITY = 92


class NotReadable(Exception):
    """This installation has no decoder for the format; ``hint`` says how to get it."""

    def __init__(self, hint: str) -> None:
        super().__init__(hint)
        self.hint = hint


class Converted(NamedTuple):
    """An image in a format that providers take, with its size (width, height) in pixels."""

    content: bytes
    media_type: str
    size: tuple[int, int]


def foreign_kind(data: bytes) -> Foreign | None:
    """Whether bytes begin like a HEIC or an AVIF file (ISO/IEC 23008-12, 10.2); else None."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), len(data), 16 + 4 * _MOST_BRANDS)
    major, others = data[8:12], {data[at : at + 4] for at in range(16, end, 4)}
    if major in _AVIF_BRANDS or (major in _OPEN_BRANDS and others & _AVIF_BRANDS):
        return "AVIF"
    return "HEIC" if major in _HEIC_BRANDS | _OPEN_BRANDS else None


def decode_foreign(data: bytes, kind: Foreign, *, most_pixels: int, most_side: int) -> "Image":
    """Decode a HEIC or AVIF image in full, upright; of several, the primary one.

    The size is checked before any pixel is decoded. Raises NotReadable without a decoder, and
    NotAnImage for any fault.
    """
    decoder = _heic if kind == "HEIC" else _avif
    noun = f"{'a HEIC' if kind == 'HEIC' else 'an AVIF'} image"

    def check(size: tuple[int, int]) -> None:
        if fault := size_fault(size, len(data), most_pixels, most_side):
            raise NotAnImage(f"{noun} {fault}")

    try:
        opened = decoder(data)
        check(opened.size)
        opened.load()
        check(opened.size)
        return upright(opened)
    except (NotAnImage, NotReadable):
        raise
    except MemoryError as error:
        raise NotAnImage(f"{noun} that takes more memory than there is") from error
    except Exception as error:
        # as of Pillow's own decoders: damaged bytes raise exceptions of any kind
        raise NotAnImage(f"{noun} that does not decode") from error


def converted(image: "Image") -> Converted:
    """The image as a JPEG, or as a PNG if any of it is transparent; with its colour profile.

    Raises NotAnImage for what cannot be written so.
    """
    try:
        profile = profile_of(image)
        plain = in_plain_colours(image)
        if plain.mode == "RGBA" and plain.getchannel("A").getextrema()[0] == 255:
            plain = plain.convert("RGB")
        if plain.mode == "RGBA":
            return Converted(_png(plain, profile), "image/png", plain.size)
        return Converted(encode_jpeg(plain, _QUALITY, profile), "image/jpeg", plain.size)
    except Exception as error:  # whatever Pillow cannot write, or has no memory for
        raise NotAnImage("an image that cannot be converted") from error


def _png(image: "Image", profile: bytes | None) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=3, icc_profile=profile)
    return stream.getvalue()


def _heic(data: bytes) -> "Image":
    """Opened by pi-heif, which turns the image as its container says, and resets EXIF's word."""
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        raise NotReadable(
            'install what reads it: `pip install "kontext-cli[heic]"`, '
            'or `uv tool install "kontext-cli[heic]"`'
        ) from None
    image: Image = HeifImageFile(io.BytesIO(data))
    return image


def _avif(data: bytes) -> "Image":
    """Opened by Pillow, which leaves the turn to `upright`."""
    from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile

    if not SUPPORTED:
        raise NotReadable("convert it to JPEG, or install a Pillow that reads AVIF")
    return AvifImageFile(io.BytesIO(data))
