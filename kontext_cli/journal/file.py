"""`journal.db`: created in one step, checked when opened, moved aside where it is damaged."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from kontext_cli.errors import JournalFault
from kontext_cli.files import disk
from kontext_cli.journal.database import (
    READ,
    READ_IMMUTABLE,
    WRITE,
    Damaged,
    all_faults,
    connect,
    faults,
    make_durable,
    primary_code,
)
from kontext_cli.journal.schema import (
    check_sound,
    check_tables,
    check_whole,
    is_older,
    refuse_newer,
    upgrade,
    version_at_rest,
)
from kontext_cli.journal.table import OPEN_STATES

Log = Callable[[str], None]
"""Takes a sentence for the user."""

FILE = "journal.db"
_SIDES = ("", "-wal", "-shm", "-journal")
_TRIES = 5
_QUICKLY_CHECKED = 32 * 2**20
"""Bytes of a file whose indexes are checked whenever it is opened: about 50 ms."""


def open_to_write(folder: Path, log: Log, *, thorough: bool = False) -> sqlite3.Connection:
    """The journal of a state folder, checked to be writable; created where there is none.

    A damaged one is moved aside, which is logged; ``thorough`` checks a large one, too.
    Raises JournalFault.
    """
    path = folder / FILE
    with all_faults(_writing(path)):
        disk.make_private_folder(folder)
        for _ in range(_TRIES):
            try:
                return _opened(path, thorough=thorough)
            except FileNotFoundError:
                _make(folder, log)
            except Damaged as damage:
                _set_aside(folder, log, damage, thorough=thorough)
    raise JournalFault(f"the journal `{path}` is damaged each time it is created")


def open_to_read(folder: Path, log: Log) -> sqlite3.Connection | None:
    """The journal of a state folder for reading, None where there is none, or no more.

    A damaged one is moved aside, which is logged. Raises JournalFault.
    """
    path = folder / FILE
    with all_faults(_reading(path)):
        try:
            return _opened_to_read(path)
        except FileNotFoundError:
            return None
        except Damaged as damage:
            _set_aside(folder, log, damage)
            return None


class Condition(NamedTuple):
    """The journal of a state folder as it is: its file and size, how many jobs it has and how many
    of these are unfinished, and the files that were moved aside."""

    path: Path
    bytes: int
    jobs: int
    unfinished: int
    damage: str | None
    """How it is damaged; None if it is whole."""
    aside: Sequence[Path]


def condition(folder: Path) -> Condition:
    """Look at the journal of a folder without changing it; no bytes if there is none.

    Raises JournalFault where it cannot be read, or comes from a newer version.
    """
    path = folder / FILE
    none = Condition(path, 0, 0, 0, None, moved_aside(folder))
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return none
    with all_faults(_reading(path)):
        try:
            with faults(_reading(path)):
                jobs, unfinished = _counted(path)
                return none._replace(bytes=size, jobs=jobs, unfinished=unfinished)
        except Damaged as damage:
            return none._replace(bytes=size, damage=str(damage))


def moved_aside(folder: Path) -> list[Path]:
    """The files of damaged journals that were moved out of the way: the newest journal is last."""
    files = [each for each in folder.glob(_aside(folder / FILE, "*").name) if each.is_file()]
    return sorted(files, key=lambda each: (each.name.partition("Z")[0], -len(each.name)))


def _counted(path: Path) -> tuple[int, int]:
    """How many jobs there are, and how many of them are unfinished.

    Raises sqlite3.Error, Damaged, JournalFault.
    """
    _size(path)
    mode = READ if _beside(path, "-wal").exists() else READ_IMMUTABLE
    refuse_newer(version_at_rest(path, mode), path)
    with closing(connect(path, mode)) as db:
        if path.stat().st_size <= _QUICKLY_CHECKED:
            check_sound(db)
        check_tables(db)
        jobs, unfinished = (
            db.execute(f"SELECT count(*) FROM jobs{where}").fetchone()[0]  # noqa: S608
            for where in ("", f" WHERE state IN {OPEN_STATES}")
        )
    return jobs, unfinished


def identity(path: Path) -> tuple[int, int] | None:
    """Device and inode, to see whether a name still means the same file; None for no file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _opened(path: Path, *, thorough: bool = False) -> sqlite3.Connection:
    """The file for writing. Raises FileNotFoundError, Damaged, JournalFault."""
    thorough = _size(path) <= _QUICKLY_CHECKED or thorough
    with faults(_writing(path)):
        refuse_newer(version_at_rest(path), path)
        db = connect(path, WRITE)
        try:
            check_whole(db, thorough=thorough)
            make_durable(db)
            upgrade(db, path)
        except BaseException:
            db.close()
            raise
        return db


def _opened_to_read(path: Path) -> sqlite3.Connection:
    """The file for reading. Raises FileNotFoundError, Damaged, JournalFault."""
    _size(path)
    with faults(_reading(path)):
        mode = _mode_to_read(path)
        version = version_at_rest(path, mode)
        refuse_newer(version, path)
        if is_older(version):
            _opened(path).close()
        db = connect(path, mode)
        try:
            check_tables(db)
        except BaseException:
            db.close()
            raise
        return db


def _mode_to_read(path: Path) -> str:
    """SQLite creates files beside the journal even to read it, unless nobody writes it.

    The content of a write-ahead log could not be read then: where there is one, a read-only disk
    is an error.
    """
    read_only = not os.access(path.parent, os.W_OK)
    return READ_IMMUTABLE if read_only and not _beside(path, "-wal").exists() else READ


def _size(path: Path) -> int:
    """The bytes of the file. SQLite takes an empty one for new; ours are named when complete."""
    size = path.stat().st_size
    if size == 0:
        raise Damaged("it is empty")
    return size


def _set_aside(folder: Path, log: Log, damage: Damaged, *, thorough: bool = False) -> None:
    """Move a damaged journal out of the way, unless another process just did."""
    path = folder / FILE
    with _alone(folder):
        with suppress(FileNotFoundError, Damaged):
            _opened(path, thorough=thorough).close()
            return
        _move_aside(path, log, str(damage))


def _make(folder: Path, log: Log) -> None:
    """An empty journal, complete before it gets its name; unless another process just made one."""
    path, new = folder / FILE, folder / f"{FILE}.new"
    with _alone(folder):
        if path.exists():
            return
        # The log of another journal would be read into the new one.
        _move_aside(path, log, "a part of it is missing")
        for side in _SIDES:
            _beside(new, side).unlink(missing_ok=True)
        os.close(disk.create_private(new)[0])
        with closing(connect(new, WRITE)) as db:
            upgrade(db, new)
            db.execute("PRAGMA journal_mode = WAL")  # network file systems do not take it
        new.rename(path)
        disk.sync_folder(folder)


def _move_aside(path: Path, log: Log, damage: str) -> None:
    """Rename the file and the files beside it, and log it."""
    aside = _aside(path, f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    there = [side for side in _SIDES if _beside(path, side).exists()]
    for side in there:
        _beside(path, side).rename(_beside(aside, side))
    if there:
        disk.sync_folder(path.parent)
        log(f"the journal was damaged ({damage}); it is now `{aside}`, and its jobs are not known")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: SQLite's lock waits, and ends with its holder, on every system."""
    lock = folder / "journal.lock"
    with suppress(FileExistsError):
        os.close(disk.create_private(lock)[0])
    if lock.is_symlink():
        raise _no_lock(lock, "a link")
    with closing(connect(lock, WRITE)) as db:
        try:
            db.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if primary_code(error) != sqlite3.SQLITE_NOTADB:
                raise
            raise _no_lock(lock, "not a lock file of kontext") from error
        yield


def _no_lock(path: Path, what: str) -> JournalFault:
    return JournalFault(f"`{path}` is {what}, and is left alone", hint=f"remove `{path}`")


def _aside(path: Path, when: str) -> Path:
    return path.with_name(f"{FILE}.damaged-{when}")


def _beside(path: Path, side: str) -> Path:
    return path.with_name(path.name + side)


def _writing(path: Path) -> str:
    return f"cannot write the journal `{path}`"


def _reading(path: Path) -> str:
    return f"cannot read the journal `{path}`"
