"""The program as a user runs it: a whole process, with its own streams."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

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


def start(*argv: str, cwd: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the program and leave it running."""
    environ = {**os.environ, **options.pop("environ", {})}
    return subprocess.Popen([*PROGRAM, *argv], cwd=cwd, env=environ, **options)
