"""Downloads in progress: a hidden part file, verified in full, then renamed."""

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import BinaryIO, Self

from kontext_cli.errors import BadMedia, WrongFormat
from kontext_cli.files import disk
from kontext_cli.files.destination import Stamp
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.faults import output_faults
from kontext_cli.files.names import fit_suffix
from kontext_cli.files.saved import VerifiedImage, file_of, verified
from kontext_cli.images.reading import NotAnImage, OtherKind
from kontext_cli.job import File
from kontext_cli.sizes import MOST_BYTES

PREFIX, SUFFIX = ".kontext-", ".part"


def prepare_folder(folder: Path) -> None:
    """Create a folder, remove part files of killed runs, and check that a file can be written.

    Raises OutputFault.
    """
    with output_faults(f"cannot write to `{folder}`"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileExistsError as error:
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder") from error
        for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
            disk.remove_abandoned(path)
    with PartFile.create(folder) as part:
        part.write(b"kontext")


class PartFile:
    """A download in progress under a hidden name; leaves nothing behind unless published.

    A context manager. Other runs do not sweep it while it is open. Its methods raise OutputFault
    for errors of the disk, and BadMedia or WrongFormat for what the provider sent.
    """

    def __init__(self, path: Path, descriptor: int, mode: int) -> None:
        self.size = 0
        self._path = path
        self._descriptor: int | None = descriptor
        self._mode = mode
        self._published = False
        # A cancelled task leaves the context while its worker thread may be publishing.
        self._lock = Lock()

    @classmethod
    def create(cls, folder: Path) -> Self:
        """A new, empty part file in the folder."""
        with output_faults(f"cannot write to `{folder}`"):
            return cls(*disk.create_locked(folder, PREFIX, SUFFIX))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock, suppress(OSError):
            self._close()
            if not self._published:
                self._path.unlink()

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self._path.parent

    def write(self, chunk: bytes) -> None:
        """Append to the file, up to MOST_BYTES in all."""
        if self.size + len(chunk) > MOST_BYTES:
            raise _bad(f"larger than {MOST_BYTES // 2**20} MiB")
        rest = memoryview(chunk)
        with self._writing():
            while rest:
                rest = rest[os.write(self._open, rest) :]
        self.size += len(chunk)

    def restart(self) -> None:
        """Discard what was written, before the download is retried."""
        with self._writing():
            os.ftruncate(self._open, 0)
            os.lseek(self._open, 0, os.SEEK_SET)
        self.size = 0

    def content(self) -> bytes:
        """All bytes so far."""
        with self._writing(), self.reading() as stream:
            return stream.read()

    def replace(self, image: VerifiedImage, content: bytes) -> VerifiedImage:
        """Put other bytes of the same image in place of those there are."""
        with self._lock:
            self.restart()
            self.write(content)
        return image._replace(bytes=len(content), sha256=sha256(content).hexdigest())

    @contextmanager
    def reading(self) -> Iterator[BinaryIO]:
        """The bytes so far, from the first one on; stays readable when the part file is closed."""
        with self._writing(), self._lock:
            descriptor = os.dup(self._open)
        with os.fdopen(descriptor, "rb") as stream:
            stream.seek(0)
            yield stream
            stream.seek(0, os.SEEK_END)  # the position is one with that of `write`

    def verify(self, expected_bytes: int | None = None) -> VerifiedImage:
        """Read the file back and decode it in full; ``expected_bytes`` is what was announced.

        Raises BadMedia for an image that is cut short or damaged, which another download may fix,
        and WrongFormat for a whole file that is no JPEG, PNG or WebP.
        """
        if expected_bytes is not None and self.size != expected_bytes:
            fault = "cut short" if self.size < expected_bytes else "longer than announced"
            raise _bad(f"{fault}: {self.size} bytes came, {expected_bytes} were announced")
        data = self.content()
        try:
            return verified(data)
        except OtherKind as error:
            message = f"the provider's file is not a JPEG, PNG or WebP, but {error.reason}"
            raise WrongFormat(message) from error
        except NotAnImage as error:
            raise _bad(error.reason) from error

    def publish(
        self,
        image: VerifiedImage,
        target: Path,
        *,
        overwrite: bool,
        replaces: Stamp | None = None,
    ) -> File:
        """Put the file under its final name, durably; returns the file with that name.

        The suffix fits the format of the image. No existing file is replaced, except the target
        with ``overwrite`` or, where it has the stamp ``replaces``: if its name was taken meanwhile,
        `-2`, `-3`… is appended, because the image is paid for.
        """
        final = fit_suffix(target, image.format)
        if final != target:
            overwrite, replaces = False, None
        at = destination_of(final)
        with output_faults(f"cannot write `{final}`"):
            final, stamp = at.publish(self, final, overwrite=overwrite, replaces=replaces)
        return file_of(final, image, stamp)

    def publish_as(self, target: Path, *, overwrite: bool) -> Path:
        """Rename the file, durably, to the target or, unless that is overwritten, to a free name
        like it; returns the name it has now."""
        with output_faults(f"cannot write `{target}`"), self._lock:
            disk.seal(self._open, self._mode)
            if not disk.CAN_MOVE_OPEN_FILES:
                self._close()
            if overwrite:
                self._path.replace(target)
            else:
                target = disk.move_to_free_name(self._path, target)
            self._published = True
            disk.sync_folder(target.parent)
            return target

    @property
    def _open(self) -> int:
        if self._descriptor is None:
            raise ValueError("the part file is closed")
        return self._descriptor

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _writing(self) -> AbstractContextManager[None]:
        return output_faults(f"cannot write to `{self._path.parent}`")


def _bad(reason: str) -> BadMedia:
    return BadMedia(f"the provider's file is {reason}")
