"""What the systems do differently about files: locks, links, permissions, syncing."""

import errno
import itertools
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

CAN_MOVE_OPEN_FILES = sys.platform != "win32"

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
    """A new file open for reading and writing by us alone, and the mode it would have had."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_FOLLOW | _BINARY
    descriptor = os.open(path, flags, 0o666)
    # Asking for the umask means to change it, for every thread; the file tells it as well.
    mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
    _change_mode(descriptor, 0o600)
    return descriptor, mode


def make_private_folder(folder: Path) -> None:
    """A folder for us alone, and those above it that are missing; one that is there is left so."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except FileNotFoundError:
        if folder.parent == folder:
            raise
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def make_inner_folder(folder: Path) -> bool:
    """A folder of ours in one of ours; False where something else has its name.

    So has a link to a folder: who planted it would have us write and sweep wherever it leads.
    """
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, exist_ok=True)
    return is_inner_folder(folder)


def is_inner_folder(folder: Path) -> bool:
    """Whether a folder is there, and no link to one."""
    try:
        return stat.S_ISDIR(folder.lstat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False


def is_special(path: Path) -> bool:
    """Whether something is there that is neither a file nor a folder: a device, a pipe."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def open_special(path: Path) -> int:
    """Open a device or a pipe for writing, as it is. Raises OSError, ENXIO for a pipe that nobody
    reads: waiting for a reader could take for ever."""
    wait_for_nobody = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    descriptor = os.open(path, os.O_WRONLY | _BINARY | wait_for_nobody)
    if sys.platform != "win32":
        os.set_blocking(descriptor, True)
    return descriptor


def hold(descriptor: int, path: Path) -> bool:
    """Keep a file that was just made from being swept while it is open; False: it was already."""
    if sys.platform == "win32":
        return True  # open files cannot be removed there
    else:  # noqa: RET505  # how type checkers know that there are locks here
        locked = _lock(descriptor)
        if not locked:
            return locked is None  # a file system without locks gives none to a sweeper either
        try:
            return os.path.samestat(path.lstat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False


def locks_work(path: Path) -> bool:
    """Whether the lock that we hold on a file keeps others out."""
    if sys.platform == "win32":
        return True
    with suppress(OSError), _opened(path) as descriptor:
        return _lock(descriptor) is False
    return True  # the file is gone, which says nothing


def remove_abandoned(path: Path) -> bool:
    """Remove a regular file that no living process holds; any other is left alone.

    False where locks do nothing: whether somebody holds the file cannot be told, and it stays.
    """
    with suppress(OSError):
        if not stat.S_ISREG(path.lstat().st_mode):
            return True
        if sys.platform == "win32":
            path.unlink()
            return True
        with _opened(path) as first, _opened(path) as second:
            locked = _lock(first)
            # Two locks at once on one file: some file systems grant them to everybody.
            if locked is None or (locked and _lock(second) is not False):
                return False
            if locked:
                path.unlink()
    return True


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
    """Have so many bytes on the disk that no file system can do without."""
    rest = memoryview(os.urandom(size))
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    except OSError:
        os.ftruncate(descriptor, 0)
        raise


def seal(descriptor: int, mode: int) -> None:
    """Give a finished file its mode, and have its bytes on the disk."""
    _change_mode(descriptor, mode)
    os.fsync(descriptor)


def move_to_free_name(source: Path, target: Path) -> Path:
    """Rename without ever replacing; where the name is taken, to the first free of `-2`, `-3`…"""
    for number in itertools.count(1):
        name = target
        if number > 1:
            name = target.with_name(f"{target.stem}-{number}{target.suffix}")
        with suppress(FileExistsError):
            _move(source, name)
            return name
    raise AssertionError("numbers do not end")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where the system can do that."""
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


def _move(source: Path, target: Path) -> None:
    """Rename; FileExistsError where anything is at the target, a dangling link too."""
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
    """Rename where nothing else keeps a name: take it with an empty file, then replace that.

    A plain rename could destroy somebody's file. A kill in between leaves the empty file, which the
    next run to want that name takes for its own: it holds nothing, and nobody living holds it.
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
    """An empty file under that name, held against other runs. Raises FileExistsError."""
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
    """Whether a file is empty, and certainly held by no living process; it is held from now on."""
    try:
        if sys.platform != "win32":
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        found = os.fstat(descriptor)
        return not found.st_size and os.path.samestat(path.lstat(), found)
    except OSError:
        return False


def _change_mode(descriptor: int, mode: int) -> None:
    """Change the mode where there are modes; FAT and some shares refuse."""
    if sys.platform != "win32":
        with suppress(OSError):
            os.fchmod(descriptor, mode)
