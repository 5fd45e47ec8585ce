"""The program as a user runs it: a process with its own streams, or its commands right here.

Every process of the tests gets an environment that is built here, so that a test sees the same on
every machine.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from io import BytesIO, TextIOWrapper
from pathlib import Path
from tempfile import TemporaryFile
from types import MappingProxyType, ModuleType
from typing import Any, TextIO

import pytest

from kontext_cli.cli.main import run
from kontext_cli.commands import session
from kontext_cli.engine import follow
from kontext_cli.http import retry
from kontext_cli.sandbox import replies, workshop

PROGRAM = [sys.executable, "-m", "kontext_cli"]

_NEEDED = (
    *("PATH", "TMPDIR", "TEMP", "TMP"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"),  # a Python may not start without
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "USERNAME"),
    *("NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
)


def _in_memory() -> dict[str, str]:
    """Where temporary files are, on Linux: every step of a job is synced, and on a disk that is
    most of the time these tests take. In a container there may be too little room for them."""
    memory = "/dev/shm"
    if sys.platform != "linux" or not os.access(memory, os.W_OK):
        return {}
    there = os.statvfs(memory)
    is_small = there.f_bavail * there.f_frsize < 2**29
    return {} if is_small or there.f_flag & os.ST_NOEXEC else {"TMPDIR": memory}


MACHINE: Mapping[str, str] = MappingProxyType(
    _in_memory() | {name: os.environ[name] for name in _NEEDED if name in os.environ}
)
"""What programs need to know of the machine, and all that the tests take from their environment."""

_HOMES = {
    "HOME": "",
    "USERPROFILE": "",
    "APPDATA": "AppData/Roaming",
    "LOCALAPPDATA": "AppData/Local",
    "XDG_CONFIG_HOME": ".config",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_RUNTIME_DIR": ".run",
}
_AS_IS: Mapping[str, str | None] = MappingProxyType({})
NO_DRAWINGS = ("_SMALLEST_DRAWING", 2**20)
"""Has the sandbox make images of one colour."""
QUICK: Sequence[tuple[ModuleType, str, Any]] = (
    (session, "SANDBOX_SECONDS", 0.0),
    (follow, "_FIRST_POLL", 0.01),
    (follow, "_LOOKS", (0.0, 0.01, 0.02)),
    (retry, "_FIRST", 0.02),
    (replies, "_SLOW_SECONDS", 0.5),
    (workshop, *NO_DRAWINGS),
    (signal, "valid_signals", cache(signal.valid_signals)),
)
"""What takes less time in these tests than for a user: pauses, in seconds, drawings, and what
asyncio asks each time (3 % of a run)."""


def homes(home: Path) -> dict[str, str]:
    """The variables that say where a user's files are."""
    return {name: str(home / folder) for name, folder in _HOMES.items()}


def bare_environment(home: Path) -> dict[str, str]:
    """The environment in which each test begins: no keys, no proxies, no settings of Python."""
    return {**MACHINE, **homes(home), "LANG": "C.UTF-8", "NO_COLOR": "1", "COLUMNS": "100"}


def environment(changes: Mapping[str, str | None] = _AS_IS) -> dict[str, str]:
    """The environment of a process that a test starts: the test's own, with ``changes``.

    A variable that is None there is not set.
    """
    values = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return {name: value for name, value in {**values, **changes}.items() if value is not None}


def kontext(
    *argv: str, cwd: Path, stdin: bytes | None = None, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end; standard input is empty unless given."""
    return subprocess.run(
        [*PROGRAM, *argv],
        cwd=cwd,
        input=b"" if stdin is None else stdin,
        env=environment(environ),
        capture_output=True,
        timeout=60,
        check=False,
    )


def run_here(
    *argv: str, cwd: Path, environ: Mapping[str, str | None] = _AS_IS, **streams: TextIO
) -> int:
    """Run the program within this process, with other standard streams; its exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        for module, constant, quick in QUICK:
            patch.setattr(module, constant, quick)
        for name, value in environ.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, value)
        for name, stream in streams.items():
            patch.setattr(sys, name, stream)
        return run(argv)


def kontext_here(*argv: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """As ``kontext``, within this process."""
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err, TextIOWrapper(BytesIO()) as none:
        code = run_here(*argv, cwd=cwd, environ=environ, stdin=none, stdout=out, stderr=err)
        written = []
        for stream in (out, err):
            stream.seek(0)
            written.append(bytes(stream.buffer.read()))
    return subprocess.CompletedProcess(argv, code, *written)


class RightHere:
    """Runs of the program within this process: a tenth of the time, where all that matters of a
    process is what it prints and leaves."""

    def __init__(self, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capfdbinary

    def __call__(
        self,
        *argv: str,
        cwd: Path,
        stdin: bytes = b"",
        environ: Mapping[str, str | None] = _AS_IS,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program to its end; standard input is empty unless given."""
        with TextIOWrapper(BytesIO(stdin)) as given:
            code = run_here(*argv, cwd=cwd, environ=environ, stdin=given)
        out, err = self._capture.readouterr()
        return subprocess.CompletedProcess(argv, code, out, err)


def start(
    *argv: str, cwd: Path, through: Sequence[str] = (), **options: Any
) -> subprocess.Popen[bytes]:
    """Start the program and leave it running; ``through`` is put before its command.

    ``options`` are those of `Popen`, but for ``environ``, the changes to its environment.
    """
    environ = environment(options.pop("environ", _AS_IS))
    return subprocess.Popen([*through, *PROGRAM, *argv], cwd=cwd, env=environ, **options)


HEAVY = {
    "httpx2",
    "pydantic",
    "rich",
    "rich.progress",
    "asyncio",
    "PIL",
    "starlette",
    "uvicorn",
    "sqlite3",
    "psycopg",
}
"""Libraries that take tens of milliseconds to import."""


def imported(*argv: str) -> set[str]:
    """The modules that a run of the command line imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kontext_cli", *argv],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    rows = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {row.rpartition("|")[2].strip() for row in rows}
