"""The folders of this machine, and which destination a name belongs to."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from kontext_cli.files.destination import Destination, Part, Stamp
from kontext_cli.files.place import is_object
from kontext_cli.images.reading import read_regular


class Folders:
    """Folders of this machine."""

    def prove(self, folder: Path) -> None:
        """Nothing: its part files have proven it."""

    def exists(self, name: str) -> bool:
        return os.path.lexists(name)

    def names(self, folder: str) -> Iterable[str] | None:
        with suppress(OSError):
            return os.listdir(folder or os.curdir)  # noqa: PTH208
        return None if os.path.lexists(folder) else ()

    def stamp(self, name: str | Path) -> Stamp | None:
        try:
            found = os.stat(name)  # noqa: PTH116  # a path takes long to make
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Stamp(found.st_size, found.st_mtime_ns)

    def stamps(self, folder: str) -> Mapping[str, Stamp]:  # noqa: ARG002
        return {}

    def read(self, path: Path, *, most: int) -> bytes:
        return read_regular(path, most=most)

    def publish(
        self, part: Part, target: Path, *, overwrite: bool, replaces: Stamp | None = None
    ) -> tuple[Path, Stamp]:
        final = part.publish_as(target, overwrite=overwrite or replaces is not None)
        found = final.stat()
        return final, Stamp(found.st_size, found.st_mtime_ns)

    def remove(self, path: Path) -> None:
        path.unlink()


FOLDERS = Folders()


def destination_of(name: str | Path) -> Destination:
    """Where a file of this name lies. Raises UsageError where the library for a store is missing,
    or a setting of it is wrong."""
    if not is_object(name):
        return FOLDERS
    from kontext_cli.files.store import store_of

    return store_of(str(name))
