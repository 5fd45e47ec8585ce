"""Reports jobs while they run and as they end."""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from kontext_cli.files.place import is_object
from kontext_cli.job import ACCEPTED, OPEN, Job, State
from kontext_cli.terminal.printable import one_line, printable
from kontext_cli.terminal.records import as_line, job_record
from kontext_cli.terminal.text import describe, error_lines
from kontext_cli.terminal.view import PastRunTimes, View

OpenLive = Callable[[PastRunTimes], View]
"""Opens a live view, given the run times of earlier jobs."""

if TYPE_CHECKING:
    from kontext_cli.terminal.previews import Previews

_LATE = 10
"""Refreshes, in all a second."""


class Report:
    """Prints results, messages and errors, as text or JSON, while a view shows the progress."""

    refresh_seconds = 0.1
    """How often ``refresh`` is to be called."""

    def __init__(self, view: View, *, live: OpenLive | None = None, as_json: bool = False) -> None:
        """``live`` opens a view to replace ``view`` as soon as there is something to draw."""
        self._view = view
        self._live = live
        self._as_json = as_json
        self._submitting: dict[str, Job] = {}
        self._refreshes = 0
        self.show_relative = False
        """Whether paths are printed relative to the working directory, as they were given."""
        self.downloads = True
        """Whether this command downloads the files of ready jobs."""
        self.previews: Previews | None = None
        """Draws images as they are saved."""
        self.past_run_times: PastRunTimes = dict
        """How long jobs took before, to estimate how far others are."""

    def watch(self, job: Job, logs: Sequence[str]) -> None:
        """Show a job's progress; its end is reported by ``ended``.

        The live view opens when a job is sent, or late: importing what draws takes longer than
        sending it.
        """
        is_new = job.state is State.SUBMITTING and not logs and job.id not in self._submitting
        if is_new and self._live is not None:
            self._submitting[job.id] = job
            return
        shown = job.state in OPEN and (self.downloads or job.state is not State.READY)
        if logs or shown:
            self._drawn().show(job, logs)

    def notice(self, text: str) -> None:
        """Print a message that is not an error."""
        self._message(f"notice: {one_line(text)}")

    def passed_on(self, job: Job, successor: Job) -> None:
        """Report that a provider did not accept a job, and which one is tried now."""
        self._submitting.pop(job.id, None)
        self._view.drop(job)
        if job.error:
            self.notice(f"{job.error.message}; trying {successor.provider}")

    def ended(self, job: Job) -> None:
        """Report the end of a job: its files, or its error, or its id if it is not waited for."""
        self._submitting.pop(job.id, None)
        self._view.drop(job)
        self._print_result(job)
        if job.error:
            self._error(error_lines(job.error, job))
        elif job.state in ACCEPTED:
            self._message(
                f"job {job.id} continues at {job.provider}; to download: kontext fetch {job.id}"
            )
        else:
            self._message(f"job {job.id}: {describe(job)}")
        self._preview(job)

    def refresh(self) -> None:
        """Update the view."""
        self._print_previews()
        if self._submitting:
            self._refreshes += 1
            if self._refreshes >= _LATE:
                self._drawn()
        self._view.refresh()

    def close(self) -> None:
        """Draw the images that are left, and remove the view; nothing is drawn after that."""
        with suppress(KeyboardInterrupt):  # the jobs have ended
            for drawn in self.previews.rest() if self.previews else ():
                self._view.image(drawn)
        self.leave()

    def leave(self) -> None:
        """Remove the view without waiting for anything; nothing is drawn after that."""
        self._live = None
        self._submitting.clear()
        with suppress(KeyboardInterrupt):
            self._view.close()

    def _drawn(self) -> View:
        """The view, opened for drawing."""
        if self._live is not None:
            self._view, self._live = self._live(self.past_run_times), None
            for job in self._submitting.values():
                self._view.show(job, ())
            self._submitting.clear()
        return self._view

    def _message(self, line: str) -> None:
        self._view.message(line)

    def _error(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._view.error(printable(line))

    def _preview(self, job: Job) -> None:
        """Draw the images that a job has saved, for ``_print_previews`` or the end."""
        if self.previews and job.state is State.SAVED and not job.skipped:
            self.previews.add(file.path for file in job.files if not is_object(file.path))
            self._print_previews()

    def _print_previews(self) -> None:
        for drawn in self.previews.ready() if self.previews else ():
            self._view.image(drawn)

    def _print_result(self, job: Job, *, reason: str | None = None) -> None:
        if self._as_json:
            self._view.result(as_line(job_record(job, reason=reason)))
            return
        for file in job.files:
            path = str(file.path)
            self._view.result(self._shown(path), path)
        if job.error is None and job.state in ACCEPTED:
            self._view.result(job.id)

    def _shown(self, path: str) -> str:
        if not self.show_relative:
            return path
        here = os.path.join(os.getcwd(), "")  # noqa: PTH109, PTH118
        is_inside = path.startswith(here) and ".." not in path
        return path[len(here) :] if is_inside else os.path.relpath(path)  # which takes long
