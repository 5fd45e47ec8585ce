"""Reports a batch: its rows as they end, its progress, and the summary."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kontext_cli.batch.progress import UNSUCCESSFUL, BatchProgress
from kontext_cli.batch.tally import KINDS, Tally
from kontext_cli.errors import Interrupted, KontextError
from kontext_cli.job import OPEN, Job, State
from kontext_cli.terminal.annotations import Annotations, RowError
from kontext_cli.terminal.output import on_actions
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import as_line, error_record, summary_record
from kontext_cli.terminal.report import OpenLive, Report
from kontext_cli.terminal.result import Result
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
from kontext_cli.terminal.view import View

_FAILED = (State.FAILED, State.CANCELED, State.EXPIRED)
_SILENCE = 10.0
_EXPECTED = ("new", "forced")
_MOST_NOTICES = 20
_WHY_SKIPPED = {"saved": "already saved"}


class BatchReport(Report):
    """Reports the rows of a batch as they end, and the batch itself.

    Plain lines count the rows, and one is printed every ten seconds while no row ends. Skipped
    rows are counted and reported together before the next line: there may be thousands.
    """

    refresh_seconds = 1.0

    def __init__(
        self,
        view: View,
        progress: BatchProgress,
        *,
        batch: str,
        live: OpenLive | None = None,
        as_json: bool = False,
    ) -> None:
        super().__init__(view, live=live, as_json=as_json)
        self._progress = progress
        self._tally = progress.tally
        self.batch = batch
        self._billed_failures = 0
        self._noticed: set[str] = set()
        self._annotations = Annotations() if on_actions() else None
        self._skips: Counter[str] = Counter()
        self._printed_at = progress.clock()

    def expect(self, longest_id: int) -> None:
        """Say how long the ids of the rows are at most."""
        self._progress.longest_id = longest_id

    def watch(self, job: Job, logs: Sequence[str]) -> None:
        """Show a job's progress; its end is reported by ``ended``.

        A message about a job that has ended is not from its provider but about a local fault that
        concerns all jobs, so it is printed only once.
        """
        if job.state in OPEN or (logs and job.state is State.PLANNED):
            self._progress.began(job)
            self._drawn().show(job, logs)
            return
        for log in logs:
            if log not in self._noticed and len(self._noticed) < _MOST_NOTICES:
                self._noticed.add(log)
                self.notice(log)

    def ended(
        self, job: Job, *, reason: str = "new", line: int | None = None, file: str | None = None
    ) -> None:
        """Report the end of a row: its files, or its error.

        The tally must have counted it. ``line`` is its line in the prompts ``file``, whose name is
        as given, None or `-` if there is none; ``reason`` says why the row was run, fetched,
        skipped or left alone.
        """
        self._progress.ended(job)
        self._view.drop(job)
        self._print_result(job, reason=reason)
        if job.skipped:
            self._skips[reason] += 1
        elif _is_postponed(job):
            return
        elif job.error is not None:
            self._print_failure(job, job.error, line, None if file == "-" else file)
        elif not self._view.has_bar:
            self._message(self._counted(f"{row_name(job)}{_because(reason)}: {describe(job)}"))

    def skipped(self, paths: Sequence[str], reason: str) -> None:
        """Report a row whose files exist, as ``ended`` does it, where no JSON is printed."""
        for path in paths:
            self._view.result(self._shown(path))
        self._skips[reason] += 1

    def stopping(self, stop: KontextError) -> None:
        """Print that no more rows are submitted, and why."""
        self._progress.stopping = True
        if self._as_json:
            self._view.result(as_line(error_record(stop)))
        self._error(error_lines(stop))
        self._message("notice: no more rows will be submitted")

    def refresh(self) -> None:
        """Update the view."""
        progress, view = self._progress, self._drawn()
        view.refresh()
        if not view.has_bar and progress.clock() - self._printed_at >= _SILENCE:
            facts = [
                f"{progress.in_flight} in flight",
                spent_so_far(self._tally),
                left_text(progress),
            ]
            self._message(self._counted(", ".join(filter(None, facts))))

    def close(self) -> None:
        """Remove what was drawn, and report the rows that were skipped."""
        self._print_skipped()
        super().close()

    def summary(self, stop: KontextError | None, *, rerun: str | None) -> Result:
        """The totals of the batch, its cost, and how to continue.

        ``rerun`` is the command line that continues the batch, None if it is complete.
        """
        messages = self._summary_lines(stop, rerun)
        if self._annotations:
            trouble = self._annotations.close(
                f"kontext: batch {self.batch}",
                self._columns(),
                stop=stop.message if stop else None,
            )
            if trouble:
                messages.append(f"notice: {one_line(trouble)}")
        code = self._tally.exit_code(stop)
        record = summary_record(self.batch, self._tally, exit_code=code)
        return Result(code, records=[record], messages=messages)

    def _message(self, line: str) -> None:
        self._print_skipped()
        super()._message(line)

    def _error(self, lines: Iterable[str]) -> None:
        self._print_skipped()
        super()._error(lines)

    def _print_skipped(self) -> None:
        self._printed_at = self._progress.clock()
        if self._skips:
            self._view.message(self._counted(_skipped_text(self._skips)))
            self._skips.clear()

    def _counted(self, text: str) -> str:
        """Text after the number of rows that have ended, unless a bar shows it."""
        return text if self._view.has_bar else f"{place_text(self._tally)} {text}"

    def _print_failure(
        self, job: Job, error: KontextError, line: int | None, file: str | None
    ) -> None:
        self._error(error_lines(error, job, place=_place(job, line, file)))
        if job.state is State.MODERATED or (job.state in _FAILED and error.billed != "no"):
            self._billed_failures += 1
        if self._annotations:
            what = f"{one_line(error.message)} ({bill_text(error)})"
            self._annotations.add(RowError(what, file, line, job.row_id or job.index))

    def _summary_lines(self, stop: KontextError | None, rerun: str | None) -> list[str]:
        tally = self._tally
        lines: list[str] = []
        if stop and not isinstance(stop, Interrupted):
            lines.append(f"stopped: {one_line(stop.message)}")
        counts = ", ".join(f"{count:,} {kind}" for kind, count in _counts(tally).items())
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

    def _columns(self) -> Mapping[str, str]:
        counts = {kind: f"{count:,}" for kind, count in _counts(self._tally).items()}
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


def _skipped_text(reasons: Mapping[str, int]) -> str:
    """How many rows were skipped, and why."""
    text = f"{rows_text(sum(reasons.values()))} skipped: "
    named = {_WHY_SKIPPED.get(reason, one_line(reason)): n for reason, n in reasons.items()}
    if len(named) == 1:
        return text + "".join(named)
    return text + ", ".join(f"{count:,} {reason}" for reason, count in named.items())


def _is_postponed(job: Job) -> bool:
    """Whether a row was not run because the batch stopped, which is reported once for all rows."""
    interrupted = isinstance(job.error, Interrupted) and job.state is not State.UNKNOWN
    return job.state is State.PLANNED or interrupted


def _counts(tally: Tally) -> Mapping[str, int]:
    counts = {kind: tally.counts[kind] for kind in KINDS} | {"planned": tally.planned}
    return {kind: count for kind, count in counts.items() if count}


def _spent_sentence(tally: Tally) -> str:
    text = spent_text(tally)
    return text if text in ("free", "cost unknown") else f"spent {text}"
