"""Errors of the file system as OutputFault, with a hint what to do."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kontext_cli.errors import OutputFault

_HINTS: dict[int | None, str] = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "make room on the disk",
    errno.EACCES: "choose another folder with `-d`",
    errno.EROFS: "choose another folder with `-d`",
}


@contextmanager
def output_faults(what: str) -> Iterator[None]:
    """Raise the system's errors as OutputFault; ``what`` says what could not be done."""
    try:
        yield
    except UnicodeEncodeError:
        raise OutputFault(
            f"{what}: this locale has no such name", hint="set LC_ALL to C.UTF-8"
        ) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputFault(f"{what}: {reason}", hint=_HINTS.get(error.errno)) from error
