"""Scaled-down copies of input images that fit into a request."""

import io
import itertools
from contextlib import suppress
from typing import TYPE_CHECKING

from kontext_cli.sizes import nearest_size

if TYPE_CHECKING:
    from PIL.Image import Image

_QUALITIES = (92, 85, 75, 60)
_SCALES = (1.0, 0.7, 0.5, 0.35, 0.25)
_MOST_PROFILE_BYTES = 2**16


def shrink(image: "Image", most_bytes: int) -> tuple[bytes, tuple[int, int]] | None:
    """An upright JPEG of the image in the size Kontext works in, with that size in pixels.

    None where no copy is small enough. The shape is kept, and nothing is enlarged; what is
    transparent becomes white.
    """
    try:
        profile = profile_of(image)
        flat = _fit(upright(in_plain_colours(image)))
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


def _fit(image: "Image") -> "Image":
    width, height = nearest_size(*image.size)
    scaled = _scaled(image, min(width / image.width, height / image.height, 1.0))
    return _on_white(scaled) if scaled.mode == "RGBA" else scaled


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
