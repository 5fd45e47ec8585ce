"""Files that are written whole and then take the place of what was there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kontext_cli.errors import NameTaken, OutputFault
from kontext_cli.files import disk
from kontext_cli.files.faults import output_faults
from kontext_cli.files.part import PREFIX, SUFFIX, prepare_folder

_HEAD = 4096


def refuse_foreign(path: Path, mark: bytes) -> None:
    """Refuse to replace what is not ours: a file without the mark in its first bytes.

    An empty file counts as ours. Raises NameTaken, and OutputFault for what is no file.
    """
    with output_faults(f"cannot write `{path}`"):
        if not os.path.lexists(path):
            return
        if path.is_dir():
            raise OutputFault(f"cannot write `{path}`: it is a folder")
        if disk.is_special(path):
            raise OutputFault(f"cannot write `{path}`: it is no regular file")
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    if head and mark not in head:
        raise NameTaken(
            f"`{path}` exists already, and was not made by `kontext gallery`",
            hint="choose another name with `-o`, or remove it",
        )


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file to be written, which gets its name when the block ends without an error.

    Its folder is created where it is missing. The file that has the name is replaced in one step;
    a link to it stays. Raises OutputFault.
    """
    target = Path(os.path.realpath(path))
    prepare_folder(target.parent)
    with output_faults(f"cannot write `{path}`"):
        part, descriptor, mode = disk.create_locked(target.parent, PREFIX, SUFFIX)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                disk.seal(stream.fileno(), mode)
                if disk.CAN_MOVE_OPEN_FILES:  # locked until it has its name
                    part.replace(target)
            if not disk.CAN_MOVE_OPEN_FILES:
                part.replace(target)
            disk.sync_folder(target.parent)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def write_cached(path: Path, data: bytes) -> None:
    """Write a file that can be made again: whole or not at all, but without waiting for the disk.

    Raises OSError.
    """
    part, descriptor, mode = disk.create_locked(path.parent, PREFIX, SUFFIX)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            disk.change_mode(descriptor, mode)
            stream.flush()
            if disk.CAN_MOVE_OPEN_FILES:
                part.replace(path)
        if not disk.CAN_MOVE_OPEN_FILES:
            part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
