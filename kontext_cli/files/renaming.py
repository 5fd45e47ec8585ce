"""Exclusive renames, for file systems without hard links."""

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

_AT_FDCWD = -100
_RENAME_NOREPLACE = 1  # renameat2(2), linux/fs.h
_RENAME_EXCL = 4  # renamex_np(2), sys/stdio.h of macOS
_CANNOT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM}
"""Errors of a kernel, a file system or a seccomp filter without the call."""


def rename_to_free(source: Path, target: Path) -> bool:
    """Rename atomically; False where that is not supported. Raises OSError, FileExistsError
    where the name is taken."""
    call = _call()
    if call is None:
        return False
    if call(os.fsencode(source), os.fsencode(target)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


@cache
def _call() -> Callable[[bytes, bytes], int] | None:
    """The system's exclusive rename, None where it has none."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            rename = library.renameat2
            return lambda source, target: int(
                rename(_AT_FDCWD, source, _AT_FDCWD, target, _RENAME_NOREPLACE)
            )
        if sys.platform == "darwin":
            rename = library.renamex_np
            return lambda source, target: int(rename(source, target, _RENAME_EXCL))
    except (OSError, AttributeError):  # an old C library
        pass
    return None
