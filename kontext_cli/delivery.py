"""Where a job's pictures go: files under their names, or standard output."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import gettempdir
from typing import BinaryIO, Protocol

from kontext_cli.errors import KontextError, OutputFault
from kontext_cli.failpoint import reached
from kontext_cli.job import File
from kontext_cli.names import fit_suffix
from kontext_cli.outputs import PartFile, Picture, existing_file


class Delivery(Protocol):
    """Takes over each verified picture; ``number`` counts a job's pictures from 1."""

    def folder(self, number: int) -> Path:
        """Where the part file of a picture is written."""

    def deliver(self, part: PartFile, picture: Picture, number: int) -> File | None:
        """Put the picture where it belongs; None where that is no file."""


class FileDelivery:
    """Each picture under its planned name."""

    def __init__(self, paths: Sequence[Path], *, overwrite: bool) -> None:
        self._paths = paths
        self._overwrite = overwrite

    def folder(self, number: int) -> Path:
        return self._path(number).parent

    def deliver(self, part: PartFile, picture: Picture, number: int) -> File:
        path = self._path(number)
        there = self._there_already(path, picture)
        if there is None:
            there = part.publish(picture, path, overwrite=self._overwrite)
            reached("renamed")
        return replace(there, number=number)

    def _there_already(self, path: Path, picture: Picture) -> File | None:
        """The very picture under its name: a run that was killed got as far as that."""
        path = fit_suffix(path, picture.format)
        try:
            file = existing_file(path) if path.is_file() and not path.is_symlink() else None
        except KontextError:
            return None
        return file if file and file.sha256 == picture.sha256 else None

    def _path(self, number: int) -> Path:
        """The planned path; a provider that sends more than was asked gets further numbers."""
        if number <= len(self._paths):
            return self._paths[number - 1]
        last = self._paths[-1]
        return last.with_name(f"{last.stem}-{number}{last.suffix}")


class StreamDelivery:
    """The bytes of the one picture to standard output, once they are known to be whole."""

    def __init__(self, stream: BinaryIO) -> None:
        """``stream`` is unbuffered, so that a reader that has gone is noticed here."""
        self._stream = stream

    def folder(self, number: int) -> Path:  # noqa: ARG002
        return Path(gettempdir())

    def deliver(self, part: PartFile, picture: Picture, number: int) -> None:  # noqa: ARG002
        try:
            with part.reading() as source:
                rest = memoryview(source.read())
            while rest:
                rest = rest[self._stream.write(rest) :]
        except OSError as error:
            reason = error.strerror or str(error)
            raise OutputFault(f"cannot write to standard output: {reason}") from None
