"""Processes run in turn, and what each of them took."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Thread, Timer
from typing import Generic, TypeVar

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes in a unit of `ru_maxrss`: getrusage(2) counts in KiB but on macOS."""

T = TypeVar("T")


class Failed(Exception):
    """A run that failed, with the last line of its output."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process: when it began on the monotonic clock, and its seconds and bytes."""

    began: float
    wall: float
    cpu: float
    """Seconds in user and system, of all its threads and of the processes it waited for."""
    peak: int
    """The most memory in bytes. The system counts from what the parent holds when it starts the
    process, which therefore has to stay small."""


@dataclass(slots=True)
class Series(Generic[T]):
    """The results of one client in all rounds; ``failed`` says why it no longer runs."""

    results: list[T] = field(default_factory=list)
    failed: str | None = None

    def median(self, of: Callable[[T], float | None]) -> float | None:
        """The median of a measure over the rounds that have it; None where none has."""
        values = [value for each in self.results if (value := of(each)) is not None]
        return median(values) if values else None


def run(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    folder: Path,
    timeout: float = 60.0,
    code: int = 0,
    on_terminal: bool = False,
) -> Run:
    """Run a process in a folder and in a group of its own, with a terminal or without.

    Raises Failed where it does not exit with ``code``, or takes more than ``timeout`` seconds.
    """
    talk = folder / "stderr.txt"
    with _terminal(talk) if on_terminal else _no_terminal(talk) as (stdin, stdout, stderr):
        began = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environ,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        alarm = Timer(timeout, _kill_group, [process.pid])
        alarm.daemon = True
        alarm.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
            wall = time.monotonic() - began
        except BaseException:
            _kill_group(process.pid)
            process.wait()
            raise
        finally:
            alarm.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != code:
        raise Failed(_last_words(talk, process.returncode, wall >= timeout))
    return Run(began, wall, used.ru_utime + used.ru_stime, used.ru_maxrss * _RSS_UNIT)


def in_turn(rounds: int, contestants: Mapping[str, Callable[[int], T]]) -> dict[str, Series[T]]:
    """Run every client once in each round, starting each round with another one.

    A contestant is given the number of the round. Round 0 warms caches up and does not count,
    unless it is the only one.
    """
    all_series: dict[str, Series[T]] = {name: Series() for name in contestants}
    names = list(contestants)
    for number in range(rounds + 1 if rounds > 1 else 1):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            series = all_series[name]
            if series.failed is None:
                try:
                    result = contestants[name](number)
                except Failed as error:
                    series.failed = str(error)
                    continue
                if number > 0 or rounds == 1:
                    series.results.append(result)
    return all_series


def notes(all_series: Mapping[str, Series[T]]) -> list[str]:
    """Which clients failed, and how."""
    return [f"{name}: {each.failed}" for name, each in all_series.items() if each.failed]


Streams = tuple[int, int, int]
"""Standard input, output and error of a process."""


@contextmanager
def _no_terminal(talk: Path) -> Iterator[Streams]:
    with talk.open("wb") as stderr:
        yield subprocess.DEVNULL, subprocess.DEVNULL, stderr.fileno()


@contextmanager
def _terminal(talk: Path) -> Iterator[Streams]:
    """A terminal of its own; what it shows goes to ``talk``."""
    import pty

    ours, theirs = pty.openpty()
    reader = Thread(target=_copy, args=(ours, talk))
    reader.start()
    try:
        yield theirs, theirs, theirs
    finally:
        os.close(theirs)
        reader.join()


def _copy(terminal: int, talk: Path) -> None:
    """Read what is shown until all that write there have gone, which Linux reports as an error."""
    with talk.open("wb") as shown, open(terminal, "rb", buffering=0) as stream, suppress(OSError):
        while chunk := stream.read(65_536):
            shown.write(chunk)


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _last_words(talk: Path, code: int, late: bool) -> str:
    if late:
        return "it took too long, and was ended"
    lines = talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("error:")]
    said = (errors or lines[-1:] or ["without a word"])[0]
    return f"exit {code}: {said[:160]}"
