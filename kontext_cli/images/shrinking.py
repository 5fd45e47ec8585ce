"""Scaled-down, upright copies of images: for a request, a preview, a page."""

import io
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING

from kontext_cli.images.decoding import FORMATS, MOST_PIXELS, decode_reduced
from kontext_cli.images.reading import NotAnImage
from kontext_cli.sizes import nearest_size

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITIES = (92, 85, 75, 60)
_SCALES = (1.0, 0.7, 0.5, 0.35, 0.25)
_MOST_PROFILE_BYTES = 2**16


def small_copy(data: bytes, width: int, height: int) -> "tuple[Image, tuple[int, int]]":
    """An upright RGB copy of an image within ``width`` × ``height``, and its upright size.

    Nothing is enlarged; what is transparent becomes white. Raises NotAnImage.
    """
    least = width, height
    size, image = decode_reduced(data, formats=FORMATS, most_pixels=MOST_PIXELS, least=least)
    try:
        turned = upright(image)
        if (turned.width > turned.height) != (image.width > image.height):
            size = size[1], size[0]
        return _opaque(_within(in_plain_colours(turned), width, height)), size
    except Exception as error:  # a rare mode that decodes, and cannot be converted
        raise NotAnImage("an image that cannot be converted to RGB") from error


def shrink(image: "Image", most_bytes: int) -> tuple[bytes, tuple[int, int]] | None:
    """An upright JPEG of the image in the size Kontext works in, with that size in pixels.

    None where no copy is small enough. The shape is kept, and nothing is enlarged; what is
    transparent becomes white.
    """
    try:
        profile = profile_of(image)
        turned = upright(in_plain_colours(image))
        flat = _opaque(_within(turned, *nearest_size(*turned.size)))
        for scale, quality in itertools.product(_SCALES, _QUALITIES):
            copy = _scaled(flat, scale)
            data = encode_jpeg(copy, quality, profile)
            if len(data) <= most_bytes:
                return data, copy.size
    except Exception:  # whatever Pillow cannot turn into a JPEG, or has no memory for
        return None
    return None


def in_plain_colours(image: "Image") -> "Image":
    """The image in colours that can be mixed: no palette, no 16 bits."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value * (1 / 256))
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def upright(image: "Image") -> "Image":
    """The image turned and mirrored as its EXIF orientation says."""
    from PIL import ImageOps

    with suppress(Exception):  # damaged metadata: the image itself is sound
        return ImageOps.exif_transpose(image)
    return image


def _within(image: "Image", width: int, height: int) -> "Image":
    return _scaled(image, min(width / image.width, height / image.height, 1.0))


def _opaque(image: "Image") -> "Image":
    return _on_white(image) if image.mode == "RGBA" else image


def _scaled(image: "Image", scale: float) -> "Image":
    if scale == 1:
        return image
    from PIL.Image import Resampling

    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image.resize(size, Resampling.LANCZOS, reducing_gap=3.0)


def _on_white(image: "Image") -> "Image":
    from PIL import Image

    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def profile_of(image: "Image") -> bytes | None:
    """The colour profile where it goes on to fit: those of CMYK and grey images do not."""
    profile = image.info.get("icc_profile")
    if image.mode not in {"RGB", "RGBA", "P"} or not isinstance(profile, bytes):
        return None
    return profile if len(profile) <= _MOST_PROFILE_BYTES else None


def encode_jpeg(image: "Image", quality: int, profile: bytes | None) -> bytes:
    """A JPEG file of the image, without metadata other than the colour profile."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, optimize=True, icc_profile=profile)
    return stream.getvalue()
