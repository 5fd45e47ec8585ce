"""Differences between operating systems: locks, links, permissions, syncing."""

import errno
import itertools
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kontext_cli.errors import KontextError

if sys.platform != "win32":
    import fcntl

CAN_MOVE_OPEN_FILES = sys.platform != "win32"

_TRIES = 10
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_BINARY = getattr(os, "O_BINARY", 0)
_NO_LINKS = {
    errno.EACCES,  # Android
    errno.EINVAL,
    errno.EMLINK,
    errno.ENOSYS,
    errno.ENOTSUP,
    errno.EOPNOTSUPP,
    errno.EPERM,  # FAT
}
_NO_FOLDER_SYNC = {errno.EACCES, errno.EBADF, errno.EINVAL, errno.ENOTSUP, errno.EPERM}


def create_private(path: Path) -> tuple[int, int]:
    """Create a file that only we can read and write; returns also the mode it would have had."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
    descriptor = os.open(path, flags, 0o666)
    # Reading the umask means changing it, for every thread; the file's mode shows it as well.
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    change_mode(descriptor, 0o600)
    return descriptor, mode


def make_private_folder(folder: Path) -> None:
    """Create a folder for us alone, and missing parents; an existing one keeps its mode."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        if folder.parent == folder:
            raise
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def make_inner_folder(folder: Path, fault: type[KontextError]) -> None:
    """Create a folder within one of ours. Raises ``fault`` where something else has its name.

    A link to a folder counts as something else: we would write and sweep wherever it leads.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not is_inner_folder(folder):
        raise fault(
            f"`{folder}` is a link or not a folder, and is left alone", hint=f"remove `{folder}`"
        )


def is_inner_folder(folder: Path) -> bool:
    """Whether the path is a folder, not a link to one."""
    try:
        return stat.S_ISDIR(folder.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_special(path: Path) -> bool:
    """Whether the path is neither a file nor a folder: a device or a pipe."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_special(path: Path) -> int:
    """Open a device or a pipe for writing, as it is. Raises OSError, ENXIO for a pipe without a
    reader: waiting for one could take forever."""
    wait_for_nobody = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    descriptor = os.open(path, os.O_WRONLY | _BINARY | wait_for_nobody)
    if sys.platform != "win32":
        os.set_blocking(descriptor, True)
    return descriptor


def hold(descriptor: int, path: Path) -> bool:
    """Lock a new file against sweeping while it is open; False if it was swept first."""
    if sys.platform == "win32":
        return True  # open files cannot be removed there
    else:  # noqa: RET505  # how type checkers know that there are locks here
        locked = _lock(descriptor)
        if not locked:
            return locked is None  # without locks, nobody sweeps either
        try:
            return os.path.samestat(path.lstat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False


def create_locked(folder: Path, prefix: str = "", suffix: str = "") -> tuple[Path, int, int]:
    """Create a private file of a random name that is locked against sweeping.

    Returns its path, its descriptor, and the mode it would have had. Raises OSError.
    """
    for _ in range(_TRIES):
        path = folder / f"{prefix}{os.urandom(8).hex()}{suffix}"
        descriptor, mode = create_private(path)
        if hold(descriptor, path):
            return path, descriptor, mode
        os.close(descriptor)
        path.unlink(missing_ok=True)
    raise OSError(errno.EAGAIN, "other programs remove the files there")


def locks_work(path: Path) -> bool:
    """Whether our lock on a file keeps others out: some file systems grant locks to everybody."""
    if sys.platform == "win32":
        return True
    with suppress(OSError), _opened(path) as descriptor:
        return _lock(descriptor) is False
    return True  # the file is gone, which proves nothing


def links_work(path: Path) -> bool:
    """Whether a file can have a second name: without that, final names are claimed by renaming."""
    second = path.with_name(f"{path.stem}-2{path.suffix}")
    try:
        second.hardlink_to(path)
    except OSError:
        return False
    second.unlink()
    return True


def remove_abandoned(path: Path) -> bool:
    """Remove a regular file that no running process has locked; leave any other alone.

    False where locks do not work: whether the file is locked cannot be known, and it stays.
    """
    with suppress(OSError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return True
        if sys.platform == "win32":
            path.unlink()
            return True
        with _opened(path) as first, _opened(path) as second:
            locked = _lock(first)
            # Two locks on one file at the same time: some file systems grant locks to everybody.
            if locked is None or (locked and _lock(second) is not False):
                return False
            if locked:
                path.unlink()
    return True


def is_abandoned(path: Path) -> bool:
    """Whether no running process has a regular file locked, as far as locks show."""
    if sys.platform == "win32":
        return False
    with suppress(OSError):
        if stat.S_ISREG(path.lstat().st_mode):
            with _opened(path) as descriptor:
                return _lock(descriptor) is True
    return False


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    # NFS gives exclusive locks only to those who could write.
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | _NO_FOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open file: False where another has it locked, None where there are no locks."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return None
    return True


def fill(descriptor: int, size: int) -> None:
    """Write random bytes, which no file system can compress, so that their space is reserved."""
    rest = memoryview(os.urandom(size))
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.ftruncate(descriptor, 0)
        raise


def seal(descriptor: int, mode: int) -> None:
    """Set the mode of a finished file, and sync its bytes to the disk."""
    change_mode(descriptor, mode)
    os.fsync(descriptor)


def move_to_free_name(source: Path, target: Path) -> Path:
    """Rename without replacing; if the name is taken, to the first free of `-2`, `-3`…"""
    for name in names_like(target):
        with suppress(FileExistsError):
            move_to_name(source, name)
            return name
    raise AssertionError("unreachable")


def names_like(target: Path) -> Iterator[Path]:
    """The name itself, then the same with `-2`, `-3`…"""
    yield target
    for number in itertools.count(2):
        yield target.with_name(f"{target.stem}-{number}{target.suffix}")


def sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk, where the system can do that."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def move_to_name(source: Path, target: Path) -> None:
    """Rename; raises FileExistsError for any existing target, even a dangling link."""
    if sys.platform == "win32":
        source.rename(target)  # replaces nothing there
        return
    try:
        target.hardlink_to(source)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        from kontext_cli.files.renaming import rename_to_free  # ctypes, which most never need

        if not rename_to_free(source, target):
            _claim(source, target)
        return
    with suppress(OSError):
        source.unlink()


def _claim(source: Path, target: Path) -> None:
    """Rename without links or an exclusive rename: create an empty target, then replace it.

    A plain rename could destroy somebody's file. A kill in between leaves the empty file, which the
    next run that wants the name reuses: it is empty, and no running process has it locked.
    """
    descriptor = _claimed(target)
    try:
        source.replace(target)
    except OSError:
        target.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)


def _claimed(target: Path) -> int:
    """An empty file under that name, locked against other processes. Raises FileExistsError."""
    try:
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600)
        ours = hold(descriptor, target)
    except FileExistsError as taken:
        found = target.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_size:
            raise
        try:
            descriptor = os.open(target, os.O_RDWR | os.O_NONBLOCK | _NO_FOLLOW)
        except OSError:
            raise taken from None
        ours = _is_abandoned(descriptor, target)
    if ours:
        return descriptor
    os.close(descriptor)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _is_abandoned(descriptor: int, path: Path) -> bool:
    """Whether a file is empty and no running process has it locked; locks it."""
    with suppress(OSError):
        if _lock(descriptor):
            found = os.fstat(descriptor)
            return not found.st_size and os.path.samestat(path.lstat(), found)
    return False


def change_mode(descriptor: int, mode: int) -> None:
    """Set the mode where the file system has modes; FAT and some shares do not."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.fchmod(descriptor, mode)
