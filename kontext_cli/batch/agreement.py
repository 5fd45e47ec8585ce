"""Compares the rows of a prompts file, and the images on disk, with what their lock says."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from kontext_cli.batch.entry import Entry
from kontext_cli.batch.locked_row import check_ids, lock_id, row_now
from kontext_cli.batch.remembered import input_names, lines_by_input
from kontext_cli.errors import InputFault, LockFault
from kontext_cli.files.hashes import Hashes
from kontext_cli.files.saved import Condition
from kontext_cli.lock import Line, Lock, LockedFile, LockedRow, Places, changes, choose
from kontext_cli.prompts import Row

Kind = Literal[
    "new",
    "prompt changed",
    "option changed",
    "input changed",
    "missing",
    "edited by hand",
    "left over",
]

_KINDS: Mapping[str, Kind] = {"prompt": "prompt changed", "images": "input changed"}


class Difference(NamedTuple):
    """One difference between a row, its line in the lock, and its images.

    ``id`` is that in the lock, or the input image of `edit --each`; ``option`` is the name of the
    one that changed. ``files`` are named as in the lock. ``row`` is None where only the lock has
    the row, ``line`` where only the prompts file has it. ``is_edited``: somebody edited an image of
    a row that both have; ``has_others``: the row has images that are as they were made.
    """

    kind: Kind
    id: str
    option: str = ""
    files: tuple[str, ...] = ()
    row: Row | None = None
    line: int | None = None
    is_edited: bool = False
    has_others: bool = False


class Agreement:
    """A lock, the rows of its prompts file as they are now, and the images on disk."""

    def __init__(self, lock: Lock, entries: Sequence[Entry], hashes: Hashes) -> None:
        """``entries`` are all rows of the source of the lock. Raises UsageError for an id that only
        a lock gives."""
        self.lock = lock
        self.places = Places(lock.path)
        self.entries: Mapping[str, Entry]
        """By their id in the lock, or by their input image for `edit --each`."""
        if lock.header.prompts_file is None:
            self._lines = lines_by_input(lock)
            names = input_names(lock, self._lines)
            self.entries = {names[entry.row.others["images"][0]]: entry for entry in entries}
        else:
            check_ids(entries)
            self._lines = lock.lines
            self.entries = {lock_id(entry): entry for entry in entries}
        self.faults: list[InputFault] = []
        """The images that cannot be read."""
        self.notices: list[str] = []
        self._hashes = hashes

    def differences(self) -> list[Difference]:
        """All differences: in the order of the rows, and then what is left over.

        Raises LockFault for rows with several lines of which none or more than one fits.
        """
        found: list[Difference] = []
        wrong: list[LockFault] = []
        for row_id, entry in self.entries.items():
            try:
                found += self._of(row_id, entry)
            except LockFault as fault:
                is_choice = len(self._lines.get(row_id, ())) > 1 and self._name_the_same(row_id)
                hint = f"keep the images that are there with --accept {row_id}; or restore them"
                wrong.append(fault.replace(hint=hint) if is_choice else fault)
        _raise_all(wrong)
        return [*found, *self._left_over()]

    def line_of(self, row_id: str) -> Line | None:
        """The line of a row; None where the lock has none. Raises LockFault."""
        lines = self._lines.get(row_id, ())
        if len(lines) <= 1:
            return lines[0] if lines else None
        request = self.entries[row_id].digest
        row = choose(lines, request, self._is_on_disk, lock=self.lock.path)
        line = next(each for each in lines if each.row is row)
        self.notices.append(
            f"row `{row_id}` has {len(lines)} lines in `{self.lock.path.name}`; line "
            f"{line.number} fits it and its images, and --accept keeps that one alone"
        )
        return line

    def line_to_accept(self, row_id: str) -> Line | None:
        """The line of a row whose images are accepted: also where none or several fit, if they name
        the same images. Raises LockFault."""
        try:
            return self.line_of(row_id)
        except LockFault:
            if not self._name_the_same(row_id):
                raise
            return self._lines[row_id][0]

    def left_over(self) -> Iterator[tuple[str, Line]]:
        """The lines of rows that the prompts file does not have."""
        for row_id in sorted(self._lines.keys() - self.entries.keys()):
            for line in self._lines[row_id]:
                yield row_id, line

    def condition(self, file: LockedFile) -> Condition:
        """Whether an image is what the lock says. Raises InputFault and LockFault."""
        path = self.places.checked(file.path)
        try:
            return self._hashes.condition(path, size=file.bytes, sha256=file.sha256)
        except OSError as error:
            shown = self.lock.path.parent / file.path
            raise InputFault(f"cannot read `{shown}`: {error.strerror or error}") from None

    def _of(self, row_id: str, entry: Entry) -> Iterator[Difference]:
        line = self.line_of(row_id)
        if line is None:
            yield Difference("new", row_id, row=entry.row)
            return
        locked = line.row
        conditions = {file.path: self._condition(file) for file in locked.files}
        if locked.request == entry.digest and set(conditions.values()) == {"untouched"}:
            return
        common = Difference(
            "missing",
            row_id,
            files=tuple(conditions),
            row=entry.row,
            line=line.number,
            is_edited="edited" in conditions.values(),
            has_others="untouched" in conditions.values(),
        )
        if locked.request != entry.digest:
            for name in changes(locked, row_now(entry, self.places)):
                kind = _KINDS.get(name, "option changed")
                yield common._replace(kind=kind, option="" if name in _KINDS else name)
        for path, condition in conditions.items():
            if condition == "missing":
                yield common._replace(kind="missing", files=(path,))
            elif condition == "edited":
                yield common._replace(kind="edited by hand", files=(path,))

    def _left_over(self) -> Iterator[Difference]:
        for row_id, (number, row) in self.left_over():
            files = tuple([file.path for file in row.files])
            yield Difference("left over", row_id, files=files, line=number)

    def _name_the_same(self, row_id: str) -> bool:
        """Whether all lines of a row name the same images."""
        return len({tuple([f.path for f in line.row.files]) for line in self._lines[row_id]}) == 1

    def _is_on_disk(self, row: LockedRow) -> bool:
        return all(self._condition(file) == "untouched" for file in row.files)

    def _condition(self, file: LockedFile) -> Condition:
        """The condition of an image; one that cannot be read is not different."""
        try:
            return self.condition(file)
        except InputFault as fault:
            self.faults.append(fault)
            return "untouched"


def _raise_all(wrong: Sequence[LockFault]) -> None:
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise LockFault(
            "several lines are of one row, and none or more than one of them fits",
            hint=wrong[0].hint,
            details=[fault.message for fault in wrong],
        )
