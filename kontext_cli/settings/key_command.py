"""`key_command`: a program of the user's that prints a provider's key, as password managers do."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Event, Thread
from time import monotonic
from typing import IO

from kontext_cli.errors import InvalidKey, MissingKey
from kontext_cli.settings.paths import from_home

LIMIT_SECONDS = 30.0
_MOST_BYTES = 4_096


def printed_key(
    command: Sequence[str], source: str, folder: Path, limit: float = LIMIT_SECONDS
) -> str:
    """The key that a command prints on standard output. It runs without a shell, in ``folder``.

    Its standard error, and the terminal, stay those of kontext: it may ask for a passphrase there.
    ``source`` names it in errors, which never contain what it printed. Raises MissingKey where it
    fails, InvalidKey for more than one line.
    """
    code, output = _run(to_run(command, folder), source, folder, limit)
    if code:
        ended = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise MissingKey(f"{source} failed with {ended}", hint="run it by itself to see why")
    if len(output) > _MOST_BYTES:
        raise InvalidKey(f"{source} printed more than {_MOST_BYTES:,} bytes")
    text = output.decode("utf-8", "replace").strip()
    if not text:
        raise MissingKey(f"{source} printed nothing")
    if len(text.splitlines()) > 1:
        raise InvalidKey(
            f"{source} printed several lines",
            hint='let it print the key alone, as ["sh", "-c", "… | head -n 1"] does',
        )
    return text


def to_run(command: Sequence[str], folder: Path) -> list[str]:
    """The command with its program as a full path, where it is one: that of ``~``, or of a file
    beside `config.toml`."""
    program = from_home(command[0])
    is_path = os.sep in program or "/" in program
    return [str(folder.absolute() / program) if is_path else program, *command[1:]]


def _run(command: Sequence[str], source: str, folder: Path, limit: float) -> tuple[int, bytes]:
    """Run the command; its exit code and its output, or the start of one that is too long."""
    end = monotonic() + limit
    try:
        process = subprocess.Popen(  # noqa: S603  # the user's own words, and no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, cwd=folder
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "there is no such program" if missing else error.strerror
        raise MissingKey(f"{source} cannot be run: {reason}") from None
    output: Queue[bytes] = Queue()
    ended = Event()
    # In a thread: what the command started may keep the pipe open for ever.
    Thread(target=_read, args=(process.stdout, output, ended), daemon=True).start()
    try:
        start = output.get(timeout=limit)
        if len(start) > _MOST_BYTES:
            return 0, start
        return process.wait(max(end - monotonic(), 0)), start
    except (Empty, subprocess.TimeoutExpired):
        raise MissingKey(
            f"{source} did not end within {limit:g} seconds",
            hint="run it by itself: it may be waiting for a passphrase",
        ) from None
    finally:
        process.kill()
        process.wait()
        ended.set()


def _read(pipe: IO[bytes], output: Queue[bytes], ended: Event) -> None:
    """Read what a key can have and one byte more; the pipe stays open until the command ended, so
    that it cannot complain of a broken one."""
    with pipe:
        output.put(pipe.read(_MOST_BYTES + 1))
        ended.wait()
