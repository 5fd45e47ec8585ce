"""Scripts beside this one in processes of their own, which talk by lines."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

_HERE = Path(__file__).parent
_UNCHANGED: Mapping[str, str] = MappingProxyType({})


class Script:
    """A script that runs; it ends with its standard input, at the latest."""

    def __init__(self, name: str, argv: tuple[str, ...], environ: Mapping[str, str]) -> None:
        # In a session of its own, Ctrl-C does not reach it.
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE / name), *argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environ},
            start_new_session=True,
        )

    def line(self) -> str:
        """The next line that it prints; empty where it ended instead."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def poke(self) -> None:
        """Send it an empty line."""
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)

    def wait(self) -> int:
        """Wait for its end; its exit code."""
        return self._process.wait()

    def end(self) -> None:
        """Close its standard input, and wait for its end."""
        self._process.communicate()


@contextmanager
def running(name: str, *argv: object, environ: Mapping[str, str] = _UNCHANGED) -> Iterator[Script]:
    """A script beside this file, with ``environ`` set beside the usual."""
    script = Script(name, tuple(map(str, argv)), environ)
    try:
        yield script
    finally:
        script.end()
