"""Changes a lock where its user says so: images are right as they are, or no longer needed."""

import os
from collections.abc import Container, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from kontext_cli.batch.agreement import Agreement
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.locked_row import row_now
from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files.faults import output_faults
from kontext_cli.files.listing import folded
from kontext_cli.files.saved import Condition, verified
from kontext_cli.files.sidecars import remove_sidecar
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.lock import Line, LockedFile, LockedRow, locking, read_lock, write_lock
from kontext_cli.sizes import MOST_BYTES


class Pruned(NamedTuple):
    """What was left over, named as in the lock: the rows and files that were removed, and the files
    that were kept because somebody edited them."""

    rows: Sequence[str]
    removed: Sequence[str]
    kept: Sequence[str]


def accept(agreement: Agreement, given: Iterable[str]) -> Sequence[LockedRow]:
    """Take the images of these rows, as they are, for those of the rows as they are now.

    Rows are named by id or number, several with commas; returns their new lines. Raises UsageError
    for a row without images, and InputFault for what is no complete image; the lock is then as it
    was.
    """
    entries = agreement.entries
    each = [name for names in given for name in ([names] if names in entries else names.split(","))]
    ids = dict.fromkeys(_named(name.strip(), entries) for name in each if name.strip())
    lines = [(_line(agreement, row_id), row_id) for row_id in ids]
    accepted = [_accepted(agreement, line.row, agreement.entries[each]) for line, each in lines]
    _replace(agreement, {line.row.id for line, _ in lines}, accepted)
    return accepted


def prune(agreement: Agreement) -> Pruned:
    """Remove what is left over and was not edited: the lines, and their images.

    An image that another row has, or takes as its input, stays. Raises OutputFault.
    """
    left: dict[str, list[LockedRow]] = {}
    for _, (_, row) in agreement.left_over():
        left.setdefault(row.id, []).append(row)
    kept: list[str] = []
    for row_id, rows in list(left.items()):
        if edited := _edited(agreement, rows):
            kept += edited
            del left[row_id]
    removed = _remove_images(agreement, [row for rows in left.values() for row in rows])
    if left:
        _replace(agreement, left, ())
    return Pruned([*left], removed, kept)


def _named(name: str, entries: Mapping[str, Entry]) -> str:
    """The id in the lock of a row that is named by its id or number. Raises UsageError."""
    if name in entries:
        return name
    by_number = {str(entry.row.index): row_id for row_id, entry in entries.items()}
    if name in by_number:
        return by_number[name]
    near = get_close_matches(name, entries, n=1)
    raise UsageError(
        f"--accept: there is no row `{name}`",
        hint=f"did you mean `{near[0]}`?" if near else "give rows by id or number",
    )


def _line(agreement: Agreement, row_id: str) -> Line:
    line = agreement.line_to_accept(row_id)
    if line is None:
        raise UsageError(
            f"--accept: row `{row_id}` is not in `{agreement.lock.path.name}`: it has no image yet"
        )
    return line


def _accepted(agreement: Agreement, locked: LockedRow, entry: Entry) -> LockedRow:
    now = row_now(entry, agreement.places)
    seed = locked.seed if now.seed is None else now.seed
    files = tuple([_as_it_is(agreement, file) for file in locked.files])
    row_id = locked.id if now.request == locked.request else now.id
    return now._replace(id=row_id, seed=seed, files=files)


def _as_it_is(agreement: Agreement, file: LockedFile) -> LockedFile:
    path, shown = agreement.places.path(file.path), agreement.lock.path.parent / file.path
    try:
        image = verified(read_regular(path, most=MOST_BYTES))
    except OSError as error:
        raise InputFault(f"cannot read `{shown}`: {error.strerror or error}") from None
    except NotAnImage as error:
        raise InputFault(
            f"`{shown}` cannot be accepted: it is {error.reason}",
            hint="save it again, or restore it",
        ) from None
    return LockedFile(file.path, image.sha256, image.bytes, image.width, image.height)


def _edited(agreement: Agreement, rows: Sequence[LockedRow]) -> list[str]:
    """The images that are there, and are as none of the lines of a row has them."""
    found: dict[str, set[Condition]] = {}
    for file in (file for row in rows for file in row.files):
        found.setdefault(file.path, set()).add(agreement.condition(file))
    return [path for path, conditions in found.items() if conditions == {"edited"}]


def _remove_images(agreement: Agreement, rows: Sequence[LockedRow]) -> list[str]:
    """Remove the images of rows that nobody else needs; the names of those removed."""
    gone = {row.id for row in rows}
    others = {
        folded(file.path) for row in agreement.lock.rows if row.id not in gone for file in row.files
    }
    inputs = {
        os.path.realpath(image.source)
        for entry in agreement.entries.values()
        for image in entry.images
        if image.url is None
    }
    removed = []
    for name in dict.fromkeys(file.path for row in rows for file in row.files):
        path = agreement.places.path(name)
        if folded(name) in others or os.path.realpath(path) in inputs or not os.path.lexists(path):
            continue
        with output_faults(f"cannot remove `{path}`"):
            path.unlink()
        remove_sidecar(path)
        removed.append(name)
    return removed


def _replace(agreement: Agreement, ids: Container[str], rows: Iterable[LockedRow]) -> None:
    """Put rows in the place of all lines with these ids, in the lock as it is by now."""
    path = agreement.lock.path
    with locking(path):
        lock = read_lock(path)
        others = [row for row in lock.rows if row.id not in ids]
        write_lock(path, lock.header, [*others, *rows])
