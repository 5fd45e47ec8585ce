"""Writes to standard output and standard error; every line is escaped, and then styled, here."""

import errno
import os
import re
import sys
from collections.abc import Iterable
from typing import TextIO

from kontext_cli.errors import OutputFault
from kontext_cli.terminal.printable import escaped, printable
from kontext_cli.terminal.records import _COMMAND_INSIDE
from kontext_cli.terminal.style import (
    BOLD,
    Line,
    Piece,
    message,
    painted,
    pieces_of,
    takes_colour,
    takes_links,
)

_COMMAND = re.compile(r"^([^\S\n]*)::", re.MULTILINE)


_END_OF_SEQUENCE = "\x1b\\"
_READER_EXITED = (errno.EPIPE, errno.EINVAL)
"""Windows reports EINVAL."""


def may_draw() -> bool:
    """Whether standard error can show a live view: a terminal that can erase lines."""
    on_a_terminal = sys.stderr is not None and sys.stderr.isatty()
    return on_a_terminal and not on_actions() and os.environ.get("TERM") != "dumb"


def print_result(line: str, path: str | None = None) -> None:
    """Print a path, an id or a line of JSON to standard output: unchanged in a pipe, for programs;
    escaped on a terminal and in a log of GitHub Actions.

    ``path`` is the absolute path of the file that the line names, if it names one.
    """
    write(sys.stdout, as_result(line, path) + "\n")


def as_result(line: str, path: str | None = None) -> str:
    """A line as ``print_result`` prints it."""
    on_a_terminal = sys.stdout is not None and sys.stdout.isatty()
    if not on_a_terminal and not on_actions():
        return line
    style = BOLD if path is not None and on_a_terminal else ""
    return _shown([Piece(escaped(line), style, path)], sys.stdout)


def to_stdout(line: Line) -> None:
    """Print a line to standard output, with control characters escaped.

    Raises OutputFault if it cannot be written, except to a reader that has exited.
    """
    _raise_unwritten(write(sys.stdout, _shown(pieces_of(line), sys.stdout) + "\n"))


def draw_on_stdout(drawn: str) -> None:
    """Print our own escape sequences and text that is escaped already to standard output.

    Raises OutputFault like ``to_stdout``.
    """
    _raise_unwritten(write_drawing(sys.stdout, _defused(drawn) + "\n"))


def draw_on_stderr(drawn: str) -> None:
    """Print our own escape sequences and text that is escaped already to standard error."""
    write_drawing(sys.stderr, _defused(drawn) + "\n")


def write_drawing(stream: TextIO | None, text: str) -> OSError | None:
    """Write text that contains our own escape sequences, like ``write``.

    Ctrl-C may come within a sequence, which would take in what is printed next: it is ended.
    """
    try:
        return write(stream, text)
    except KeyboardInterrupt:
        write(stream, _END_OF_SEQUENCE)
        raise


def _raise_unwritten(error: OSError | None) -> None:
    if error is not None and error.errno not in _READER_EXITED:
        raise OutputFault(f"cannot write to standard output: {error.strerror or error}")


def to_stderr(line: Line) -> None:
    """Print a message to standard error, with control characters escaped."""
    write(sys.stderr, as_message(line) + "\n")


def as_message(line: Line) -> str:
    """A message as ``to_stderr`` prints it."""
    return _shown(message(line) if isinstance(line, str) else line, sys.stderr)


def _shown(line: Iterable[Piece], stream: TextIO | None) -> str:
    """The pieces of a line, escaped and styled as the stream takes it."""
    if not takes_colour(stream):
        return _defused(printable("".join(piece.text for piece in line)))
    safe = [piece._replace(text=_defused(printable(piece.text))) for piece in line]
    links = any(piece.link for piece in safe) and takes_links(stream)
    return "".join([painted(piece, links=links) for piece in safe])


def write(stream: TextIO | None, text: str) -> OSError | None:
    """Write text unchanged and flush the stream; returns the error, if any.

    A closed or full stream must not fail paid work: on an error the stream is redirected to the
    null device, or Python would try to flush it again at exit.
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
    """Whether the process runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def on_ci() -> bool:
    """Whether the process runs in a pipeline, where nobody looks on."""
    return on_actions() or os.environ.get("CI", "").lower() not in ("", "0", "false")


def _defused(text: str) -> str:
    """Defuse workflow commands, which a runner reads from `##[` anywhere and `::` at the start of a
    line: text from servers and prompts must not contain any."""
    if not (_COMMAND_INSIDE in text or "::" in text) or not on_actions():
        return text
    text = text.replace(_COMMAND_INSIDE, "# #[")
    return _COMMAND.sub(r"\1: :", text)
