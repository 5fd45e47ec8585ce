"""Prints a batch: results and errors of rows, progress, and the summary."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kontext_cli.batch.progress import UNSUCCESSFUL, BatchProgress, Clock
from kontext_cli.batch.tally import KINDS, Tally
from kontext_cli.errors import Interrupted, KontextError
from kontext_cli.job import ACCEPTED, OPEN, Job, State
from kontext_cli.terminal.annotations import Annotations, RowError
from kontext_cli.terminal.output import on_actions, print_result, to_stderr
from kontext_cli.terminal.printable import one_line, printable
from kontext_cli.terminal.records import as_line, error_record, job_record, summary_record
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.skips import Skips
from kontext_cli.terminal.text import (
    bill_text,
    describe,
    error_lines,
    left_text,
    place_text,
    row_name,
    rows_text,
    spent_so_far,
    spent_text,
)

_FAILED = (State.FAILED, State.CANCELED, State.EXPIRED)
_SILENCE = 10.0
_EXPECTED = ("new", "forced")
_MOST_NOTICES = 20


class BatchView(Protocol):
    """Shows the progress of a batch on standard error, and prints its results."""

    def show(self, job: Job) -> None:
        """A job has started, or changed state."""

    def heard(self, job: Job, said: str) -> None:
        """The provider sent a log line for a job that is shown."""

    def drop(self, job: Job) -> None:
        """A row has ended, and is about to be reported."""

    def result(self, line: str) -> None:
        """Print a line to standard output."""

    def passed(self, text: str) -> None:
        """A row succeeded; ``text`` describes the result."""

    def skipped(self, reason: str) -> None:
        """A row was skipped."""

    def say(self, line: str) -> None:
        """Print a message to standard error, already escaped."""

    def warn(self, line: str) -> None:
        """Print a line of an error, already escaped."""

    def stopping(self) -> None:
        """No more rows are submitted."""

    def beat(self) -> None:
        """Called about once a second."""

    def close(self) -> None:
        """Remove what was drawn, and print what was held back."""


class BatchSilence:
    """The view of `--quiet`: only results and errors."""

    def show(self, job: Job) -> None: ...

    def heard(self, job: Job, said: str) -> None: ...

    def drop(self, job: Job) -> None: ...

    def result(self, line: str) -> None:
        print_result(line)

    def passed(self, text: str) -> None: ...

    def skipped(self, reason: str) -> None: ...

    def say(self, line: str) -> None: ...

    def warn(self, line: str) -> None:
        to_stderr(line)

    def stopping(self) -> None: ...

    def beat(self) -> None: ...

    def close(self) -> None: ...


class BatchLines:
    """Plain lines: one for each finished row, and one every ten seconds while none finishes."""

    def __init__(self, tally: Tally, *, clock: Clock = time.monotonic) -> None:
        self._progress = BatchProgress(tally, clock)
        self._clock = clock
        self._skips = Skips()
        self._printed_at = clock()

    def show(self, job: Job) -> None:
        self._progress.began(job)

    def heard(self, job: Job, said: str) -> None: ...

    def drop(self, job: Job) -> None:
        self._progress.ended(job)

    def result(self, line: str) -> None:
        print_result(line)

    def passed(self, text: str) -> None:
        self.say(f"{place_text(self._progress.tally)} {text}")

    def skipped(self, reason: str) -> None:
        self._skips.add(reason)

    def say(self, line: str) -> None:
        self._print_skipped()
        self._print(line)

    def warn(self, line: str) -> None:
        self.say(line)

    def stopping(self) -> None:
        self._progress.stopping = True

    def beat(self) -> None:
        if self._clock() - self._printed_at >= _SILENCE:
            progress = self._progress
            facts = [
                f"{progress.in_flight} in flight",
                spent_so_far(progress.tally),
                left_text(progress),
            ]
            self.say(f"{place_text(progress.tally)} {', '.join(filter(None, facts))}")

    def close(self) -> None:
        self._print_skipped()

    def _print_skipped(self) -> None:
        if skipped := self._skips.taken():
            self._print(f"{place_text(self._progress.tally)} {skipped}")

    def _print(self, line: str) -> None:
        self._printed_at = self._clock()
        to_stderr(line)


class BatchReport:
    """Reports the rows of a batch as they end, while a view shows the progress."""

    def __init__(
        self,
        view: BatchView,
        tally: Tally,
        *,
        batch: str,
        as_json: bool = False,
    ) -> None:
        self._view = view
        self._tally = tally
        self.batch = batch
        self._as_json = as_json
        self._billed_failures = 0
        self._noticed: set[str] = set()
        self._annotations = Annotations() if on_actions() else None
        self.show_relative = False
        """Whether paths are printed relative to the working directory, as they were given."""

    def watch(self, job: Job, logs: Sequence[str]) -> None:
        """Show a job's progress; its end is reported by ``ended``.

        A message about a job that has ended is not from its provider but about a local fault that
        concerns all jobs, so it is printed only once.
        """
        if job.state in OPEN or (logs and job.state is State.PLANNED):
            self._view.show(job)
            for log in logs[-1:]:
                self._view.heard(job, log)
            return
        for log in logs:
            if log not in self._noticed and len(self._noticed) < _MOST_NOTICES:
                self._noticed.add(log)
                self.notice(log)

    def notice(self, text: str) -> None:
        """Print a message that is not an error."""
        self._view.say(f"notice: {one_line(text)}")

    def ended(
        self, job: Job, *, reason: str, line: int | None = None, file: str | None = None
    ) -> None:
        """Report the end of a row: its files, or its error.

        The tally must have counted it. ``line`` is its line in the prompts ``file``, whose name is
        as given, None or `-` if there is none; ``reason`` says why the row was run, fetched,
        skipped or left alone.
        """
        self._view.drop(job)
        self._print_result(job, reason)
        if job.skipped:
            self._view.skipped(reason)
        elif _is_postponed(job):
            return
        elif job.error is not None:
            self._print_failure(job, job.error, line, None if file == "-" else file)
        else:
            self._view.passed(f"{row_name(job)}{_because(reason)}: {describe(job)}")

    def stopping(self, stop: KontextError) -> None:
        """Print that no more rows are submitted, and why."""
        self._view.stopping()
        if self._as_json:
            self._view.result(as_line(error_record(stop)))
        for text in error_lines(stop):
            self._view.warn(printable(text))
        self._view.say("no more rows are submitted")

    def beat(self) -> None:
        """Update the view; to be called about once a second."""
        self._view.beat()

    def close(self) -> None:
        """Remove what was drawn."""
        self._view.close()

    def summary(self, stop: KontextError | None, *, rerun: str | None) -> Result:
        """The totals of the batch, its cost, and how to continue.

        ``rerun`` is the command line that continues the batch, None if it is complete.
        """
        messages = self._summary_lines(stop, rerun)
        if self._annotations:
            trouble = self._annotations.close(
                f"kontext: batch {self.batch}",
                self._counts(),
                stop=stop.message if stop else None,
            )
            if trouble:
                messages.append(f"notice: {one_line(trouble)}")
        code = self._tally.exit_code(stop)
        record = summary_record(self.batch, self._tally, exit_code=code)
        return Result(code, records=[record], messages=messages)

    def _print_result(self, job: Job, reason: str) -> None:
        if self._as_json:
            self._view.result(as_line(job_record(job, reason=reason)))
            return
        for file in job.files:
            self._view.result(self._shown(file.path))
        if job.error is None and job.state in ACCEPTED:
            self._view.result(job.id)

    def _print_failure(
        self, job: Job, error: KontextError, line: int | None, file: str | None
    ) -> None:
        for text in error_lines(error, job, place=_place(job, line, file)):
            self._view.warn(printable(text))
        if job.state is State.MODERATED or (job.state in _FAILED and error.billed != "no"):
            self._billed_failures += 1
        if self._annotations:
            what = f"{one_line(error.message)} ({bill_text(error)})"
            self._annotations.add(RowError(what, file, line, job.row_id or job.index))

    def _shown(self, path: Path) -> str:
        return os.path.relpath(path) if self.show_relative else str(path)

    def _summary_lines(self, stop: KontextError | None, rerun: str | None) -> list[str]:
        tally = self._tally
        lines: list[str] = []
        if stop and not isinstance(stop, Interrupted):
            lines.append(f"stopped: {one_line(stop.message)}")
        counts = ", ".join(f"{count:,} {kind}" for kind, count in _counted(tally).items())
        rows = f"{rows_text(tally.total)}{': ' if counts else ''}{counts}"
        lines.append(f"batch {one_line(self.batch)}: {rows}; {_spent_sentence(tally)}")
        if held := tally.counts["unknown"]:
            are, them = ("is", "it") if held == 1 else ("are", "them")
            lines.append(
                f"{rows_text(held)} of unknown outcome {are} held and may have been billed: "
                f"--on-unknown resubmit submits {them} again"
            )
        if failed := self._billed_failures:
            were, them = ("was", "it") if failed == 1 else ("were", "them")
            lines.append(
                f"{rows_text(failed)} failed and may have been billed, or {were} moderated: "
                f"--retry-failed retries {them}"
            )
        if rerun:
            lines.append(f"hint: continue with: {one_line(rerun)}")
        return lines

    def _counts(self) -> Mapping[str, str]:
        counts = {kind: f"{count:,}" for kind, count in _counted(self._tally).items()}
        spent = spent_text(self._tally).removeprefix("cost ")
        return {"rows": f"{self._tally.total:,}", **counts, "spent": spent}


def _place(job: Job, line: int | None, file: str | None) -> str:
    """The place of a row in its file, and its id if it has one."""
    if line is None:
        return row_name(job)
    where = f"{file}:{line}" if file else f"line {line}"
    return where if job.row_id is None else f"{where}: {row_name(job)}"


def _because(reason: str) -> str:
    """Why a row was run again, in parentheses; empty for a new row."""
    if reason in _EXPECTED:
        return ""
    before = reason in UNSUCCESSFUL
    return f" ({one_line(reason)}{' before' if before else ''})"


def _is_postponed(job: Job) -> bool:
    """Whether a row was not run because the batch stopped, which is reported once for all rows."""
    interrupted = isinstance(job.error, Interrupted) and job.state is not State.UNKNOWN
    return job.state is State.PLANNED or interrupted


def _counted(tally: Tally) -> Mapping[str, int]:
    counts = {kind: tally.counts[kind] for kind in KINDS} | {"planned": tally.planned}
    return {kind: count for kind, count in counts.items() if count}


def _spent_sentence(tally: Tally) -> str:
    text = spent_text(tally)
    return text if text in ("free", "cost unknown") else f"spent {text}"
