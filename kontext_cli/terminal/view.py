"""Shows jobs while they run, on standard error: silent, or as plain lines. `live` draws them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kontext_cli.job import Job, Note
from kontext_cli.terminal.output import draw_on_stderr, print_result, to_stderr
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.text import describe

PastRunTimes = Callable[[], Mapping[tuple[str, str, str], float]]
"""Looks up the usual seconds of jobs by provider, model and operation."""


class View(Protocol):
    """Shows the jobs of a command, and prints its lines where they do not garble what is drawn.

    ``has_bar``: it shows how many rows of a batch have ended, so that no line needs to.
    """

    has_bar: bool

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """A job has changed state, or its provider sent logs."""

    def drop(self, job: Job) -> None:
        """A job has ended, and is about to be reported."""

    def result(self, line: str, path: str | None = None) -> None:
        """Print a line to standard output; ``path`` is the absolute path that it names, if any."""

    def message(self, line: str) -> None:
        """Print a message to standard error, already escaped."""

    def error(self, line: str) -> None:
        """Print a line of an error, already escaped."""

    def image(self, drawn: str) -> None:
        """Print an image to standard error: our own sequences, without the last line feed."""

    def refresh(self) -> None:
        """Called now and then while jobs run."""

    def close(self) -> None:
        """Remove what was drawn."""


class Silent:
    """The view of `--quiet`: only results and errors."""

    has_bar = False

    def show(self, job: Job, logs: Sequence[str]) -> None: ...

    def drop(self, job: Job) -> None: ...

    def result(self, line: str, path: str | None = None) -> None:
        print_result(line, path)

    def message(self, line: str) -> None: ...

    def error(self, line: str) -> None:
        to_stderr(line)

    def image(self, drawn: str) -> None:
        draw_on_stderr(drawn)

    def refresh(self) -> None: ...

    def close(self) -> None: ...


class Lines(Silent):
    """Plain lines, for logs, pipes and pipelines."""

    def __init__(self, *, every_change: bool = True, logs: bool = False) -> None:
        """``every_change``: print a line for each change of a job; ``logs``: also the log of its
        provider."""
        self._every_change = every_change
        self._logs = logs
        self._printed: dict[str, str] = {}

    def show(self, job: Job, logs: Sequence[str]) -> None:
        if not self._every_change:
            return
        for log in logs:
            if self._logs or isinstance(log, Note):
                names_it = log.startswith(job.provider)
                self.message(one_line(log) if names_it else f"{job.provider}: {one_line(log)}")
        described = describe(job)
        if not logs and self._printed.get(job.id) != described:
            self._printed[job.id] = described
            self.message(f"job {job.id}: {described}")

    def message(self, line: str) -> None:
        to_stderr(line)
