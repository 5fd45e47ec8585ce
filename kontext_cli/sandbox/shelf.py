"""Bytes by name: in memory, or in a folder where a later process finds them."""

import os
import time
from collections import OrderedDict
from pathlib import Path

from kontext_cli.errors import OutputFault
from kontext_cli.files import disk

_ROOM = 256 * 1024 * 1024
_KEPT_SECONDS = 7 * 24 * 3600


class Shelf:
    """A place for uploads and, with a folder, for jobs; what is oldest goes first."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises OutputFault where something else has the name of the folder."""
        self.folder = folder
        self._files: OrderedDict[str, bytes] = OrderedDict()
        if folder is not None:
            disk.make_private_folder(folder.parent)
            disk.make_inner_folder(folder, OutputFault)
            _sweep(folder)

    def put(self, name: str, data: bytes) -> None:
        """Keep bytes under a name; the caller makes sure that names are plain."""
        if self.folder is not None:
            _write(self.folder / name, data)
            return
        self._files[name] = data
        while len(self._files) > 1 and sum(map(len, self._files.values())) > _ROOM:
            self._files.popitem(last=False)

    def get(self, name: str) -> bytes | None:
        """The bytes of a name, None where there are none any more."""
        if self.folder is None:
            return self._files.get(name)
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.unlink(missing_ok=True)
    with os.fdopen(disk.create_private(part)[0], "wb") as file:
        file.write(data)
    part.replace(path)


def _sweep(folder: Path) -> None:
    limit = time.time() - _KEPT_SECONDS
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < limit:
            path.unlink(missing_ok=True)
