"""What is printed: results on standard output, talk on standard error."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from kontext_cli.job import OPEN, Job, State
from kontext_cli.terminal.output import tell_result, to_stderr
from kontext_cli.terminal.printable import one_line, printable
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.text import describe, error_lines


class View(Protocol):
    """Shows jobs under way on standard error.

    ``holds_results`` says that lines on a terminal's standard output would tear what it draws.
    """

    holds_results: bool

    def show(self, job: Job, logs: Sequence[str]) -> None:
        """A job has changed, or has something to say."""

    def say(self, line: str) -> None:
        """A line for the person at the terminal, already printable."""

    def warn(self, line: str) -> None:
        """A line of an error, already printable."""

    def drop(self, job: Job) -> None:
        """A job has ended, and is about to be told."""

    def close(self) -> None:
        """Take away whatever was drawn."""


class Silence:
    """The view of `--quiet`: errors alone."""

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
    """Tells results and errors in the form that was asked for, while a view shows the way."""

    def __init__(self, view: View, *, as_json: bool = False) -> None:
        self._view = view
        self._as_json = as_json
        self._holding = view.holds_results and sys.stdout is not None and sys.stdout.isatty()
        self._held: list[str] = []
        self.show_relative = False
        """Whether paths are shown from the working folder, because they were typed so."""
        self.downloads = True
        """Whether the files of a job that is ready are downloaded now."""

    def watch(self, job: Job, logs: Sequence[str]) -> None:
        """Follow a job; the end of a job is told by ``ended``."""
        shown = job.state in OPEN and (self.downloads or job.state is not State.READY)
        if logs or shown:
            self._view.show(job, logs)

    def notice(self, text: str) -> None:
        """Something the user should know that is no error."""
        self._view.say(f"notice: {one_line(text)}")

    def ended(self, job: Job) -> None:
        """Tell how a job ended: its files, or its error."""
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
        """Print a job that is left alone, for programs only: people are told by a notice."""
        if self._as_json:
            self._result(as_line(job_record(job)))

    def submitted(self, job: Job) -> None:
        """Tell the id of a job that goes on by itself."""
        self._view.drop(job)
        self._result(as_line(job_record(job)) if self._as_json else job.id)
        self._view.say(f"job {job.id} goes on at {job.provider}: kontext fetch {job.id}")

    def close(self) -> None:
        """Take away whatever was drawn, and print what was held back for it."""
        self._view.close()
        self._holding = False
        while self._held:
            tell_result(self._held.pop(0))

    def _result(self, line: str) -> None:
        if self._holding:
            self._held.append(line)
        else:
            tell_result(line)

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path) if self.show_relative else str(path)
