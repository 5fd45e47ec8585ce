"""Has a program find file locks that do nothing: BROKEN_LOCKS says how they fail.

`granted`: everybody gets every lock; `refused`: nobody gets any.
"""

import errno
import fcntl
import os


def _granted(_file: object, _operation: int) -> None: ...


def _refused(_file: object, _operation: int) -> None:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


_KINDS = {"granted": _granted, "refused": _refused}

if _kind := os.environ.get("BROKEN_LOCKS"):
    fcntl.flock = _KINDS[_kind]
