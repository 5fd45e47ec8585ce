"""Input images from a path, an https URL or standard input, ready for a request."""

import errno
import hashlib
import re
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple
from urllib.parse import unquote, urlsplit

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.http.urls import unsigned
from kontext_cli.images.conversion import (
    Converted,
    Foreign,
    NotReadable,
    converted,
    decode_foreign,
    foreign_kind,
)
from kontext_cli.images.decoding import FORMATS, MOST_PIXELS, decode
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.images.structure import Format
from kontext_cli.sizes import MOST_INPUT_BYTES

if TYPE_CHECKING:
    from PIL.Image import Image

_MOST_SIDE = 14_142
_MOST_URL_BYTES = 8 * 2**10
_SHOWN = 80
_CONVERT = "convert it to JPEG, and give that"
_WAYS_TO_READ = {
    errno.EINVAL: "pipe it in, and write `-` for it",
    errno.EISDIR: "add --each to make a job of each image in that folder",
}
# One letter is a drive, and `IMG-10:22.png` a file.
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://|(https?|data|file|ftp|blob):", re.IGNORECASE)


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


def load_images(
    sources: Sequence[str],
    *,
    inline_bytes: int,
    provider: str,
    stdin: Callable[[], BinaryIO],
) -> tuple[InputImage, ...]:
    """Read and check the input images of a request, in order.

    ``inline_bytes`` is what all local images together may take before base64; a larger one is
    made smaller. HEIC and AVIF images are converted. Raises UsageError for a source of no known
    kind, and InputFault, naming the first that fails, for what cannot be read or is no complete
    image of a known format.
    """
    if sources.count("-") > 1:
        raise UsageError("standard input can be one of the images only", hint="use `-` once")
    local = sum(not is_url(source) for source in sources)
    limit = f"{provider} takes inline" + (f" for each of {local} images" if local > 1 else "")
    return tuple(
        _remote(source)
        if is_url(source)
        else _inline(source, _read(source, stdin), inline_bytes // local, provider, limit)
        for source in sources
    )


def fingerprint(source: str, stdin: Callable[[], BinaryIO]) -> InputImage:
    """Identifies an input image: by a file's hash, with its content as it is, or by its URL.

    Raises as `load_images` does for what cannot be read; does not check that it is an image.
    """
    if is_url(source):
        return _remote(source)
    data = _read(source, stdin)
    digest = hashlib.sha256(data).hexdigest()
    return InputImage(source=source, stem=stem_of(source), content=data, sha256=digest)


def hashed_image(source: str, sha256_of: Callable[[str], str]) -> InputImage:
    """As `fingerprint`, without the content: ``sha256_of`` hashes a file, and raises OSError."""
    if is_url(source):
        return _remote(source)
    if source == "-":
        raise UsageError("an image from standard input cannot be compared with anything")
    with _reading(source):
        return InputImage(source=source, stem=stem_of(source), sha256=sha256_of(source))


def check_image(source: str, content: bytes) -> None:
    """Check that the content of a source is an image. Raises InputFault as `load_images` does."""
    name = _name(source)
    if kind := foreign_kind(content):
        _decode_foreign(name, content, kind)
    else:
        _decode(name, content)


def _remote(url: str) -> InputImage:
    _check_url(url)
    return InputImage(source=url, stem=stem_of(url), url=url)


def _read(source: str, stdin: Callable[[], BinaryIO]) -> bytes:
    if source == "-":
        return _read_stream(stdin())
    if not source:
        raise UsageError("an input image has an empty name", hint="name a file with `-i`")
    return _read_path(source)


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


def is_url(source: str) -> bool:
    """Whether an image is named by a URL, of whatever kind."""
    return _URL.match(source) is not None


def stem_of(source: str) -> str:
    """The part of a source that the names of its outputs can use."""
    if source == "-":
        return "stdin"
    if is_url(source):
        return PurePosixPath(unquote(urlsplit(source).path)).stem or "image"
    return Path(source).stem


def _read_path(source: str) -> bytes:
    with _reading(source):
        return read_regular(Path(source), most=MOST_INPUT_BYTES)


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Raise what goes wrong with a file as InputFault."""
    try:
        yield
    except NotAnImage as error:
        raise InputFault(f"`{source}` is {error.reason}") from error
    except OSError as error:
        reason = error.strerror or str(error)
        hint = _WAYS_TO_READ.get(error.errno or 0)
        raise InputFault(f"cannot read `{source}`: {reason}", hint=hint) from error
    except ValueError as error:  # a NUL in the name
        raise InputFault(f"cannot read `{source}`: no file has such a name") from error


def _read_stream(stream: BinaryIO) -> bytes:
    if stream.isatty():
        raise UsageError(
            "standard input is a terminal", hint="pipe an image in: `kontext edit -i - < FILE`"
        )
    data = bytearray()
    try:
        while len(data) <= MOST_INPUT_BYTES:
            chunk = stream.read(MOST_INPUT_BYTES + 1 - len(data))
            if not chunk:
                return bytes(data)
            data += chunk
    except OSError as error:
        raise InputFault(f"cannot read standard input: {error.strerror or error}") from error
    raise InputFault(f"standard input is larger than {MOST_INPUT_BYTES // 2**20} MiB")


def _inline(source: str, data: bytes, most: int, provider: str, limit: str) -> InputImage:
    """An image by its bytes: unchanged if it can be, else converted or scaled down.

    ``most`` bytes are enough; ``limit`` says whose limit that is.
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
