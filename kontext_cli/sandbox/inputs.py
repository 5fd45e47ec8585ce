"""The input images of an edit: data URIs decoded, uploads looked up, other URLs stood in for."""

import base64
import re
from contextlib import suppress
from io import BytesIO
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from kontext_cli.sandbox.drawing import image
from kontext_cli.sandbox.failures import NoImage, typed, unreadable
from kontext_cli.sandbox.shelf import Shelf

_DATA_URI = re.compile(r"data:[^,]*?(;base64)?,(.*)", re.DOTALL)
_UPLOAD = re.compile(r"/files/uploads/([0-9a-f]{32})/.*|/.*v1/files/([0-9a-f]{32})")


def read(source: str, shelf: Shelf) -> bytes:
    """The bytes of an input image; NoImage where there are none. Nothing is fetched."""
    if source.startswith("data:"):
        return _checked(_decoded(source), source)
    upload = _UPLOAD.fullmatch(_path(source))
    kept = shelf.get(upload[1] or upload[2]) if upload else None
    return image.placeholder(source) if kept is None else _checked(kept, source)


def shape(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of an input image as it is seen, upright."""
    with Image.open(BytesIO(data)) as opened:
        return ImageOps.exif_transpose(opened).size


def _path(source: str) -> str:
    with suppress(ValueError):
        url = urlsplit(source)
        if url.scheme in {"http", "https"} and url.netloc:
            return url.path
    message = "Failed to download the file. Please check if the URL is accessible."
    raise NoImage(typed(422, "file_download_error", message, field_name="image_url", value=source))


def _decoded(source: str) -> bytes:
    match = _DATA_URI.fullmatch(source)
    if match is None or not match[1]:
        raise NoImage(unreadable(source))
    try:
        return base64.b64decode(match[2], validate=True)
    except ValueError as error:
        raise NoImage(unreadable(source)) from error


def _checked(data: bytes, source: str) -> bytes:
    try:
        with Image.open(BytesIO(data)) as opened:
            opened.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoImage(unreadable(source)) from error
    return data
