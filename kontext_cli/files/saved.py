"""Images on disk: verified, described, and compared with what was saved."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, cast

from kontext_cli.errors import BadMedia
from kontext_cli.files.destination import Stamp
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.faults import output_faults
from kontext_cli.files.place import is_object, place
from kontext_cli.images.reading import NotAnImage
from kontext_cli.job import File, FileFormat
from kontext_cli.sizes import MOST_BYTES, MOST_PIXELS

Condition = Literal["untouched", "edited", "missing"]


_FORMATS: tuple[FileFormat, ...] = ("jpeg", "png", "webp")


class VerifiedImage(NamedTuple):
    """An image that was decoded in full; sizes in pixels and bytes."""

    format: FileFormat
    width: int
    height: int
    bytes: int
    sha256: str


def existing_file(path: Path) -> File:
    """Verify and describe an existing image.

    Raises OutputFault where it cannot be read, BadMedia where it is no complete image.
    """
    try:
        with output_faults(f"cannot read `{path}`"):
            at = destination_of(path)
            data, stamp = at.read(path, most=MOST_BYTES), at.stamp(path)
        image = verified(data)
    except NotAnImage as error:
        raise BadMedia(
            f"`{path}` is there already, but is {error.reason}", hint="remove it, or rename it"
        ) from error
    return file_of(path, image, stamp)


def file_of(path: Path, image: VerifiedImage, stamp: Stamp | None = None) -> File:
    """A file that holds a verified image, and has this stamp."""
    return File(
        path=path,
        sha256=image.sha256,
        bytes=image.bytes,
        width=image.width,
        height=image.height,
        format=image.format,
        modified=stamp.modified if stamp else 0,
        etag=stamp.etag if stamp else "",
    )


def condition(file: File) -> Condition:
    """Whether a saved file was changed since: by its size and time or etag, else by its hash."""
    return condition_at(
        file.path,
        size=file.bytes,
        modified=file.modified,
        sha256=file.sha256,
        etag=file.etag,
    )


class Listed:
    """The stamps of objects whose folders were listed, once each: quicker than one by one."""

    def __init__(self) -> None:
        self._stamps: dict[str, Mapping[str, Stamp]] = {}

    def stamp(self, path: str) -> Stamp | None:
        """The stamp of an object as it was listed; None of files, and of what was not there."""
        if not is_object(path):
            return None
        folder, _, name = path.rpartition("/")
        if folder not in self._stamps:
            self._stamps[folder] = destination_of(folder).stamps(folder)
        return self._stamps[folder].get(name)


def condition_at(
    path: str | Path,
    *,
    size: int,
    modified: int,
    sha256: str,
    etag: str = "",
    listed: Listed | None = None,
) -> Condition:
    """The condition of the file of a path, by its size, time or etag, and hash when it was saved.

    What was ``listed`` is not asked for again. Raises OutputFault where a store does not say.
    """
    at = destination_of(path)
    try:
        found = (listed.stamp(str(path)) if listed else None) or at.stamp(path)
        if found is None:
            return "missing"
        if (found.size, found.modified, found.etag) == (size, modified, etag):
            return "untouched"
        data = at.read(place(str(path)), most=MOST_BYTES) if found.size == size else b""
    except (FileNotFoundError, NotADirectoryError):
        return "missing"
    except (OSError, NotAnImage):
        return "edited"
    return "untouched" if hashlib.sha256(data).hexdigest() == sha256 else "edited"


def verified(data: bytes) -> VerifiedImage:
    """Decode all data of an image and describe it. Raises NotAnImage."""
    from kontext_cli.images.decoding import prove

    kind, (width, height) = prove(data, formats=_FORMATS, most_pixels=MOST_PIXELS)
    return VerifiedImage(
        format=cast("FileFormat", kind),
        width=width,
        height=height,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
