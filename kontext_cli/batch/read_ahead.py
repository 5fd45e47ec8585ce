"""Reads the input images of rows that are in a store before their turn, several at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from kontext_cli.errors import InputFault, OutputFault
from kontext_cli.images.inputs import InputImage
from kontext_cli.prompts import Row

_AT_ONCE = 16
"""Objects that are read at the same time, and in memory: a store answers each in some 50 ms."""


class ReadAhead:
    """Reads objects in threads; each is taken once.

    Where a store failed as often in a row as objects are read at the same time, it is not asked for
    more of them: each may take half a minute to fail.
    """

    def __init__(self, read: Callable[[str], InputImage]) -> None:
        self._read = read
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._begun: dict[str, Future[InputImage]] = {}
        self._failures = 0

    def rows(
        self, rows: Iterable[Row], sources_of: Callable[[Row], Sequence[str]]
    ) -> Iterator[Row]:
        """The rows in their order, with the objects of the next ones on their way."""
        waiting: deque[tuple[Row, Sequence[str]]] = deque()
        try:
            for row in rows:
                sources = sources_of(row)
                for source in sources:
                    if source not in self._begun:
                        self._begun[source] = self._pool.submit(self._try, source)
                waiting.append((row, sources))
                if len(waiting) > _AT_ONCE:
                    yield from self._turn(*waiting.popleft())
            for each in waiting:
                yield from self._turn(*each)
        finally:
            self._pool.shutdown(cancel_futures=True)

    def take(self, source: str) -> InputImage:
        """An image. Raises what reading it raised."""
        begun = self._begun.pop(source, None)
        return self._try(source) if begun is None else begun.result()

    def _try(self, source: str) -> InputImage:
        if self._failures > _AT_ONCE:
            raise InputFault(f"`{source}` was not read, since the store failed for those before")
        try:
            image = self._read(source)
        except InputFault as fault:
            self._failures += isinstance(fault.__cause__, OutputFault)
            raise
        self._failures = 0
        return image

    def _turn(self, row: Row, sources: Sequence[str]) -> Iterator[Row]:
        """A row, after whose turn its images are dropped, whether they were taken or not."""
        yield row
        for source in sources:
            self._begun.pop(source, None)
