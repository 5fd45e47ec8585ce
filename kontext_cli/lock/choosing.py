"""Chooses between several lines of one row, which a merge of branches leaves behind."""

from collections.abc import Callable, Sequence
from pathlib import Path

from kontext_cli.errors import LockFault
from kontext_cli.lock.rows import Line, LockedRow


def choose(
    lines: Sequence[Line], request: str, is_on_disk: Callable[[LockedRow], bool], *, lock: Path
) -> LockedRow:
    """The row of the line whose request is that of the row now and whose files are there.

    Raises LockFault with the numbers of the lines if that is none of them, or several.
    """
    if len(lines) == 1:
        return lines[0].row
    fitting = [each.row for each in lines if each.row.request == request and is_on_disk(each.row)]
    if len(fitting) == 1:
        return fitting[0]
    numbers = " and ".join(str(each.number) for each in lines)
    which = "several of them fit" if fitting else "none of them fits"
    raise LockFault(
        f"`{lock}`: lines {numbers} are of one row, `{lines[0].row.id}`, and {which} the row and "
        "the images on disk",
        hint="remove all but the line that is right; without any, the row is made again",
    )
