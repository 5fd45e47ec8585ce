"""Where the images of a job are written: files, standard output, a device or a pipe."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from kontext_cli.errors import KontextError, OutputFault
from kontext_cli.failpoint import reached
from kontext_cli.files import disk
from kontext_cli.files.destination import Stamp
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.faults import output_faults
from kontext_cli.files.names import fit_suffix
from kontext_cli.files.part import PartFile, prepare_folder
from kontext_cli.files.place import is_object
from kontext_cli.files.saved import VerifiedImage, condition, existing_file, file_of
from kontext_cli.job import File, FileFormat, Target
from kontext_cli.options import Metadata


class Delivery(Protocol):
    """Receives each verified image; ``number`` counts a job's images from 1.

    The images are to carry ``metadata``; with ``sidecar``, the same lies beside them.
    """

    metadata: Metadata
    sidecar: bool

    def folder(self, number: int) -> Path:
        """Where the part file of an image is written."""

    def deliver(
        self, part: PartFile, image: VerifiedImage, number: int, beside: bytes | None = None
    ) -> File | None:
        """Write the image to its destination; None where that is not a file. ``beside`` is the
        content of its sidecar."""

    @property
    def has_sidecars(self) -> bool:
        """Whether a file can lie beside its images."""

    @property
    def is_local(self) -> bool:
        """Whether its images lie in the folders of their part files."""


class FileDelivery:
    """Each image under its planned name.

    A file among ``replaces`` is replaced, unless it was changed since it was saved.
    """

    has_sidecars = True

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        overwrite: bool,
        replaces: Sequence[File] = (),
        metadata: Metadata = "off",
        sidecar: bool = False,
        scratch: Path | None = None,
    ) -> None:
        """``scratch`` is the folder of the part files of images that go to a store."""
        self.metadata: Metadata = metadata
        self.sidecar = sidecar
        self._paths = paths
        self._scratch = scratch
        self._overwrite = overwrite
        self._replaces = {file.path: file for file in replaces}

    @property
    def is_local(self) -> bool:
        return not any(map(is_object, self._paths))

    def folder(self, number: int) -> Path:
        return _folder_of_parts(self._path(number).parent, self._scratch)

    def deliver(
        self, part: PartFile, image: VerifiedImage, number: int, beside: bytes | None = None
    ) -> File:
        path = self._path(number)
        fitting = fit_suffix(path, image.format)
        there = self._there_already(fitting, image)
        replaces = self._replaceable(fitting) if there is None else None
        may_replace = replaces is not None
        if there is None:
            target = fitting if may_replace else path
            there = part.publish(image, target, overwrite=self._overwrite, replaces=replaces)
            reached("renamed")
        if beside is not None:
            from kontext_cli.files.sidecars import write_sidecar

            write_sidecar(
                there.path, beside, part.folder, overwrite=self._overwrite, ours=may_replace
            )
        return there._replace(number=number)

    def _replaceable(self, path: Path) -> Stamp | None:
        """The stamp of what is there, if it is ours to replace."""
        earlier = self._replaces.get(path)
        if earlier is None:
            return None
        with suppress(OSError):
            stamp = destination_of(path).stamp(path)  # first: it may change meanwhile
            return stamp if condition(earlier) == "untouched" else None
        return None

    def _there_already(self, path: Path, image: VerifiedImage) -> File | None:
        """The same image under its name already: saved by a run that was killed afterwards."""
        try:
            file = self._existing(path, image)
        except KontextError:
            return None
        if file is None or file.sha256 != image.sha256:
            return None
        if not is_object(path):
            with output_faults(f"cannot write `{path}`"):
                disk.sync_folder(path.parent)  # the killed run may not have done it
        return file

    def _existing(self, path: Path, image: VerifiedImage) -> File | None:
        """The image that has this name; in a store only if it is as large, as it is downloaded."""
        if is_object(path):
            stamp = destination_of(path).stamp(path)
            return existing_file(path) if stamp and stamp.size == image.bytes else None
        return existing_file(path) if path.is_file() and not path.is_symlink() else None

    def _path(self, number: int) -> Path:
        """The planned path; a provider that sends more than was asked gets further numbers."""
        if number <= len(self._paths):
            return self._paths[number - 1]
        last = self._paths[-1]
        return last.with_name(f"{last.stem}-{number}{last.suffix}")


def file_delivery(
    target: Target, proven: set[Path] | None = None, *, scratch: Path | None = None
) -> FileDelivery:
    """The delivery to a job's files; creates their folders and checks that they are writable.

    Folders in ``proven`` were checked before. Images that go to a store are verified in
    ``scratch``.

    Raises OutputFault.
    """
    proven = set() if proven is None else proven
    for folder in {path.parent for path in target.paths} - proven:
        prepare_folder(_folder_of_parts(folder, scratch))
        destination_of(folder).prove(folder)
        proven.add(folder)
    return FileDelivery(
        target.paths,
        overwrite=target.overwrite,
        replaces=target.replaces,
        metadata=target.metadata,
        sidecar=target.sidecar,
        scratch=scratch,
    )


def _folder_of_parts(folder: Path, scratch: Path | None) -> Path:
    """Where the part files of images are that go to a folder or a store."""
    if not is_object(folder):
        return folder
    if scratch is None:
        raise AssertionError("there is no folder to verify images in")
    return scratch


def remove_replaced(replaced: Sequence[File], now: Sequence[File]) -> None:
    """Remove untouched earlier images and their sidecars, unless new ones have the same names."""
    from kontext_cli.files.sidecars import remove_sidecar

    kept = {file.path for file in now}
    for file in replaced:
        if file.path not in kept and _is_untouched(file):
            with suppress(OSError, OutputFault):
                destination_of(file.path).remove(file.path)
                remove_sidecar(file.path)


def _is_untouched(file: File) -> bool:
    try:
        return condition(file) == "untouched"
    except OutputFault:  # a store that cannot be reached now
        return False


class StreamDelivery:
    """Writes the only image of a job to a stream once it is verified.

    ``format`` is that of the image after it was written.
    """

    has_sidecars = sidecar = is_local = False

    def __init__(
        self,
        stream: BinaryIO,
        folder: Path,
        *,
        path: Path | None = None,
        metadata: Metadata = "off",
    ) -> None:
        """``stream`` is unbuffered, so that a closed reader is noticed here; ``path`` is its name,
        None for standard output. The part file is in ``folder``. Raises OutputFault where that
        cannot be written."""
        prepare_folder(folder)
        self.metadata: Metadata = metadata
        self._stream = stream
        self._folder = folder
        self._path = path
        self.format: FileFormat | None = None

    def folder(self, number: int) -> Path:  # noqa: ARG002
        return self._folder

    def deliver(
        self,
        part: PartFile,
        image: VerifiedImage,
        number: int,
        beside: bytes | None = None,  # noqa: ARG002
    ) -> File | None:
        with _writing_to(self._path):
            rest = memoryview(part.content())
            while rest:
                rest = rest[self._stream.write(rest) :]
        self.format = image.format
        return file_of(self._path, image)._replace(number=number) if self._path else None


def open_special(path: Path) -> BinaryIO:
    """A device or a pipe, open for writing, unbuffered. Raises OutputFault."""
    with _writing_to(path):
        return os.fdopen(disk.open_special(path), "wb", buffering=0)


@contextmanager
def _writing_to(path: Path | None) -> Iterator[None]:
    """Raise the system's errors as OutputFault; None is standard output."""
    try:
        yield
    except OSError as error:
        name = f"`{path}`" if path else "standard output"
        if error.errno == errno.ENXIO:
            reason, hint = "nobody reads from it", "start its reader first"
        else:
            reason, hint = error.strerror or str(error), None
        raise OutputFault(f"cannot write to {name}: {reason}", hint=hint) from None
