"""Input images, by their content or an https URL, ready for a request."""

import hashlib
import unicodedata
from base64 import b64encode
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.http.urls import is_url, unsigned
from kontext_cli.images.conversion import (
    Converted,
    Foreign,
    NotReadable,
    converted,
    decode_foreign,
    foreign_kind,
)
from kontext_cli.images.decoding import FORMATS, MOST_PIXELS, decode
from kontext_cli.images.reading import NotAnImage
from kontext_cli.images.structure import Format

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_SIDE = 14_142
_MOST_URL_BYTES = 8 * 2**10
_SHOWN = 80
_CONVERT = "convert it to JPEG, and give that"
# One letter is a drive, and `IMG-10:22.png` a file.


class InputImage(NamedTuple):
    """One input image, ready to be sent.

    ``source`` is as typed, ``-`` for standard input. It has either an https ``url``, or the
    ``content`` to send with its ``media_type`` and ``size`` (width, height). ``sha256`` is of the
    original bytes. ``notice`` informs the user that it was scaled down or converted.
    """

    source: str
    stem: str
    url: str | None = None
    content: bytes | None = None
    media_type: str | None = None
    sha256: str | None = None
    size: tuple[int, int] | None = None
    notice: str | None = None

    def __repr__(self) -> str:
        return f"InputImage({self.source!r})"

    @property
    def uri(self) -> str:
        """The image within a payload: its https URL, or its content as a data URI."""
        if self.content is None:
            return self.url or ""
        return f"data:{self.media_type};base64,{b64encode(self.content).decode()}"

    @property
    def base64(self) -> str:
        """The image within a payload: its https URL, or its content in plain base64."""
        return (self.url or "") if self.content is None else b64encode(self.content).decode()

    def uploaded(self, url: str) -> "InputImage":
        """The image after an upload: by its URL, without its content."""
        return self._replace(url=url, content=None)


def check_image(source: str, content: bytes) -> None:
    """Check that the content of a source is an image. Raises InputFault as `load_images` does."""
    name = _name(source)
    if kind := foreign_kind(content):
        _decode_foreign(name, content, kind)
    else:
        _decode(name, content)


def image_by_url(url: str) -> InputImage:
    """An image that the provider fetches. Raises UsageError for what is no https URL."""
    _check_url(url)
    return InputImage(source=url, stem=stem_of(url), url=url)


def _check_url(url: str) -> None:
    shown = _shown(url)
    scheme = url.partition(":")[0].lower()
    if scheme != "https":
        raise UsageError(
            f"`{shown}` is a `{scheme}:` URL, and providers fetch https only",
            hint="give an https URL, or download it and name the file",
        )
    if len(url.encode(errors="replace")) > _MOST_URL_BYTES:
        raise UsageError(f"the URL `{shown}` is longer than {_MOST_URL_BYTES // 1024} KiB")
    try:
        parts = urlsplit(url)
        is_sound = parts.port != 0 and bool(parts.hostname) and not any(map(_is_odd, url))
    except ValueError:
        is_sound = False
    if not is_sound:
        raise UsageError(
            f"`{shown}` is not a valid URL", hint="write spaces as `%20`, and check the host"
        )


def _shown(url: str) -> str:
    plain = unsigned(url)
    return plain if len(plain) <= _SHOWN else plain[:_SHOWN] + "…"


def _is_odd(char: str) -> bool:
    return unicodedata.category(char)[0] in "CZ"


def stem_of(source: str) -> str:
    """The part of a source that the names of its outputs can use."""
    if source == "-":
        return "stdin"
    if is_url(source):
        return PurePosixPath(unquote(urlsplit(source).path)).stem or "image"
    return Path(source).stem


def image_by_bytes(source: str, data: bytes, most: int, provider: str, limit: str) -> InputImage:
    """An image by its bytes: unchanged if it can be, else converted or scaled down.

    ``most`` bytes are enough; ``limit`` says whose limit that is. Raises InputFault for what is no
    complete image of a known format.
    """
    name = _name(source)
    if foreign := foreign_kind(data):
        image, sent = _converted(name, data, foreign)
        reason = f"{foreign}, which {provider} does not take"
    else:
        kind, image = _decode(name, data)
        sent = Converted(data, f"image/{kind}", image.size)
        reason = None
    if len(sent.content) > most:
        reason = reason or f"{_amount(len(data))}, more than {limit}"
        sent = _smaller(name, image, most, len(sent.content), limit)
    return InputImage(
        source=source,
        stem=stem_of(source),
        content=sent.content,
        media_type=sent.media_type,
        sha256=hashlib.sha256(data).hexdigest(),
        size=sent.size,
        notice=reason and f"{name} is {reason}; sent as {_described(sent)}",
    )


def _smaller(name: str, image: "Image", most: int, length: int, limit: str) -> Converted:
    from kontext_cli.images.shrinking import shrink

    smaller = shrink(image, most)
    if smaller is None:
        raise InputFault(
            f"{name} is {_amount(length)}, and no smaller copy fits what {limit}",
            hint="give its https URL instead",
        )
    return Converted(smaller[0], "image/jpeg", smaller[1])


def _described(sent: Converted) -> str:
    width, height = sent.size
    kind = sent.media_type.removeprefix("image/").upper()
    return f"{width}×{height} {kind}, {_amount(len(sent.content))}"


def _name(source: str) -> str:
    return "standard input" if source == "-" else f"`{source}`"


def _decode(name: str, data: bytes) -> "tuple[Format, Image]":
    try:
        return decode(data, formats=FORMATS, most_pixels=MOST_PIXELS, most_side=_MOST_SIDE)
    except NotAnImage as error:
        raise InputFault(
            f"{name} is {error.reason}", hint="give a complete JPEG, PNG, WebP or GIF"
        ) from error


def _decode_foreign(name: str, data: bytes, kind: Foreign) -> "Image":
    try:
        return decode_foreign(data, kind, most_pixels=MOST_PIXELS, most_side=_MOST_SIDE)
    except NotAnImage as error:
        raise InputFault(f"{name} is {error.reason}", hint=_CONVERT) from error
    except NotReadable as error:
        raise InputFault(f"{name} is {kind}, which cannot be read here", hint=error.hint) from error


def _converted(name: str, data: bytes, kind: Foreign) -> "tuple[Image, Converted]":
    image = _decode_foreign(name, data, kind)
    try:
        return image, converted(image)
    except NotAnImage as error:
        raise InputFault(f"{name} is {error.reason}", hint=_CONVERT) from error


def _amount(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"
