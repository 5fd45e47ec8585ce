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
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages
from types import MappingProxyType
from typing import Any, NoReturn

import kontext_cli
from kontext_cli import __main__, failpoint
from processes import PROGRAM, QUICK, bare_environment, environment, start
from soaking import SOAK

_FORKS = sys.platform == "linux" and not SOAK and find_spec("obstore") is None
"""On macOS, the system's own libraries may not be used after a fork; nor may that of obstore, which
`make engines` has in its environment."""
_OPTIONS = {"cwd", "stdin", "stdout", "stderr", "umask", "start_new_session", "process_group"}
"""Those of `Popen` that a forked child heeds."""
_OF_THE_START = ("PYTHON", "LANG", "LC_", "TZ", "LD_", "SSL_")
"""The beginnings of variables that have their effect as a process starts."""
_OF_EXTRAS = {"obstore", "psycopg"}
"""Libraries that the program has only where a user asked for them."""
_USUAL = bare_environment(Path(os.devnull))


def begin(
    *argv: str,
    through: Sequence[str] = (),
    environ: Mapping[str, str | None] = MappingProxyType({}),
    **options: Any,
) -> "subprocess.Popen[bytes]":
    """As ``processes.start``, in a forked child where that does the same."""
    env = environment(environ)
    unusual = any(name.startswith(_OF_THE_START) for name, _ in env.items() ^ _USUAL.items())
    if _FORKS and not (through or unusual or options.keys() - _OPTIONS):
        return _forked(*argv, env=env, **options)
    return start(*argv, through=through, environ=environ, **options)


def kontext(
    *argv: str, cwd: Path, stdin: bytes = b"", **environ: str
) -> "subprocess.CompletedProcess[bytes]":
    """As ``processes.kontext``, in a forked child where that does the same."""
    streams: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with begin(*argv, cwd=cwd, environ=environ, **streams) as process:
        try:
            out, err = process.communicate(stdin, timeout=60)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def _forked(*argv: str, env: Mapping[str, str], **options: Any) -> "subprocess.Popen[bytes]":
    import_all()

    def program() -> NoReturn:
        try:
            _become(argv, env)
            __main__.main()
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)

    command = [*PROGRAM, *argv]
    return subprocess.Popen(command, env=env, preexec_fn=program, **options)  # noqa: PLW1509


@cache
def import_all() -> None:
    """Import the whole program, as far as its libraries are installed."""
    for module in walk_packages(kontext_cli.__path__, "kontext_cli."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ModuleNotFoundError as error:
                if error.name not in _OF_EXTRAS:
                    raise


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
