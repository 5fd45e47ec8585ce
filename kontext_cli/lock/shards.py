"""Unites the locks of shards into that of all rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kontext_cli.errors import LockFault, UsageError
from kontext_cli.files.faults import output_faults
from kontext_cli.lock.places import EACH_NAME, lock_path, shard_locks, shard_of
from kontext_cli.lock.reading import read_lock
from kontext_cli.lock.rows import Header, LockedRow
from kontext_cli.lock.writing import locking, write_lock


class United(NamedTuple):
    """The locks that were united and removed, and the shards I of N that had none."""

    shards: Sequence[Path]
    missing: Sequence[tuple[int, int]]


def unite(whole: Path) -> United:
    """Write the rows of all shards into the lock of all rows, and remove those of the shards.

    A row of a shard takes the place of the same row in the lock of all, which may not be there yet.
    Raises UsageError if there are none, or some of another number of shards, LockFault if they were
    written with different flags or have different lines for one row, and OutputFault.
    """
    with locking(whole):
        paths = shard_locks(whole)
        missing = _missing(whole, paths)
        locks = [read_lock(path) for path in paths]
        header, rows = locks[0].header, dict[str, LockedRow]()
        if lock_name(header) != whole.name:
            raise LockFault(f"`{paths[0]}` is the lock of `{header.prompts_file}`, not of a shard")
        for lock in locks:
            if lock.header != header:
                raise LockFault(
                    f"`{locks[0].path}` and `{lock.path}` were written with different flags",
                    hint="run the shards with the same flags",
                )
            for row in lock.rows:
                if rows.setdefault(row.id, row) != row:
                    raise LockFault(f"`{lock.path}` and another shard differ in row `{row.id}`")
        kept = read_lock(whole).rows if whole.exists() else ()
        others = [row for row in kept if row.id not in rows]
        write_lock(whole, header, [*others, *rows.values()])
        for path in paths:
            with output_faults(f"cannot remove `{path}`"):
                path.unlink()
    return United(paths, missing)


def lock_name(header: Header) -> str:
    """The name that the lock of all rows has."""
    return EACH_NAME if header.prompts_file is None else lock_path(Path(header.prompts_file)).name


def _missing(whole: Path, paths: Sequence[Path]) -> list[tuple[int, int]]:
    """The shards without a lock. Raises UsageError."""
    there = [shard for path in paths if (shard := shard_of(whole, path))]
    totals = sorted({total for _, total in there})
    if not totals:
        raise UsageError(
            f"there is no lock of a shard beside `{whole}`",
            hint=f"copy those of all machines there: {whole.stem}.1of4.lock, …",
        )
    if len(totals) > 1:
        raise UsageError(
            f"there are locks of {totals[0]} shards and of {totals[1]} beside `{whole}`",
            hint="remove those of an earlier run",
        )
    found = {number for number, _ in there}
    return [(number, totals[0]) for number in range(1, totals[0] + 1) if number not in found]
