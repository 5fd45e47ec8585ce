"""The rows of prompts files, and their faults."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from kontext_cli.prompts.keys import Pair, checked, shown


class Row:
    """One row of a prompts file.

    ``line`` is its first line in ``file``, a name as it was typed; ``index`` is its number among
    the rows of all files. Both count from 1. ``prompt`` is None where the row sets none; ``others``
    has only the other keys that it sets, of which `images` is a tuple of strings as written.
    """

    __slots__ = ("file", "index", "line", "others", "prompt")

    def __init__(self, line: int, index: int, values: Mapping[str, Any], file: str = "") -> None:
        self.line = line
        self.index = line if index == line else index
        self.prompt: str | None = values.get("prompt")
        self.others: Mapping[str, Any] = _NONE  # a dictionary of its own takes 200 bytes
        if len(values) > (self.prompt is not None):
            self.others = {key: value for key, value in values.items() if key != "prompt"}
        self.file = file

    @property
    def values(self) -> dict[str, Any]:
        """All keys that the row sets."""
        return (
            {"prompt": self.prompt, **self.others} if self.prompt is not None else {**self.others}
        )


_NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in a line of a prompts file, counted from 1; ``id`` is that of the row."""

    line: int
    text: str
    file: str = ""
    id: str | None = None


class Rows:
    """Collects the rows of all files, and their faults; ids have to be unique."""

    def __init__(self) -> None:
        self.good: list[Row] = []
        self.faulty: list[Row] = []
        """With what is valid of them, so that all that is wrong with a row can be reported."""
        self.faults: list[Fault] = []
        self._count = 0
        self._file = ""
        self._ids: dict[str, int] = {}
        self._earlier: list[tuple[str, dict[str, int]]] = []

    def begin(self, file: str) -> None:
        """Begin a file; rows that are added belong to it."""
        if self._ids:
            self._earlier.append((self._file, self._ids))
        self._file, self._ids = file, {}

    def add(self, line: int, pairs: Iterable[Pair]) -> None:
        """Add a row with these keys and values, or its faults."""
        values, wrong = checked(pairs)
        row_id = values.get("id")
        if row_id is not None and (first := self._taken(row_id, line)):
            wrong.append(f"the id `{shown(row_id)}` is already used in {first}")
        if wrong:
            self.refuse(line, *wrong, row_id=row_id)
            self.faulty.append(Row(line, self._count, values, self._file))
        else:
            self._count += 1
            self.good.append(Row(line, self._count, values, self._file))

    def refuse(self, line: int, *wrong: str, row_id: str | None = None) -> None:
        """Add the faults of a row."""
        self._count += 1
        self.faults.extend(Fault(line, text, self._file, row_id) for text in wrong)

    def _taken(self, row_id: str, line: int) -> str | None:
        """Where an id was used before; None for the first row with it."""
        for file, ids in self._earlier:
            if row_id in ids:
                return f"{file}:{ids[row_id]}"
        first = self._ids.setdefault(row_id, line)
        return None if first == line else f"line {first}"


_LONGEST = 2**20  # bytes
_WIDEST_CHARACTER = 4
_END = re.compile("\r\n?|\n")


def split(text: str) -> Iterable[str]:
    """The lines with their ends: `\\n`, `\\r\\n` or `\\r`, and no other character."""
    # A StringIO would use four bytes per character.
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")


def count_ends(text: str, start: int, end: int) -> int:
    """The number of line ends between two positions of a text."""
    return sum(1 for _ in _END.finditer(text, start, end))


def lines(text: str, rows: Rows) -> Iterator[str]:
    """The lines with their ends; one of more than 1 MiB is a fault, and becomes blank."""
    for number, line in enumerate(split(text), start=1):
        if len(line) > _LONGEST // _WIDEST_CHARACTER and _size(line) > _LONGEST:
            rows.refuse(number, "the line is longer than 1 MiB")
            yield "\n"
        else:
            yield line


def _size(line: str) -> int:
    return len(line.rstrip("\r\n").encode())
