"""Which machine the file names of a job belong to, in a journal that several machines share."""

import os
import platform
import re
from contextlib import suppress
from pathlib import Path

from kontext_cli.errors import JournalFault
from kontext_cli.files import disk
from kontext_cli.files.place import is_object
from kontext_cli.job import File, Origin, Target

_FILE = "machine"
_ID = re.compile(r"[0-9a-f]{16}")


def origin_here(state_folder: Path) -> Origin:
    """This machine and working folder.

    A machine is known by a random name in its state folder, not by its host name: a container that
    is started again has the same host name, and none of the files. Raises JournalFault.
    """
    path = state_folder / _FILE
    try:
        disk.make_private_folder(state_folder)
        if not path.exists():
            _write_id(path)
        machine = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a file of kontext"
        raise JournalFault(
            f"cannot read or write `{path}`: {reason}",
            hint="name a folder that can be written in KONTEXT_STATE_DIR",
        ) from error
    if not _ID.fullmatch(machine):
        raise JournalFault(f"`{path}` is damaged", hint=f"remove `{path}`")
    return Origin(machine, platform.node() or "another machine", Path.cwd())


def is_elsewhere(target: Target | None, here: Origin | None) -> bool:
    """Whether the file names of a target belong to another machine."""
    origin = target.origin if target else None
    return origin is not None and here is not None and origin.machine != here.machine


def lacks_access(file: File, target: Target | None, here: Origin | None) -> bool:
    """Whether a saved file is on the disk of another machine."""
    return not is_object(file.path) and is_elsewhere(target, here)


def moved_here(target: Target, here: Origin | None) -> Target:
    """The target with the names that it has on this machine.

    Names that were relative to the working folder there are relative to the one here.
    """
    if not is_elsewhere(target, here) or target.origin is None or here is None:
        return target
    there = target.origin.folder
    paths = tuple(
        here.folder / path.relative_to(there)
        if not is_object(path) and path.is_relative_to(there)
        else path
        for path in target.paths
    )
    return target._replace(paths=paths, origin=here)


def _write_id(path: Path) -> None:
    """Write a new id, unless another process was first."""
    part, descriptor, _ = disk.create_locked(path.parent, f".{_FILE}-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"{os.urandom(8).hex()}\n")
            stream.flush()
            os.fsync(stream.fileno())
        with suppress(FileExistsError):
            disk.move_to_name(part, path)
    finally:
        part.unlink(missing_ok=True)
