"""What a command returns, and the one place where it is printed."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from kontext_cli.terminal.output import to_stderr, to_stdout
from kontext_cli.terminal.records import as_line
from kontext_cli.terminal.style import Line


class Result(NamedTuple):
    """What is left to print when a command has done its work, and its exit code.

    ``text`` is for standard output; with `--json`, ``records`` take its place. Standard error gets
    the ``errors`` and, except with `--quiet`, the ``messages``.
    """

    exit_code: int = 0
    text: Iterable[Line] = ()
    records: Iterable[Mapping[str, Any]] = ()
    messages: Iterable[Line] = ()
    errors: Iterable[str] = ()


def show(result: Result, *, as_json: bool = False, quiet: bool = False) -> int:
    """Print a result; returns the exit code. Raises OutputFault if it cannot be written."""
    for line in map(as_line, result.records) if as_json else result.text:
        to_stdout(line)
    for line in () if quiet else result.messages:
        to_stderr(line)
    for line in result.errors:
        to_stderr(line)
    return result.exit_code
