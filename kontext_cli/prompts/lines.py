"""The lines of a prompts file: what ends one, and which is too long."""

import io
import re
from collections.abc import Iterable, Iterator

from kontext_cli.prompts.rows import Rows

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
