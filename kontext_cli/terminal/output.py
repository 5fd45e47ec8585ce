"""Standard output and standard error: every line goes through here, escaped."""

import errno
import os
import re
import sys
from typing import TextIO

from kontext_cli.errors import OutputFault
from kontext_cli.terminal.printable import escaped, printable
from kontext_cli.terminal.records import _COMMAND_INSIDE

_COMMAND = re.compile(r"^([^\S\n]*)::", re.MULTILINE)


_READER_HAS_GONE = (errno.EPIPE, errno.EINVAL)
"""The second is what Windows says."""


def may_draw() -> bool:
    """Whether what is drawn on standard error can be taken away again."""
    on_a_terminal = sys.stderr is not None and sys.stderr.isatty()
    return on_a_terminal and not on_actions() and os.environ.get("TERM") != "dumb"


def tell_result(line: str) -> None:
    """Print a path, an id or a line of JSON: in a pipe as it is, since a program takes it from
    there; escaped where it is seen."""
    is_seen = on_actions() or (sys.stdout is not None and sys.stdout.isatty())
    write(sys.stdout, _tame(escaped(line) if is_seen else line) + "\n")


def to_stdout(text: str) -> None:
    """Print what was asked for, its control characters escaped.

    Raises OutputFault where that cannot be written; a reader that has gone has read enough.
    """
    error = write(sys.stdout, _tame(printable(text)) + "\n")
    if error is not None and error.errno not in _READER_HAS_GONE:
        raise OutputFault(f"cannot write to standard output: {error.strerror or error}")


def to_stderr(text: str) -> None:
    """Print a line of talk, its control characters escaped."""
    write(sys.stderr, _tame(printable(text)) + "\n")


def write(stream: TextIO | None, text: str) -> OSError | None:
    """Write to a stream as it is, at once; returns what went wrong.

    One that is closed, full or without a reader is no reason to fail paid work: what could not
    be written is dropped together with the stream, or Python would try once more at its exit.
    """
    if stream is None:
        return None
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        with open(os.devnull, "w") as nowhere:  # noqa: PTH123
            os.dup2(nowhere.fileno(), stream.fileno())
        return error
    return None


def on_actions() -> bool:
    """Whether a runner of GitHub Actions reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _tame(text: str) -> str:
    """A runner takes `##[` anywhere, and `::` at the start of a line, for a command to itself: no
    server and no prompt shall give it one."""
    if not on_actions():
        return text
    text = text.replace(_COMMAND_INSIDE, "# #[")
    return _COMMAND.sub(r"\1: :", text)
