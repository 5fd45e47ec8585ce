"""The lines of a prompts file: what ends one, and which is too long."""

import io
from collections.abc import Iterable, Iterator

from kontext_cli.prompts.rows import Rows

_LONGEST = 2**20  # bytes
_WIDEST_CHARACTER = 4


def split(text: str) -> Iterable[str]:
    """The lines with their ends: `\\n`, `\\r\\n` or `\\r`, and no other character."""
    return io.StringIO(text, newline="")


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
