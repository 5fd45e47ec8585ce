"""The program under strace: which calls it makes, and what becomes of it when one goes wrong."""

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from processes import MACHINE

_CALL = re.compile(r"(?P<thread>\d+) +(?P<name>\w+)\((?P<rest>.*)")
_PATH = re.compile(r'(?:\d<(?P<open>[^>]*)>|"(?P<named>[^"]*)")')


def with_site(name: str) -> dict[str, str]:
    """The environment of a program that begins with the `sitecustomize.py` in a folder here.

    ``spy`` listens to what the program does. ``interrupted`` has Ctrl-C come often. ``lone``
    has the work of all threads done by one, for strace counts calls by thread. ``clock`` has the
    time of day off by so many seconds as SECONDS_OFF says. ``locks`` has file locks that do
    nothing, ``pause`` waits where a test says so.
    """
    return {"PYTHONPATH": str(Path(__file__).parent / name)}


@functools.cache
def _may_trace() -> bool:
    """Whether a program can be traced here, and its calls be made to fail."""
    if shutil.which("strace") is None:
        return False
    trial = ["strace", "-f", "--seccomp-bpf", "-e", "inject=fsync:error=EIO", "-o", "/dev/null"]
    done = subprocess.run([*trial, "true"], env=MACHINE, capture_output=True, check=False)
    return done.returncode == 0


needs_strace = pytest.mark.skipif(not _may_trace(), reason="needs strace, and the right to trace")


class Call(NamedTuple):
    """One call as strace tells it; ``path`` is the first file that it names."""

    thread: int
    name: str
    path: str
    rest: str


def strace(
    log: Path, calls: str, *injections: str, only: Path | None = None, one_thread: bool = False
) -> Sequence[str]:
    """What to put before a command to have its ``calls`` written down, and some of them injected.

    ``injections`` are as ``fsync:error=EIO:when=3+``; their numbers count the calls of a thread,
    and with ``only`` those on that file alone. ``one_thread``: the others are not traced.
    """
    options = ["-y", "-s", "200", "-o", str(log), "-e", f"trace={calls}"]
    options += [] if one_thread else ["-f", "-qq"]
    options += ["--trace-path", str(only)] if only else []
    # Quicker, but signals are then never sent.
    filtered = not one_thread and not any("signal=" in each for each in injections)
    options += ["--seccomp-bpf"] if filtered else []
    return ["strace", *options, *(part for each in injections for part in ("-e", f"inject={each}"))]


def calls_in(log: Path) -> Iterator[Call]:
    """The calls that were written down, in the order in which they began."""
    for line in log.read_text(errors="replace").splitlines():
        found = _CALL.match(line)
        if found is not None:
            path = _PATH.search(found["rest"])
            name = (path["open"] or path["named"]) if path else ""
            yield Call(int(found["thread"]), found["name"], name, found["rest"])
