"""Thumbnails: kept in a folder beside the page and used again, or within the page."""

import base64
import errno
import hashlib
import os
import re
from pathlib import Path
from threading import Lock
from typing import NamedTuple, Protocol
from urllib.parse import quote

from kontext_cli.errors import OutputFault
from kontext_cli.files import disk
from kontext_cli.files.destination import Stamp
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.faults import output_faults
from kontext_cli.files.inputs import read_image_file, store_read
from kontext_cli.files.part import prepare_folder
from kontext_cli.files.place import is_object
from kontext_cli.files.replacing import write_cached
from kontext_cli.images.thumbnails import MARK, thumbnail

WIDTH, HEIGHT = 690, 480
"""The largest thumbnail, twice the size in which the page usually shows one. A JPEG that Kontext
made in 1:1, 16:9 or 21:9 is decoded at half its size for it, which takes a third of the time."""
LARGE = 1440, 1024
"""The largest image within a page that has few."""
_NAME = re.compile(r"([0-9a-f]{20})-(\d{1,6})x(\d{1,6})\.jpg")
_HEAD = 256


class Thumbnail(NamedTuple):
    """Where the page finds a thumbnail, and the sizes in pixels and in bytes of the image."""

    url: str
    size: tuple[int, int]
    bytes: int


class Thumbnails(Protocol):
    """Makes thumbnails; several threads are let in."""

    def of(self, path: Path) -> Thumbnail:
        """The thumbnail of an image file, or of an object.

        Raises as ``read_image_file``, and OutputFault where it cannot be written.
        """

    def finish(self) -> None:
        """The page is complete."""


class ThumbnailFolder:
    """A folder of thumbnails, named by path, size and time of the image, and by its pixels."""

    def __init__(self, folder: Path) -> None:
        """Raises OutputFault where the folder is a link, or cannot be read."""
        self._folder = folder
        self._is_ready = False
        self._lock = Lock()
        self._used: set[str] = set()
        with output_faults(f"cannot write to `{folder}`"):
            if os.path.lexists(folder) and not disk.is_inner_folder(folder):
                raise OutputFault(f"`{folder}` is a link or not a folder, and is left alone")
            names = os.listdir(folder) if folder.exists() else []  # noqa: PTH208
        self._there = {found[1]: found for name in names if (found := _NAME.fullmatch(name))}

    def of(self, path: Path) -> Thumbnail:
        """The thumbnail of an image file, made where there is none of the file as it is now."""
        stamp = _stamp(path)
        key = self._key(path, stamp)
        found = self._there.get(key)
        if found is not None and (self._folder / found[0]).stat().st_size:
            name, size = found[0], (int(found[2]), int(found[3]))
        else:
            data, size = thumbnail(read_image_file(path), WIDTH, HEIGHT)
            name = f"{key}-{size[0]}x{size[1]}.jpg"
            self._write(name, data)
        self._used.add(name)
        return Thumbnail(f"{quote(os.fsencode(self._folder.name))}/{name}", size, stamp.size)

    def finish(self) -> None:
        """Remove the thumbnails of ours that the page no longer shows."""
        for found in self._there.values():
            path = self._folder / found[0]
            if found[0] not in self._used and _is_ours(path):
                with output_faults(f"cannot remove `{path}`"):
                    path.unlink(missing_ok=True)

    def _key(self, path: Path, stamp: Stamp) -> str:
        """The same after the page was moved together with its images."""
        place = str(path) if is_object(path) else relative(path, self._folder.parent)
        when = stamp.etag or stamp.modified
        identity = f"{place}\0{stamp.size}\0{when}\0{WIDTH}x{HEIGHT}"
        return hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:20]

    def _write(self, name: str, data: bytes) -> None:
        with self._lock:
            if not self._is_ready:
                prepare_folder(self._folder)
                self._is_ready = True
        with output_faults(f"cannot write to `{self._folder}`"):
            write_cached(self._folder / name, data)


class EmbeddedThumbnails:
    """Thumbnails as data URLs."""

    def __init__(self, largest: tuple[int, int]) -> None:
        self._largest = largest

    def of(self, path: Path) -> Thumbnail:
        """The image file as a JPEG within the page."""
        content = read_image_file(path)
        data, size = thumbnail(content, *self._largest)
        url = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
        return Thumbnail(url, size, len(content))

    def finish(self) -> None:
        """Nothing lies outside of the page."""


def is_thumbnail(name: str) -> bool:
    """Whether a file is named like a thumbnail of ours."""
    return _NAME.fullmatch(name) is not None


def relative(path: Path, folder: Path) -> str:
    """The way from a folder to a file, as a browser goes it; the path itself on another drive."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return str(path)


def _stamp(path: Path) -> Stamp:
    with store_read():
        found = destination_of(path).stamp(path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    return found


def _is_ours(path: Path) -> bool:
    try:
        if path.is_symlink():
            return False
        with path.open("rb") as stream:
            return MARK.encode() in stream.read(_HEAD)
    except OSError:
        return False
