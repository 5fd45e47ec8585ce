"""Streams that take only a part of what is written to them."""

import os
from io import RawIOBase, TextIOWrapper
from typing import TYPE_CHECKING

import pytest

from kontext_cli.terminal.output import write

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Reluctant(RawIOBase):
    """Takes seven bytes at a time, as a terminal may where a signal interrupts the write."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer") -> int:
        part = bytes(data)[:7]
        self.taken += part
        return len(part)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_a_text_is_written_whole_without_buffers(encoding: str) -> None:
    """As with PYTHONUNBUFFERED: an image cut short takes in what is printed next."""
    raw = Reluctant()
    stream = TextIOWrapper(
        raw,  # type: ignore[type-var]
        encoding=encoding,
        errors="backslashreplace",
        newline="\n",
        write_through=True,
    )
    text = "灯台 and a lighthouse in fog\n" * 3
    assert write(stream, text) is None
    assert raw.taken == text.replace("\n", os.linesep).encode(encoding, "backslashreplace")
