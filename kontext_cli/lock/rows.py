"""The values in a lock."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

VERSION = 1

MADE_ID = re.compile("~[0-9a-f]{12}-[1-9][0-9]{0,8}")
"""The id in a lock of a row that has none."""


class LockedFile(NamedTuple):
    """An image of a row; its path is relative to the lock's folder, and does not leave it.

    Sizes are in bytes and pixels.
    """

    path: str
    sha256: str
    bytes: int
    width: int
    height: int


class LockedInput(NamedTuple):
    """An input image: its path relative to the lock's folder, or its URL without query and hash."""

    path: str
    sha256: str | None


class LockedRow(NamedTuple):
    """A row, the request that made its images, and these images.

    ``request`` is the digest of all that was asked for, ``prompt`` that of the prompt alone.
    ``options`` are those given, ``seed`` is the one that was sent. ``provider`` is the list that
    was asked for, not the one of them that made the images.
    """

    id: str
    request: str
    prompt: str
    options: Mapping[str, Any]
    inputs: tuple[LockedInput, ...]
    seed: int | None
    provider: str
    model: str
    files: tuple[LockedFile, ...] = ()


class Header(NamedTuple):
    """The first line: what the lock belongs to, and the flags that its rows inherit.

    ``prompts_file`` is a name in the lock's folder, None for `edit --each`. ``output_dir`` is
    relative to that folder.
    """

    prompts_file: str | None
    output_dir: str
    defaults: Mapping[str, Any] = MappingProxyType({})


class Line(NamedTuple):
    """A row, and the number of its line, counted from 1."""

    number: int
    row: LockedRow


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock as it was read. An id has several lines where branches with different ones were
    merged."""

    path: Path
    header: Header
    lines: Mapping[str, tuple[Line, ...]]

    @property
    def rows(self) -> Iterator[LockedRow]:
        """The rows of all lines."""
        return (line.row for lines in self.lines.values() for line in lines)


def made_id(digest: str, equal: int) -> str:
    """The id in a lock of a row that has none, after so many ``equal`` rows."""
    return f"~{digest[:12]}-{equal + 1}"
