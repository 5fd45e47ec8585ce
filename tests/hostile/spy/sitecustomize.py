"""Loaded by Python before the program: listens to its loggers and to what it does to the system,
and lets it crash or die where a test says so."""

import importlib
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

_STARTS = ("subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "pty.")
_ASKED = ("socket.getaddrinfo", "socket.gethostbyname")


def _listen(folder: Path) -> None:
    """Write down each log record, and each process or look-up of a name that is begun."""
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    handler = logging.FileHandler(folder / "log", encoding="utf-8", errors="backslashreplace")
    handler.setFormatter(logging.Formatter("%(name)s\t%(message)s"))
    root.addHandler(handler)
    audit = (folder / "audit").open("a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def hear(event: str, args: tuple[Any, ...]) -> None:
        if event.startswith(_STARTS) or event in _ASKED:
            audit.write(f"{event}\t{args!r}\n")

    sys.addaudithook(hear)


def _crash(*_args: object, **_more: object) -> NoReturn:
    """What a mistake of ours could look like at its worst: it quotes what it was given."""
    raise RuntimeError(f"cannot use {os.environ['FAL_KEY']} {os.environ['FAL_KEY']!r}")


def _die(*_args: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _replace(place: str, by: Any) -> None:
    module, _, name = place.partition(":")
    owner = importlib.import_module(module)
    *within, last = name.split(".")
    for each in within:
        owner = getattr(owner, each)
    setattr(owner, last, by)


if _folder := os.environ.get("SPY_FOLDER"):
    _listen(Path(_folder))
if _place := os.environ.get("SPY_CRASH"):
    _replace(_place, _crash)
if _place := os.environ.get("SPY_KILL"):
    _replace(_place, _die)
