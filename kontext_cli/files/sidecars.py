"""Sidecars: the record of an image in a file beside it."""

from contextlib import suppress
from pathlib import Path

from kontext_cli.files.destinations import destination_of
from kontext_cli.files.faults import output_faults
from kontext_cli.files.names import sidecar_name
from kontext_cli.files.part import PartFile
from kontext_cli.files.place import place
from kontext_cli.images.reading import NotAnImage
from kontext_cli.metadata.record import MOST_RECORD, is_record, read_json


def sidecar_of(image: Path) -> Path:
    """The path of the sidecar of an image."""
    return place(sidecar_name(str(image)))


def write_sidecar(image: Path, content: bytes, parts: Path, *, overwrite: bool, ours: bool) -> None:
    """Write the sidecar of a published image, as durably as that, by way of the folder ``parts``.

    One that is there is replaced with ``overwrite`` and, where it was ``ours`` that the image
    replaced, if it is a record. If the name was taken otherwise, `-2`, `-3`… is appended, because
    the image is paid for. Raises OutputFault.
    """
    path = sidecar_of(image)
    at = destination_of(path)
    stamp = None
    with suppress(OSError):
        stamp = at.stamp(path) if ours else None
    there = read_sidecar(image)
    if there == content:
        return
    is_ours = there is not None and is_record(read_json(there))
    with PartFile.create(parts) as part, output_faults(f"cannot write `{path}`"):
        part.write(content)
        at.publish(part, path, overwrite=overwrite, replaces=stamp if is_ours else None)


def remove_sidecar(image: Path) -> None:
    """Remove the sidecar of an image that was removed, if it is a record."""
    there = read_sidecar(image)
    if there is not None and is_record(read_json(there)):
        path = sidecar_of(image)
        with suppress(OSError):
            destination_of(path).remove(path)


def read_sidecar(image: Path) -> bytes | None:
    """The content of the sidecar of an image; None where there is none that could be a record."""
    path = sidecar_of(image)
    with suppress(OSError, NotAnImage):
        return None if path.is_symlink() else destination_of(path).read(path, most=MOST_RECORD)
    return None
