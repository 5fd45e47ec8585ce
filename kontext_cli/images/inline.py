"""Images as bytes that a terminal can decode."""

import io
from typing import TYPE_CHECKING

from kontext_cli.images.decoding import sniff
from kontext_cli.images.shrinking import small_copy

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_BYTES = 4 * 2**20
_ORIENTATION = 0x0112
_QUALITY = 90


def inline_bytes(data: bytes, width: int, height: int) -> tuple[bytes, tuple[int, int]]:
    """An image as the bytes of a JPEG or PNG, and its upright size in pixels.

    An upright JPEG or PNG of at most 4 MiB is unchanged; of others it is a copy within ``width`` ×
    ``height``. Raises NotAnImage.
    """
    as_it_is = len(data) <= _MOST_BYTES and sniff(data) in {"jpeg", "png"} and _is_upright(data)
    copy, size = small_copy(data, *((1, 1) if as_it_is else (width, height)))
    return data if as_it_is else _encoded(copy), size


def _is_upright(data: bytes) -> bool:
    """Whether an image is stored as it is to be shown: not every terminal turns it."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            return bool(image.getexif().get(_ORIENTATION, 1) == 1)
    except Exception:  # damaged, in all or in its metadata
        return False


def _encoded(image: "Image") -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return stream.getvalue()
