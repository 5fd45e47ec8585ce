"""The rows of prompts files, and the faults in them."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kontext_cli.prompts.keys import Pair, checked, shown


@dataclass(frozen=True, slots=True)
class Row:
    """One wish of a prompts file.

    ``line`` is where it begins in its ``file``, the name as it was typed, and ``index`` its place
    among the rows of all files, both from 1. ``values`` has what the row says and no more;
    `images` is a tuple of texts as written.
    """

    line: int
    index: int
    values: Mapping[str, Any]
    file: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one line of a prompts file, counted from 1; ``id`` is that of the row."""

    line: int
    text: str
    file: str = ""
    id: str | None = None


class Rows:
    """The rows of all files read so far, the good ones and the number of all, and their ids."""

    def __init__(self) -> None:
        self.good: list[Row] = []
        self.faults: list[Fault] = []
        self._count = 0
        self._file = ""
        self._ids: dict[str, int] = {}
        self._earlier: list[tuple[str, dict[str, int]]] = []

    def begin(self, file: str) -> None:
        """The rows that follow are those of another file."""
        if self._ids:
            self._earlier.append((self._file, self._ids))
        self._file, self._ids = file, {}

    def add(self, line: int, pairs: Iterable[Pair]) -> None:
        """A row that says ``pairs``: kept if all of it is right."""
        values, wrong = checked(pairs)
        row_id = values.get("id")
        if row_id is not None and (first := self._taken(row_id, line)):
            wrong.append(f"the id `{shown(row_id)}` is that of {first} already")
        if wrong:
            self.refuse(line, *wrong, row_id=row_id)
        else:
            self._count += 1
            self.good.append(Row(line, self._count, values, self._file))

    def refuse(self, line: int, *wrong: str, row_id: str | None = None) -> None:
        """A row that cannot be used, and why."""
        self._count += 1
        self.faults.extend(Fault(line, text, self._file, row_id) for text in wrong)

    def _taken(self, row_id: str, line: int) -> str | None:
        """Where an id was given before; None where this is the first row with it."""
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
    # A StringIO would hold four bytes for each character.
    return io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8", newline="")


def count_ends(text: str, start: int, end: int) -> int:
    """How many lines end between two places of a text."""
    return sum(1 for _ in _END.finditer(text, start, end))


def lines(text: str, rows: Rows) -> Iterator[str]:
    """The lines with their ends; one of more than 1 MiB is refused, and blank from here on."""
    for number, line in enumerate(split(text), start=1):
        if len(line) > _LONGEST // _WIDEST_CHARACTER and _size(line) > _LONGEST:
            rows.refuse(number, "the line is longer than 1 MiB")
            yield "\n"
        else:
            yield line


def _size(line: str) -> int:
    return len(line.rstrip("\r\n").encode())
