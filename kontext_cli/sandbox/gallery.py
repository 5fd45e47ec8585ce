"""Pictures once drawn, as long as there is room; whoever comes later has them drawn again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock

_ROOM = 64 * 1024 * 1024


class Gallery:
    """Draws each picture once however many threads ask for it, and keeps the latest 64 MB."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pictures: OrderedDict[Hashable, Future[bytes]] = OrderedDict()
        self._size = 0

    def once(self, key: Hashable, draw: Callable[[], bytes]) -> bytes:
        """The picture of a key: from the gallery, from the thread that is at it, or drawn here."""
        with self._lock:
            picture = self._pictures.get(key)
            if picture is not None:
                self._pictures.move_to_end(key)
            else:
                mine = self._pictures[key] = Future()
        return picture.result() if picture is not None else self._drawn(key, mine, draw)

    def _drawn(self, key: Hashable, mine: Future[bytes], draw: Callable[[], bytes]) -> bytes:
        try:
            data = draw()
        except BaseException as error:
            with self._lock:
                del self._pictures[key]
            mine.set_exception(error)
            raise
        mine.set_result(data)
        with self._lock:
            self._size += len(data)
            self._make_room()
        return data

    def _make_room(self) -> None:
        for key, picture in list(self._pictures.items()):
            if self._size <= _ROOM:
                return
            if picture.done():
                self._size -= len(self._pictures.pop(key).result())
