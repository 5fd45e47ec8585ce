"""Prints single jobs: results on standard output, messages on standard error."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kontext_cli.job import OPEN, Job, State
from kontext_cli.terminal.output import print_result, to_stderr
from kontext_cli.terminal.printable import one_line, printable
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.text import describe, error_lines


class View(Protocol):
    """Shows the progress of jobs on standard error.

    ``holds_results``: results for a terminal are held until the view is closed, which they would
    garble.
    """

    holds_results: bool

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """A job has changed state, or its provider sent logs."""

    def say(self, line: str) -> None:
        """Print a message to standard error, already escaped."""

    def warn(self, line: str) -> None:
        """Print a line of an error, already escaped."""

    def drop(self, job: Job) -> None:
        """A job has ended, and is about to be reported."""

    def close(self) -> None:
        """Remove what was drawn."""


class Silence:
    """The view of `--quiet`: only errors."""

    holds_results = False

    def show(self, job: Job, logs: Sequence[str]) -> None: ...

    def say(self, line: str) -> None: ...

    def warn(self, line: str) -> None:
        to_stderr(line)

    def drop(self, job: Job) -> None: ...

    def close(self) -> None: ...


class Lines:
    """Plain lines, one for each change: for logs, pipes and pipelines."""

    holds_results = False

    def show(self, job: Job, logs: Sequence[str]) -> None:
        for log in logs:
            names_it = log.startswith(job.provider)
            self.say(one_line(log) if names_it else f"{job.provider}: {one_line(log)}")
        if not logs:
            self.say(f"job {job.id}: {describe(job)}")

    def say(self, line: str) -> None:
        to_stderr(line)

    def warn(self, line: str) -> None:
        to_stderr(line)

    def drop(self, job: Job) -> None: ...

    def close(self) -> None: ...


class Report:
    """Prints results and errors, as text or JSON, while a view shows the progress."""

    def __init__(self, view: View, *, as_json: bool = False) -> None:
        self._view = view
        self._as_json = as_json
        self._holding = view.holds_results and sys.stdout is not None and sys.stdout.isatty()
        self._held: list[str] = []
        self.show_relative = False
        """Whether paths are printed relative to the working directory, as they were given."""
        self.downloads = True
        """Whether this command downloads the files of ready jobs."""

    def watch(self, job: Job, logs: Sequence[str]) -> None:
        """Show a job's progress; its end is reported by ``ended``."""
        shown = job.state in OPEN and (self.downloads or job.state is not State.READY)
        if logs or shown:
            self._view.show(job, logs)

    def notice(self, text: str) -> None:
        """Print a message that is not an error."""
        self._view.say(f"notice: {one_line(text)}")

    def ended(self, job: Job) -> None:
        """Report the end of a job: its files, or its error."""
        self._view.drop(job)
        if self._as_json:
            self._result(as_line(job_record(job)))
        else:
            for file in job.files:
                self._result(self._shown(file.path))
        if job.error:
            for line in error_lines(job.error, job):
                self._view.warn(printable(line))
        else:
            self._view.say(f"job {job.id}: {describe(job)}")

    def listed(self, job: Job) -> None:
        """Print a job that is left alone, with `--json` only; otherwise a notice lists it."""
        if self._as_json:
            self._result(as_line(job_record(job)))

    def submitted(self, job: Job) -> None:
        """Print the id of a submitted job that is not waited for."""
        self._view.drop(job)
        self._result(as_line(job_record(job)) if self._as_json else job.id)
        self._view.say(f"job {job.id} continues at {job.provider}: kontext fetch {job.id}")

    def close(self) -> None:
        """Remove what was drawn, and print the results that were held back."""
        self._view.close()
        self._holding = False
        while self._held:
            print_result(self._held.pop(0))

    def _result(self, line: str) -> None:
        if self._holding:
            self._held.append(line)
        else:
            print_result(line)

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path) if self.show_relative else str(path)
