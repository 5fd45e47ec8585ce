"""Tiles of the page: each entry with its thumbnail, made by a few threads at a time."""

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from kontext_cli.errors import InputFault, OutputFault
from kontext_cli.files.inputs import read_image_file
from kontext_cli.files.place import is_object, place
from kontext_cli.files.records import has_record
from kontext_cli.gallery.entries import Entry
from kontext_cli.gallery.links import link
from kontext_cli.gallery.thumbnails import Thumbnails
from kontext_cli.images.decoding import get_ready, sniff
from kontext_cli.images.reading import NotAnImage
from kontext_cli.job import Source

T = TypeVar("T")
U = TypeVar("U")

_MOST_THREADS = 4
_MOST_INPUTS = 64
"""Inputs of edits that are remembered: many edits of one image come in turn."""
_AHEAD = 4
"""Items per thread that are in memory at the same time."""


class Tile(NamedTuple):
    """An entry as the page shows it.

    ``size`` is in pixels, ``bytes`` is that of the file. ``thumbnail``, ``image`` and ``before``
    are URLs, empty for none; ``fault`` says why an image that should be there cannot be shown.
    ``has_record``: the file or its sidecar says how it was made.
    """

    entry: Entry
    size: tuple[int, int] | None = None
    bytes: int = 0
    thumbnail: str = ""
    image: str = ""
    before: str = ""
    fault: str = ""
    has_record: bool = False


def in_threads(work: Callable[[T], U], items: Iterable[T]) -> Iterator[U]:
    """The results of ``work`` in the order of the items, of which few are taken ahead."""
    get_ready()
    threads = min(_MOST_THREADS, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[U]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= threads * _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def fault_of(error: Exception) -> str:
    """Why an image file cannot be shown, in a few words."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, NotAnImage):
        return f"the file is {error.kind}"  # its text is not for those who see the page
    if isinstance(error, InputFault):  # of a store
        return error.message
    text = error.strerror if isinstance(error, OSError) else None
    return f"the file cannot be read: {text or error}"


class TileMaker:
    """Makes the tiles of one page; several threads are let in."""

    def __init__(self, page: Path, thumbnails: Thumbnails, *, inline: bool) -> None:
        self._folder = page.parent
        self._thumbnails = thumbnails
        self._inline = inline
        self._input = lru_cache(_MOST_INPUTS)(self._url_of)

    def tile(self, entry: Entry) -> Tile:
        """The tile of an entry. Raises OutputFault where a thumbnail cannot be written."""
        if entry.path is None:
            return Tile(entry)
        try:
            thumbnail = self._thumbnails.of(entry.path)
        except (OSError, ValueError, NotAnImage, InputFault) as error:
            return Tile(entry, fault=fault_of(error))
        return Tile(
            entry,
            size=thumbnail.size,
            bytes=thumbnail.bytes,
            thumbnail=thumbnail.url,
            image=self._link(entry.path),
            before=self._before(entry),
            has_record=has_record(entry.path),
        )

    def _link(self, path: Path) -> str:
        """The URL of an image; none of one that no browser opens."""
        return "" if self._inline or is_object(path) else link(path, self._folder)

    def _before(self, entry: Entry) -> str:
        """The URL of the first input image of an edit, if that is still what was sent."""
        job = entry.job
        if job is None or job.operation != "edit" or not job.sources:
            return ""
        return self._input(job.sources[0])

    def _url_of(self, source: Source) -> str:
        path = place(source.name)
        if source.sha256 is None or not path.is_absolute():
            return ""
        with suppress(OSError, ValueError, NotAnImage, InputFault, OutputFault):
            data = read_image_file(path)
            if hashlib.sha256(data).hexdigest() == source.sha256 and sniff(data):
                return self._link(path) or self._thumbnails.of(path).url
        return ""
