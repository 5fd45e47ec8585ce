"""Standard input, which only one argument can use, and standard output as bytes."""

import os
import sys
from collections.abc import Sequence
from typing import BinaryIO

from kontext_cli.errors import OutputFault, UsageError
from kontext_cli.settings.paths import from_home
from kontext_cli.terminal.output import to_stderr

_STANDARD_OUTPUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
_MOST_PROMPT_BYTES = 64 * 2**20
"""Far more than any prompt, so that the error can state the length of one that is too long."""
_SILENT_SECONDS = 1.0
"""After so many seconds without data from a pipe, a notice says what is being waited for."""


def check_single_use(
    prompt: str | None, images: Sequence[str], prompts_files: Sequence[str] = ()
) -> None:
    """Raises UsageError if more than one argument is `-`, or it leaves no prompt."""
    if [prompt, *prompts_files, *images].count("-") > 1:
        raise UsageError("only one argument can be standard input (`-`)")
    if prompt is None and not prompts_files and "-" in images:
        raise UsageError(
            "the prompt is missing: standard input is the image",
            hint='kontext edit "make it winter" -i -',
        )


def output_path(typed: str | None) -> str | None:
    """The path given with `-o`: `-` for any name of standard output, with `~` expanded."""
    if typed in _STANDARD_OUTPUT:
        return "-"
    return None if typed is None else from_home(typed)


def read_prompt(prompt: str | None, operation: str, *, quiet: bool = False) -> str:
    """The prompt as given, or from standard input without its final line feeds.

    Standard input is read for `-`, and if no prompt is given and it is not a terminal.
    Raises UsageError if there is no prompt.
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
        to_stderr("notice: standard input is read as one prompt; use -f - for one job per line")
    return text


def stdin_bytes() -> BinaryIO:
    """Standard input as bytes. Raises UsageError if it is closed."""
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    return sys.stdin.buffer


def piped_image() -> BinaryIO:
    """Standard input as an image. Raises UsageError if it is closed, or a terminal."""
    stream = stdin_bytes()
    if sys.stdin.isatty():
        raise UsageError(
            "`-i -` reads an image from standard input, which is a terminal",
            hint='cat house.jpg | kontext edit "make it winter" -i -',
        )
    return stream


def typed_bytes(what: str, *, quiet: bool = False) -> BinaryIO:
    """Standard input as bytes; at a terminal, prints how to end it. Raises UsageError."""
    stream = stdin_bytes()
    if sys.stdin.isatty() and not quiet:
        end = "Ctrl-Z and Enter" if sys.platform == "win32" else "Ctrl-D"
        to_stderr(f"Type {what}, then press {end} on a new line.")
    return stream


def stdout_bytes() -> BinaryIO:
    """Standard output as unbuffered bytes. Raises OutputFault if it is closed."""
    if sys.stdout is None:
        raise OutputFault("standard output is closed")
    sys.stdout.flush()
    return open(sys.stdout.fileno(), "wb", buffering=0, closefd=False)


def break_line() -> None:
    """After Ctrl-C at a terminal, end its line for the shell's next prompt."""
    if sys.stderr is not None and sys.stderr.isatty():
        to_stderr("")


def _piped(operation: str, *, quiet: bool) -> bytes:
    """The piped input. Raises UsageError at a terminal, and if it is empty."""
    missing = UsageError(
        "the prompt is missing",
        hint=f'kontext {operation} "{_EXAMPLES[operation]}", or - to read it from standard input',
    )
    if sys.stdin is None or sys.stdin.isatty():
        raise missing
    # A pipe that is never closed is common in cron and CI jobs.
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
    "notice: no PROMPT given, waiting for standard input "
    "(press Ctrl-C to stop; give a PROMPT or < /dev/null to avoid this)"
)


def _read(stream: BinaryIO) -> bytes:
    """All bytes, up to one more than a prompt may have. Raises UsageError if reading fails."""
    try:
        return stream.read(_MOST_PROMPT_BYTES + 1)
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"standard input cannot be read: {reason}") from None


def _as_typed(prompt: str) -> str:
    """The prompt decoded as UTF-8, even if the locale made Python decode arguments as ASCII."""
    try:
        return os.fsencode(prompt).decode()
    except UnicodeError:
        return prompt
