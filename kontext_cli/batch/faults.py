"""The errors in the rows of a batch, collected and raised together."""

from collections.abc import Sequence
from typing import NamedTuple

from kontext_cli.batch.sources import NO_LINE, BatchSource, quoted
from kontext_cli.errors import KontextError, LockFault, NameTaken, StorageFault, UsageError
from kontext_cli.prompts import Row

_SAME_HINT = (NameTaken, LockFault)
"""Errors whose hint holds for all of them."""


class _Fault(NamedTuple):
    """An error and its place: the file, the line, and the row's id as far as known."""

    file: str
    line: int
    row_id: str | None
    error: KontextError


class Faults:
    """Collects the errors in the rows of a batch."""

    def __init__(self, source: BatchSource) -> None:
        """Begins with the errors in the files themselves."""
        self._files = source.names
        self._has_lines = bool(source.names) and all(r.line != NO_LINE for r in source.rows[:1])
        self._rows = 0 if source.faults else len(source.rows)
        self._found = [
            _Fault(fault.file, fault.line, fault.id, UsageError(fault.text))
            for fault in source.faults
        ]

    def add(self, row: Row, error: KontextError) -> None:
        """Add an error in a row."""
        self._found.append(_Fault(row.file, row.line, row.others.get("id"), error))

    def raise_all(self) -> None:
        """Raise all that was found as one error, if anything was."""
        if not self._found:
            return
        order = {file: number for number, file in enumerate(self._files)}
        self._found.sort(key=lambda each: (order.get(each.file, 0), each.line))
        texts = {each.error.message for each in self._found}
        if len(texts) == 1 and 1 < self._rows == len(self._found):
            raise self._found[0].error
        where = quoted(self._files) if self._has_lines else "the images"
        number = "1 error" if len(self._found) == 1 else f"{len(self._found)} errors"
        kind = _common_kind([each.error for each in self._found])
        raise kind(
            f"{where}: {number}; nothing was sent",
            hint=self._hint(kind),
            details=[self._text(each) for each in self._found],
        )

    def _text(self, fault: _Fault) -> str:
        place = f"{fault.file}:{fault.line}" if self._files else f"image {fault.line}"
        if fault.line == NO_LINE:
            place = fault.file
        row = f"row {fault.row_id}: " if fault.row_id is not None else ""
        return f"{place}: {row}{fault.error.message}"

    def _hint(self, kind: type[KontextError]) -> str | None:
        hints = {each.error.hint for each in self._found}
        return hints.pop() if kind in _SAME_HINT and len(hints) == 1 else None


def _common_kind(errors: Sequence[KontextError]) -> type[KontextError]:
    """The type to raise for all of them: that of names or files if all are, else UsageError."""
    for kind in _SAME_HINT:
        if all(isinstance(error, kind) for error in errors):
            return kind
    if all(isinstance(error, StorageFault) for error in errors):
        return type(errors[0])
    return UsageError
