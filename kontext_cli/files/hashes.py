"""The SHA-256 of files, remembered for as long as a file keeps its size, times and inode."""

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple, Self

from kontext_cli.files import disk
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.part import PREFIX, SUFFIX
from kontext_cli.files.place import is_object, place
from kontext_cli.files.replacing import write_cached
from kontext_cli.files.saved import Condition
from kontext_cli.sizes import MOST_INPUT_BYTES

MOST_FILES = 100_000
"""Files of one cache: those asked for last."""
MOST_BYTES = 64 * 2**20
"""Of all caches together, but for the one in use: those used last."""

_TICK = 2_000_000_000
"""Nanoseconds: the coarsest file times are those of FAT."""
_CHUNK = 2**20
_FEW = 16
"""Files that are hashed before threads would have started."""
_MOST_THREADS = 8
_PIECE = 32
"""Files that a thread takes at once."""
_KIND = "kontext hashes 2"
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class _Known(NamedTuple):
    """A hash, and what the file or the object was when it was read; times in nanoseconds."""

    size: int
    modified: int
    changed: int
    inode: int
    etag: str
    sha256: str


class Hashes:
    """Hashes files, and remembers the hashes in a cache that may be removed at any time.

    A context manager, which writes the cache at its end; processes may share one. A file that was
    modified so shortly before it was read that its time would be the same if it was modified again
    is not remembered.
    """

    def __init__(
        self, folder: Path | None, name: str, *, clock: Callable[[], int] = time.time_ns
    ) -> None:
        """``folder`` has one cache for each ``name``; without a folder, nothing is remembered.

        ``clock`` returns the time in nanoseconds.
        """
        mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        self._path = folder and folder / f"{mark[:16]}.json"
        self._clock = clock
        self._known = _read(self._path) if self._path else {}
        self._asked: dict[str, None] = {}
        self._unsafe: set[str] = set()
        self._is_new = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._path is not None:
            with suppress(OSError):
                self._save(self._path)

    def read(self, files: Iterable[tuple[str, int | None]]) -> None:
        """Hash many files in threads: those that can be read, and are not known.

        Each is an absolute path with the size that the file should have: one of another size is not
        read.
        """
        unknown = [path for path, size in dict(files).items() if self._is_unknown(path, size)]
        read_at = self._clock()
        for path, known in _in_threads(unknown):
            self._add(path, known, read_at)

    def sha256(self, path: str | Path) -> str:
        """The hash of a regular file or an object, in hexadecimal digits.

        Raises OSError; for an object also NotAnImage and OutputFault.
        """
        name = os.fspath(path)
        if is_object(name):
            return self._of_object(name)
        return self._of(name, os.stat(name))  # noqa: PTH116  # a Path takes long to make

    def condition(self, path: str, *, size: int, sha256: str) -> Condition:
        """Whether a file is what it was when it had this size and hash.

        Raises OSError where it cannot be read.
        """
        try:
            found = os.stat(path)  # noqa: PTH116
            if found.st_size != size or not S_ISREG(found.st_mode):
                return "edited"
            return "untouched" if self._of(path, found) == sha256 else "edited"
        except (FileNotFoundError, NotADirectoryError):
            return "missing"

    def _of(self, path: str, found: os.stat_result) -> str:
        known = self._known.get(path)
        if known is None or known[:-1] != _identity(found):
            read_at = self._clock()
            known = _hashed(path)
            self._add(path, known, read_at)
        self._asked[path] = None
        return known.sha256

    def _of_object(self, url: str) -> str:
        """The hash of an object, which is read again only where it has another etag."""
        at = destination_of(url)
        found = at.stamp(url)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "there is no such object")
        known = self._known.get(url)
        if known is None or not found.etag or known[:-1] != (found.size, 0, 0, 0, found.etag):
            content = at.read(place(url), most=MOST_INPUT_BYTES)
            digest = hashlib.sha256(content).hexdigest()
            known = _Known(found.size, 0, 0, 0, found.etag, digest)
            self._add(url, known, self._clock())
        self._asked[url] = None
        return known.sha256

    def _is_unknown(self, path: str, size: int | None) -> bool:
        """Whether a file has the size that it should have, and no known hash."""
        try:
            found = os.stat(path)  # noqa: PTH116
        except (OSError, ValueError):
            return False
        known = self._known.get(path)
        if known is not None and known[:-1] == _identity(found):
            return False
        return size is None or size == found.st_size

    def _add(self, path: str, known: _Known, read_at: int) -> None:
        self._known[path] = known
        if max(known.modified, known.changed) > read_at - _TICK:
            self._unsafe.add(path)
        else:
            self._unsafe.discard(path)
            self._is_new = True

    def _save(self, path: Path) -> None:
        """Write what is new, together with what others have written meanwhile."""
        if not self._is_new:
            os.utime(path)
            return
        disk.make_private_folder(path.parent)
        known = {**_read(path), **self._known}
        for each in self._asked:  # to the end
            known[each] = known.pop(each)
        for each in self._unsafe:
            del known[each]
        kept = islice(known.items(), max(len(known) - MOST_FILES, 0), None)
        write_cached(path, _encoded(dict(kept)))
        _tidy(path)


def _identity(found: os.stat_result) -> tuple[int, int, int, int, str]:
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, ""


def _hashed(path: str) -> _Known:
    """Read a file to its end. Raises OSError."""
    descriptor = os.open(path, _FLAGS)  # a pipe without a writer would block
    try:
        found = os.fstat(descriptor)
        if not S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        digest = hashlib.sha256()
        while chunk := os.read(descriptor, min(found.st_size + 1, _CHUNK)):
            digest.update(chunk)
    finally:
        os.close(descriptor)
    return _Known(*_identity(found), digest.hexdigest())


def _in_threads(paths: Sequence[str]) -> Iterator[tuple[str, _Known]]:
    """Hash many files; those that cannot be read are left out."""
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    if len(paths) < _FEW or threads == 1:
        yield from _hashed_all(paths)
        return
    from concurrent.futures import ThreadPoolExecutor

    pieces = [paths[start : start + _PIECE] for start in range(0, len(paths), _PIECE)]
    with ThreadPoolExecutor(threads) as pool:
        try:
            for found in pool.map(_hashed_all, pieces):
                yield from found
        finally:
            pool.shutdown(cancel_futures=True)


def _hashed_all(paths: Sequence[str]) -> list[tuple[str, _Known]]:
    found = []
    for path in paths:
        with suppress(OSError):
            found.append((path, _hashed(path)))
    return found


def _encoded(known: Mapping[str, _Known]) -> bytes:
    """A cache as it is written: its first line has the hash of all that follows."""
    body = json.dumps(known, separators=(",", ":")).encode()
    return f"{_KIND} {hashlib.sha256(body).hexdigest()}\n".encode() + body


def _read(path: Path) -> dict[str, _Known]:
    """What a cache holds: nothing where there is none, or where it is damaged or of another
    version."""
    with suppress(OSError):
        head, _, body = path.read_bytes().partition(b"\n")
        if head == f"{_KIND} {hashlib.sha256(body).hexdigest()}".encode():
            return {name: _Known(*values) for name, values in json.loads(body).items()}
    return {}


def _tidy(used: Path) -> None:
    """Remove what killed processes left, and the caches that were used longest ago."""
    for part in used.parent.glob(f"{PREFIX}*{SUFFIX}"):
        disk.remove_abandoned(part)
    others = [(path.stat(), path) for path in used.parent.glob("*.json") if path != used]
    others.sort(key=lambda each: each[0].st_mtime, reverse=True)
    total = 0
    for found, path in others:
        total += found.st_size
        if total > MOST_BYTES:
            path.unlink(missing_ok=True)
