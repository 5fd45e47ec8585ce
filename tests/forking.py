"""The program in a child that is forked: a process of its own, without the start of Python.

That start, and the imports, are nine tenths of what a short run takes. What they do themselves is
tested with the real thing (``processes.start``); so is all in a soak.
"""

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pkgutil import walk_packages
from types import MappingProxyType
from typing import Any, NoReturn

import kontext_cli
from kontext_cli import __main__, failpoint
from processes import PROGRAM, QUICK, environment, start
from soaking import SOAK

_OPTIONS = {"cwd", "stdin", "stdout", "stderr", "umask", "start_new_session"}
"""Those of `Popen` that a forked child heeds."""
_OF_THE_START = ("PYTHON", "LANG", "LC_", "TZ", "LD_", "SSL_")
"""The beginnings of variables that have their effect as a process starts."""


def begin(
    *argv: str,
    through: Sequence[str] = (),
    environ: Mapping[str, str | None] = MappingProxyType({}),
    **options: Any,
) -> "subprocess.Popen[bytes]":
    """As ``processes.start``, in a forked child where that does the same.

    Only on Linux: on macOS, the system's own libraries may not be used after a fork.
    """
    from_the_start = through or any(name.startswith(_OF_THE_START) for name in environ)
    if sys.platform != "linux" or SOAK or from_the_start or options.keys() - _OPTIONS:
        return start(*argv, through=through, environ=environ, **options)
    return _forked(*argv, environ=environ, **options)


def _forked(
    *argv: str, environ: Mapping[str, str | None], **options: Any
) -> "subprocess.Popen[bytes]":
    import_all()
    there = environment(environ)

    def program() -> NoReturn:
        try:
            _become(argv, there)
            __main__.main()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    command = [*PROGRAM, *argv]
    return subprocess.Popen(command, env=there, preexec_fn=program, **options)  # noqa: PLW1509


@cache
def import_all() -> None:
    """Import the whole program."""
    for module in walk_packages(kontext_cli.__path__, "kontext_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _become(argv: Sequence[str], environ: Mapping[str, str]) -> None:
    """Be as a process is that has just begun."""
    os.closerange(3, 2**16)  # also the pipe that would say that no program was executed
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN)
    os.environ.clear()
    os.environ |= environ
    sys.argv = [PROGRAM[-1], *argv]
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape")
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)
    importlib.reload(failpoint)
    for module, name, value in QUICK:
        setattr(module, name, value)
