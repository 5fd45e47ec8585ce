"""Reads locks, with the line of every fault. What cannot be read is left as it is."""

import re
import unicodedata
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from kontext_cli.errors import InputFault, LockFault
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.lock.fields import Wrong, decoded, header_of, is_header, row_of, version_of
from kontext_cli.lock.rows import VERSION, Header, Line, Lock, LockedRow
from kontext_cli.lock.writing import encode_row

MOST_BYTES = 2**30
"""About two million rows."""
_LONGEST = 2**20
_MOST_FAULTS = 20
_MOST_LINES = 64
"""Of one row: as many branches at once."""
_MARKER = re.compile(rb"(<<<<<<<|>>>>>>>|\|\|\|\|\|\|\||=======)( |$)")


def read_lock(path: Path) -> Lock:
    """Read a lock.

    Raises InputFault if it cannot be read, and LockFault with all that is wrong in it.
    """
    try:
        data = read_regular(path, most=MOST_BYTES)
    except OSError as error:
        raise InputFault(f"cannot read `{path}`: {error.strerror or error}") from error
    except NotAnImage as error:
        raise LockFault(f"`{path}` is {error.reason}") from error
    return parse_lock(data, path)


def parse_lock(data: bytes, path: Path) -> Lock:
    """Read the content of a lock, in any order of lines, with either kind of line ends.

    Raises LockFault.
    """
    return _Reader(path).read(data)


def check_belongs(lock: Lock, prompts_file: str | None) -> None:
    """Raises LockFault if the lock is not that of this prompts file, None for `edit --each`."""
    theirs = lock.header.prompts_file
    if theirs == prompts_file or (theirs and prompts_file and _nfc(theirs) == _nfc(prompts_file)):
        return
    of = f"of `{theirs}`" if theirs else "of `edit --each`"
    ours = f"of `{prompts_file}`" if prompts_file else "of `edit --each`"
    raise LockFault(
        f"`{lock.path}` is the lock {of}, not {ours}",
        hint="rename the prompts file, or the lock if its prompts file was renamed: its first "
        "line has the name",
    )


def check_row(row: LockedRow) -> None:
    """Raises LockFault for a row that could be written, and not be read again."""
    try:
        row_of(decoded(encode_row(row).encode(), most=_LONGEST))
    except Wrong as wrong:
        raise LockFault(str(wrong)) from None
    except UnicodeEncodeError:
        raise LockFault("it has a name that is not Unicode") from None


def _nfc(name: str) -> str:
    """A name in one normal form: some systems store, or list, it in the other."""
    return unicodedata.normalize("NFC", name)


class _Reader:
    """Collects the lines of a lock, and what is wrong with them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._headers: list[tuple[int, Header]] = []
        self._lines: dict[str, tuple[Line, ...]] = {}
        self._faults = _Faults()
        self._markers = _Faults()

    def read(self, data: bytes) -> Lock:
        for number, line in _split(data.removeprefix(BOM_UTF8)):
            if _MARKER.match(line):
                self._markers.add(str(number))
            else:
                self._add(number, line)
        header = self._header()
        self._raise_all()
        return Lock(self._path, header, self._lines)

    def _add(self, number: int, line: bytes) -> None:
        try:
            value = decoded(line, most=_LONGEST)
            if is_header(value):
                self._check_version(version_of(value))
                self._headers.append((number, header_of(value)))
                return
            self._add_row(number, row_of(value))
        except Wrong as wrong:
            self._faults.add(f"line {number}: {wrong}")

    def _add_row(self, number: int, row: LockedRow) -> None:
        before = self._lines.get(row.id, ())
        if len(before) == _MOST_LINES:
            raise Wrong(f"there are {_MOST_LINES} lines of its row already")
        if all(row != each.row for each in before):
            self._lines[row.id] = (*before, Line(number, row))

    def _check_version(self, version: int) -> None:
        if version != VERSION:
            raise LockFault(
                f"`{self._path}` was written by a newer version of kontext, and is left as it is",
                hint="update kontext: pip install -U kontext-cli",
            )

    def _header(self) -> Header:
        if not self._headers:
            self._faults.add("no line has `kontext_lock`, as the first one should")
            return Header(None, ".")
        (first, header), *others = self._headers
        for number, other in others:
            if other != header:
                self._faults.add(
                    f"lines {first} and {number} both describe the whole lock, and differ"
                )
        return header

    def _raise_all(self) -> None:
        if self._markers.count:
            numbers = ", ".join(self._markers.listed())
            raise LockFault(
                f"`{self._path}` has the marks of a merge conflict, in line {numbers}",
                hint="remove these lines and keep those of both sides; "
                f"`/{self._path.name} merge=union` in .gitattributes prevents it",
            )
        if self._faults.count:
            raise LockFault(
                f"`{self._path}` is no lock of kontext, or is damaged",
                hint=f"restore it: git checkout HEAD -- {self._path.name}",
                details=self._faults.listed(),
            )


class _Faults:
    """What is wrong: the first of it, and how much there is."""

    def __init__(self) -> None:
        self.count = 0
        self._first: list[str] = []

    def add(self, text: str) -> None:
        self.count += 1
        if self.count <= _MOST_FAULTS:
            self._first.append(text)

    def listed(self) -> list[str]:
        more = self.count - len(self._first)
        return [*self._first, f"and {more:,} more"] if more else self._first


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        text = line.removesuffix(b"\r")
        if text.strip():
            yield number, text
