"""The process's own streams: standard input, which can be one thing, and output as bytes."""

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from kontext_cli.errors import OutputFault, UsageError
from kontext_cli.settings.paths import from_home
from kontext_cli.terminal.output import to_stderr

_STANDARD_OUTPUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_MOST_PROMPT_BYTES = 64 * 2**20
"""Far more than any prompt, so that the length of what is too long can be told."""
_SILENT_SECONDS = 1.0
"""How long an open pipe may send nothing before the user is told what is being waited for."""


def check_single_use(prompt: str | None, images: Sequence[str]) -> None:
    """Raises UsageError where more than one argument is `-`."""
    if [prompt, *images].count("-") > 1:
        raise UsageError("standard input (`-`) can be only one thing")
    if prompt is None and "-" in images:
        raise UsageError(
            "the prompt is missing: standard input is the image",
            hint='kontext edit "make it winter" -i -',
        )


def output_path(typed: str | None) -> str | None:
    """What `-o` names: `-` by any of the names of standard output, a path from home by `~`."""
    if typed in _STANDARD_OUTPUT:
        return "-"
    return None if typed is None else from_home(typed)


def read_prompt(prompt: str | None, operation: str, *, quiet: bool = False) -> str:
    """The prompt as given, or from standard input; a line feed at its end is not part of it.

    Standard input is read for `-`, and where no prompt was given and text may be piped in.
    Raises UsageError where there is none.
    """
    if prompt is not None and prompt != "-":
        return _as_typed(prompt)
    if prompt is None:
        raw = _piped(operation, quiet=quiet)
    else:
        raw = _read(typed_bytes("the prompt", quiet=quiet))
    if len(raw) > _MOST_PROMPT_BYTES:
        raise UsageError(
            f"the prompt on standard input is larger than {_MOST_PROMPT_BYTES // 2**20} MiB"
        )
    try:
        text = raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise UsageError("the prompt on standard input is not UTF-8 text") from None
    if prompt is None and "\n" in text and not quiet:
        to_stderr("notice: the lines of standard input are one prompt; -f - makes a job of each")
    return text


def stdin_bytes() -> BinaryIO:
    """Standard input as bytes. Raises UsageError where it is closed."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin.buffer


def piped_image() -> BinaryIO:
    """Standard input as an image. Raises UsageError where it is closed, or a terminal."""
    stream = stdin_bytes()
    if sys.stdin.isatty():
        raise UsageError(
            "`-i -` reads an image from standard input, and that is the terminal",
            hint='cat house.jpg | kontext edit "make it winter" -i -',
        )
    return stream


def typed_bytes(what: str, *, quiet: bool = False) -> BinaryIO:
    """Standard input as bytes; at a terminal, it is said how to end it. Raises UsageError."""
    stream = stdin_bytes()
    if sys.stdin.isatty() and not quiet:
        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        to_stderr(f"Type {what}; {end} on a new line ends it.")
    return stream


def stdout_bytes() -> BinaryIO:
    """Standard output as unbuffered bytes. Raises OutputFault where it is closed."""
    if sys.stdout is None:
        raise OutputFault("standard output is closed")
    sys.stdout.flush()
    return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)


def break_line() -> None:
    """End the line of a terminal on which Ctrl-C was pressed, for the shell's next prompt."""
    if sys.stderr is not None and sys.stderr.isatty():
        to_stderr("")


def _piped(operation: str, *, quiet: bool) -> bytes:
    """What is piped in. Raises UsageError at a terminal, and where there is nothing."""
    missing = UsageError(
        "the prompt is missing",
        hint=f'kontext {operation} "{_EXAMPLES[operation]}", or - to read it from standard input',
    )
    if sys.stdin is None or sys.stdin.isatty():
        raise missing
    # A pipe that is never closed is common under cron and in pipelines.
    from threading import Timer

    waiting = Timer(_SILENT_SECONDS, to_stderr, [_WAITING])
    waiting.daemon = True
    if not quiet:
        waiting.start()
    try:
        raw = _read(sys.stdin.buffer)
    except UsageError:
        raise missing from None
    finally:
        waiting.cancel()
    if not raw.strip():
        raise missing
    return raw


_EXAMPLES = {"generate": "a red fox", "edit": "make it winter"}
_WAITING = (
    "notice: there is no PROMPT, so standard input is read to its end; nothing has come yet "
    '(Ctrl-C stops, < /dev/null or kontext generate "…" avoids it)'
)


def _read(stream: BinaryIO) -> bytes:
    """All bytes, or a few more than a prompt may have. Raises UsageError where that fails."""
    try:
        return stream.read(_MOST_PROMPT_BYTES + 1)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"standard input cannot be read: {reason}") from None


def _as_typed(prompt: str) -> str:
    """The prompt in UTF-8, where Python took the locale's word that arguments are ASCII."""
    try:
        return os.fsencode(prompt).decode()
    except UnicodeError:
        return prompt
