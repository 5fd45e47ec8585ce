"""The mistakes of prompts files, or of a folder of images, told all at once."""

from collections.abc import Sequence
from typing import NamedTuple

from kontext_cli.errors import KontextError, NameTaken, StorageFault, UsageError
from kontext_cli.prompts import Row


class _Mistake(NamedTuple):
    """An error, and where it was made: the file, its line and the row's id as far as known."""

    file: str
    line: int
    row_id: str | None
    error: KontextError


class Mistakes:
    """What is wrong with the rows, gathered so that all of it is told at once."""

    def __init__(self, files: Sequence[str], *, count: int) -> None:
        """``files`` as they were typed, none for images; ``count`` is the number of rows."""
        self._files = files
        self._count = count
        self.found: list[_Mistake] = []

    def add(self, file: str, line: int, row_id: str | None, error: KontextError) -> None:
        """Note a mistake on a line, or of an image where there is no file."""
        self.found.append(_Mistake(file, line, row_id, error))

    def of(self, row: Row) -> "_Noting":
        """A context whose faults are mistakes of that row."""
        return _Noting(self, row)

    def refuse(self) -> None:
        """Raise what was found as one error, if anything was."""
        if not self.found:
            return
        order = {file: number for number, file in enumerate(self._files)}
        self.found.sort(key=lambda each: (order.get(each.file, 0), each.line))
        texts = {each.error.message for each in self.found}
        if len(texts) == 1 and 1 < self._count == len(self.found):
            raise self.found[0].error
        where = named(self._files) if self._files else "the images"
        number = "1 mistake" if len(self.found) == 1 else f"{len(self.found)} mistakes"
        kind = _common_kind([each.error for each in self.found])
        raise kind(
            f"{where}: {number}; nothing was sent",
            hint=self._hint(kind),
            details=[self._told(each) for each in self.found],
        )

    def _told(self, mistake: _Mistake) -> str:
        place = f"{mistake.file}:{mistake.line}" if self._files else f"image {mistake.line}"
        row = f"row {mistake.row_id}: " if mistake.row_id is not None else ""
        return f"{place}: {row}{mistake.error.message}"

    def _hint(self, kind: type[KontextError]) -> str | None:
        hints = {each.error.hint for each in self.found}
        return hints.pop() if kind is NameTaken and len(hints) == 1 else None


def named(files: Sequence[str]) -> str:
    """Files as a message names them."""
    return ", ".join(f"`{file}`" for file in files)


class _Noting:
    """Turns a KontextError of its block into a mistake."""

    __slots__ = ("_mistakes", "_row")

    def __init__(self, mistakes: Mistakes, row: Row) -> None:
        self._mistakes = mistakes
        self._row = row

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: object
    ) -> bool:
        if not isinstance(error, KontextError):
            return False
        self._mistakes.add(self._row.file, self._row.line, self._row.values.get("id"), error)
        return True


def _common_kind(errors: Sequence[KontextError]) -> type[KontextError]:
    """What to raise for all of them: names taken or files unreadable, else mistakes of usage."""
    if all(isinstance(error, NameTaken) for error in errors):
        return NameTaken
    if all(isinstance(error, StorageFault) for error in errors):
        return type(errors[0])
    return UsageError
