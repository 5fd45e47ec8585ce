"""The program as a user runs it: a process with its own streams, or its commands right here."""

import os
import subprocess
import sys
from collections.abc import Mapping
from io import BytesIO, TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from kontext_cli.cli import run

PROGRAM = [sys.executable, "-m", "kontext_cli"]


def kontext(
    *argv: str, cwd: Path, stdin: bytes | None = None, **environ: str
) -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end; standard input is empty unless given."""
    return subprocess.run(
        [*PROGRAM, *argv],
        cwd=cwd,
        input=b"" if stdin is None else stdin,
        env={**os.environ, **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )


_AS_IS: Mapping[str, str] = MappingProxyType({})


class RightHere:
    """Runs of the program within this process: a tenth of the time, where all that matters of a
    process is what it prints and leaves."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capture = capfdbinary

    def __call__(
        self, *argv: str, cwd: Path, stdin: bytes = b"", environ: Mapping[str, str] = _AS_IS
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the program to its end; standard input is empty unless given."""
        with TextIOWrapper(BytesIO(stdin)) as given, self._monkeypatch.context() as patch:
            patch.chdir(cwd)
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr(sys, "stdin", given)
            code = run(argv)
        out, err = self._capture.readouterr()
        return subprocess.CompletedProcess(argv, code, out, err)


def start(*argv: str, cwd: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the program and leave it running."""
    environ = {**os.environ, **options.pop("environ", {})}
    return subprocess.Popen([*PROGRAM, *argv], cwd=cwd, env=environ, **options)
