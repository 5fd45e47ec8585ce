"""Inputs of formats that no provider takes, HEIC and AVIF, converted to JPEG or PNG."""

import io
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple

from kontext_cli.images import heic
from kontext_cli.images.decoding import max_pixels, size_fault
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
_INSTALL = (
    'install what reads it: `pip install "kontext-cli[heic]"`, '
    'or `uv tool install "kontext-cli[heic]"`'
)
_MOST_SECONDS = 60
_NEEDED = (
    *("PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),
    *("PYTHONHOME", "PYTHONPATH", "PYTHONUSERBASE", "PYTHONDONTWRITEBYTECODE"),
    *("SYSTEMROOT", "TEMP", "TMP", "APPDATA", "USERPROFILE"),
)
"""What Python needs of the environment: the decoder of foreign bytes is given no keys."""


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
    noun = f"{'a HEIC' if kind == 'HEIC' else 'an AVIF'} image"

    def check(size: tuple[int, int]) -> None:
        if fault := size_fault(size, len(data), most_pixels, most_side):
            raise NotAnImage(f"{noun} {fault}")

    try:
        if kind == "HEIC":
            return _heic(data, most_pixels, most_side, check)
        opened = _avif(data)
        check(opened.size)
        opened.load()
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


def _heic(
    data: bytes, most_pixels: int, most_side: int, check: Callable[[tuple[int, int]], None]
) -> "Image":
    """Decoded in a process of its own, where a crash of the decoder ends nothing else.

    libheif turns the image as its container says, which is all that counts: EXIF's orientation
    only repeats it.
    """
    import subprocess
    from importlib.util import find_spec

    from PIL import Image

    if find_spec("pi_heif") is None:
        raise NotReadable(_INSTALL)
    limits = (str(min(most_pixels, max_pixels(len(data)))), str(most_side))
    done = subprocess.run(  # noqa: S603 - our own file, beside this one
        [sys.executable, "-P", heic.__file__, *limits],
        input=data,
        capture_output=True,
        check=False,
        env={name: os.environ[name] for name in _NEEDED if name in os.environ},
        timeout=_MOST_SECONDS,
    )
    if done.returncode == heic.NO_DECODER:
        raise NotReadable(_INSTALL)
    line, _, body = done.stdout.partition(b"\n")
    head = json.loads(line)
    size = tuple(head["size"])
    check(size)
    if not head["whole"]:
        raise ValueError("the limits differ")
    profile = body[: head["profile"]]
    image = Image.frombytes(head["mode"], size, body[len(profile) :])
    if profile:
        image.info["icc_profile"] = profile
    return image


def _avif(data: bytes) -> "Image":
    """Opened by Pillow, which leaves the turn to `upright`."""
    from PIL.AvifImagePlugin import SUPPORTED, AvifImageFile

    if not SUPPORTED:
        raise NotReadable("convert it to JPEG, or install a Pillow that reads AVIF")
    return AvifImageFile(io.BytesIO(data))
