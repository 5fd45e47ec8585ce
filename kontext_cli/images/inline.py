"""Image files as bytes that a terminal can decode."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from kontext_cli.images.decoding import sniff
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.images.shrinking import small_copy

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_BYTES = 4 * 2**20
_ORIENTATION = 0x0112
_QUALITY = 90


def inline_bytes(path: Path, width: int, height: int) -> tuple[bytes, tuple[int, int]]:
    """An image as the bytes of a JPEG or PNG, and its upright size in pixels.

    A JPEG or PNG of at most 4 MiB is unchanged; of others it is a copy within ``width`` ×
    ``height``. Raises OSError for what cannot be read, and NotAnImage.
    """
    data = _unchanged(path)
    copy, size = small_copy(path, *((width, height) if data is None else (1, 1)))
    return _encoded(copy) if data is None else data, size


def _unchanged(path: Path) -> bytes | None:
    """The bytes of an image that is small, JPEG or PNG, and upright; None for others."""
    try:
        data = read_regular(path, most=_MOST_BYTES)
    except NotAnImage:  # larger
        return None
    return data if sniff(data) in {"jpeg", "png"} and _is_upright(data) else None


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
