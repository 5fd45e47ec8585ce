"""Reads input images: from files, objects in a store, or standard input."""

import errno
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kontext_cli.errors import InputFault, OutputFault, UsageError
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.place import is_object, typed_object
from kontext_cli.http.urls import is_url
from kontext_cli.images.inputs import InputImage, image_by_bytes, image_by_url, stem_of
from kontext_cli.images.reading import NotAnImage
from kontext_cli.sizes import MOST_INPUT_BYTES

_MOST_FILE_BYTES = 256 * 2**20
_HINTS = {
    errno.EINVAL: "pipe it in, and write `-` for it",
    errno.EISDIR: "add --each to make a job of each image in that folder",
}
_NO_HINTS: Mapping[int, str] = {}


def load_images(
    sources: Sequence[str],
    *,
    inline_bytes: int,
    provider: str,
    stdin: Callable[[], BinaryIO],
) -> tuple[InputImage, ...]:
    """Read and check the input images of a request, in order.

    ``inline_bytes`` is what all images that are read here may take together before base64; a
    larger one is made smaller. HEIC and AVIF images are converted. Raises UsageError for a source
    of no known kind, and InputFault, naming the first that fails, for what cannot be read or is no
    complete image of a known format.
    """
    if sources.count("-") > 1:
        raise UsageError("standard input can be one of the images only", hint="use `-` once")
    local = sum(not is_fetched(source) for source in sources)
    limit = f"{provider} takes inline" + (f" for each of {local} images" if local > 1 else "")
    return tuple(
        image_by_url(source)
        if is_fetched(source)
        else image_by_bytes(source, _read(source, stdin), inline_bytes // local, provider, limit)
        for source in sources
    )


def fingerprint(source: str, stdin: Callable[[], BinaryIO]) -> InputImage:
    """Identifies an input image: by a file's hash, with its content as it is, or by its URL.

    Raises as `load_images` does for what cannot be read; does not check that it is an image.
    """
    if is_fetched(source):
        return image_by_url(source)
    data = _read(source, stdin)
    digest = hashlib.sha256(data).hexdigest()
    return InputImage(source=source, stem=stem_of(source), content=data, sha256=digest)


def hashed_image(source: str, sha256_of: Callable[[str], str]) -> InputImage:
    """As `fingerprint`, without the content: ``sha256_of`` hashes a file, and raises OSError."""
    if is_fetched(source):
        return image_by_url(source)
    if source == "-":
        raise UsageError("an image from standard input cannot be compared with anything")
    path = typed_image(source)
    with reading(source, _HINTS):
        return InputImage(source=source, stem=stem_of(source), sha256=sha256_of(str(path)))


def is_fetched(source: str) -> bool:
    """Whether an image is named by a URL, which the provider fetches: its content is not known."""
    return is_url(source) and not is_object(source)


def typed_image(name: str) -> Path:
    """The path of an image file, or of an object. Raises UsageError."""
    return typed_object(name) if is_object(name) else Path(name)


def read_image_file(path: Path) -> bytes:
    """The content of an image file, or of an object, of at most 256 MiB.

    Raises OSError, ValueError and NotAnImage, and InputFault where a store fails.
    """
    with store_read():
        return destination_of(path).read(path, most=_MOST_FILE_BYTES)


@contextmanager
def store_read() -> Iterator[None]:
    """Raise what goes wrong with a store, or with how it was set up, as InputFault."""
    try:
        yield
    except (OutputFault, UsageError) as fault:
        raise InputFault(fault.message, hint=fault.hint) from fault


@contextmanager
def reading(source: str | Path, hints: Mapping[int, str] = _NO_HINTS) -> Iterator[None]:
    """Raise what goes wrong with a file or an object as InputFault.

    ``hints`` say what to do about an error number.
    """
    try:
        with store_read():
            yield
    except NotAnImage as error:
        raise InputFault(f"`{source}` is {error.reason}") from error
    except OSError as error:
        reason, hint = error.strerror or error, hints.get(error.errno or 0)
        raise InputFault(f"cannot read `{source}`: {reason}", hint=hint) from error
    except ValueError as error:  # a NUL in the name
        raise InputFault(f"cannot read `{source}`: no file has such a name") from error


def _read(source: str, stdin: Callable[[], BinaryIO]) -> bytes:
    if source == "-":
        return _read_stream(stdin())
    if not source:
        raise UsageError("an input image has an empty name", hint="name a file with `-i`")
    path = typed_image(source)
    with reading(source, _HINTS):
        return destination_of(path).read(path, most=MOST_INPUT_BYTES)


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
