"""Sidecars: the record of an image in a file beside it."""

from contextlib import suppress
from pathlib import Path

from kontext_cli.files.names import sidecar_name
from kontext_cli.files.part import PartFile
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.metadata.record import MOST_RECORD, is_record, read_json


def sidecar_of(image: Path) -> Path:
    """The path of the sidecar of an image."""
    return Path(sidecar_name(str(image)))


def write_sidecar(image: Path, content: bytes, *, overwrite: bool, ours: bool) -> None:
    """Write the sidecar of a published image, as durably as that.

    One that is there is replaced with ``overwrite`` and, where it was ``ours`` that the image
    replaced, if it is a record. If the name was taken otherwise, `-2`, `-3`… is appended, because
    the image is paid for. Raises OutputFault.
    """
    path = sidecar_of(image)
    there = read_sidecar(image)
    if there == content:
        return
    may_replace = overwrite or (ours and there is not None and is_record(read_json(there)))
    with PartFile.create(path.parent) as part:
        part.write(content)
        part.publish_as(path, overwrite=may_replace)


def remove_sidecar(image: Path) -> None:
    """Remove the sidecar of an image that was removed, if it is a record."""
    there = read_sidecar(image)
    if there is not None and is_record(read_json(there)):
        with suppress(OSError):
            sidecar_of(image).unlink()


def read_sidecar(image: Path) -> bytes | None:
    """The content of the sidecar of an image; None where there is none that could be a record."""
    path = sidecar_of(image)
    with suppress(OSError, NotAnImage):
        return None if path.is_symlink() else read_regular(path, most=MOST_RECORD)
    return None
