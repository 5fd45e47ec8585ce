"""The process's own streams: standard input, which can be one thing, and output as bytes."""

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from kontext_cli.errors import OutputFault, UsageError
from kontext_cli.paths import from_home

_STANDARD_OUTPUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_MOST_PROMPT_BYTES = 1_000_000


def check_single_use(prompt: str | None, images: Sequence[str]) -> None:
    """Raises UsageError where more than one argument is `-`."""
    if [prompt, *images].count("-") > 1:
        raise UsageError("standard input (`-`) can be only one thing")


def output_path(typed: str | None) -> str | None:
    """What `-o` names: `-` by any of the names of standard output, a path from home by `~`."""
    if typed in _STANDARD_OUTPUT:
        return "-"
    return None if typed is None else from_home(typed)


def read_prompt(prompt: str | None, operation: str) -> str:
    """The prompt as given, or from standard input; a line feed at its end is not part of it."""
    if prompt is None:
        raise UsageError(
            "the prompt is missing", hint=f'kontext {operation} "…", or - for standard input'
        )
    if prompt != "-":
        return _as_typed(prompt)
    raw = stdin_bytes().read(_MOST_PROMPT_BYTES)
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("the prompt on standard input is not UTF-8 text") from None


def stdin_bytes() -> BinaryIO:
    """Standard input as bytes. Raises UsageError where it is closed."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin.buffer


def stdout_bytes() -> BinaryIO:
    """Standard output as unbuffered bytes. Raises OutputFault where it is closed."""
    if sys.stdout is None:
        raise OutputFault("standard output is closed")
    sys.stdout.flush()
    return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)


def _as_typed(prompt: str) -> str:
    """The prompt in UTF-8, where Python took the locale's word that arguments are ASCII."""
    try:
        return os.fsencode(prompt).decode()
    except UnicodeError:
        return prompt
