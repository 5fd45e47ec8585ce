"""Reports a batch: its rows as they end, its progress, and the summary."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from kontext_cli.batch.progress import UNSUCCESSFUL, BatchProgress
from kontext_cli.batch.tally import KINDS, Tally
from kontext_cli.errors import Interrupted, KontextError, StillRunning
from kontext_cli.job import OPEN, Job, State
from kontext_cli.terminal.annotations import Annotations, RowError
from kontext_cli.terminal.failures import Failures
from kontext_cli.terminal.output import on_actions
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import as_line, error_record, summary_record
from kontext_cli.terminal.report import OpenLive, Report
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.style import FAILED, NONE, NOTICE, SAVED, Line, Piece
from kontext_cli.terminal.text import (
    bill_text,
    describe,
    elapsed_text,
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
_RESUBMIT, _RETRY = "--on-unknown resubmit", "--retry-failed"
_KIND_STYLES = {
    "saved": SAVED,
    **dict.fromkeys(("failed", "moderated", "expired"), FAILED),
    "unknown": NOTICE,
}
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
        self._failures = Failures()
        self._began_at = progress.clock()
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
        concerns all jobs, so it is printed only once. A job that failed leaves the view at once:
        its row may go on with another.
        """
        if job.state is State.FAILED:
            self._progress.left(job)
            self._view.drop(job)
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
        as given, None or `-` if there is none; an image to make again has no lines. ``reason`` says
        why the row was run, fetched, skipped or left alone.
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
        self._preview(job)

    def skipped(self, paths: Sequence[str], reason: str) -> None:
        """Report a row whose files exist, as ``ended`` does it, where no JSON is printed."""
        for path in paths:
            self._view.result(self._shown(path), path)
        self._skips[reason] += 1

    def stopping(self, stop: KontextError) -> None:
        """Print that no more rows are submitted, and why."""
        self._progress.stopping = True
        self.failed(stop)
        self._message("notice: no more rows will be submitted")

    def failed(self, error: KontextError) -> None:
        """Print an error that is not of a row."""
        if self._as_json:
            self._view.result(as_line(error_record(error)))
        self._error(error_lines(error))

    def refresh(self) -> None:
        """Update the view."""
        self._print_previews()
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

        ``rerun`` is the command line of the batch, printed where it is of use to run it again.
        """
        messages = list(self._summary_lines(stop, rerun))
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
        self._failures.add(job, error)
        if job.state is State.MODERATED or (job.state in _FAILED and error.billed != "no"):
            self._billed_failures += 1
        if self._annotations:
            what = f"{one_line(error.message)} ({bill_text(error)})"
            self._annotations.add(RowError(what, file, line, job.row_id or job.index))

    def _summary_lines(self, stop: KontextError | None, rerun: str | None) -> Iterator[Line]:
        yield from self._failures.lines()
        if stop and not isinstance(stop, Interrupted):
            yield f"stopped: {one_line(stop.message)}"
        yield list(self._totals())
        again = self._again()
        goes_on = self._goes_on(stop)
        if goes_on or rerun is None:
            yield from again.values()
        if rerun is not None and (goes_on or again):
            yield _way_on(one_line(rerun), {} if goes_on else again)

    def _totals(self) -> Iterator[Piece]:
        """How many rows ended in each way, what they cost, and how long it took."""
        tally = self._tally
        counts = _counts(tally)
        yield Piece(f"batch {one_line(self.batch)}: {rows_text(tally.total)}")
        before = ": "
        for kind, count in counts.items():
            yield Piece(before)
            yield Piece(f"{count:,} {kind}", _KIND_STYLES.get(kind, NONE))
            before = ", "
        took = elapsed_text(self._progress.clock() - self._began_at)
        yield Piece(f"; {_spent_sentence(tally)}")
        if took:
            yield Piece(f" in {took}")

    def _goes_on(self, stop: KontextError | None) -> bool:
        """Whether the same command would do more: for rows that are left, or failed unbilled."""
        counts = self._tally.counts
        left = self._tally.planned + counts["running"] + counts["ready"]
        failed = sum(counts[kind] for kind in UNSUCCESSFUL if kind != "unknown")
        return bool(stop or left or failed > self._billed_failures)

    def _again(self) -> dict[str, str]:
        """What the user may want to submit again, and be billed for: the flag, and why."""
        again: dict[str, str] = {}
        if held := self._tally.counts["unknown"]:
            are, them = ("is", "it") if held == 1 else ("are", "them")
            again[_RESUBMIT] = (
                f"{rows_text(held)} of unknown outcome {are} held and may have been billed: "
                f"{_RESUBMIT} submits {them} again"
            )
        if failed := self._billed_failures:
            were, them = ("was", "it") if failed == 1 else ("were", "them")
            again[_RETRY] = (
                f"{rows_text(failed)} failed and may have been billed, or {were} moderated: "
                f"{_RETRY} retries {them}"
            )
        return again

    def _columns(self) -> Mapping[str, str]:
        counts = {kind: f"{count:,}" for kind, count in _counts(self._tally).items()}
        spent = spent_text(self._tally).removeprefix("cost ")
        return {"rows": f"{self._tally.total:,}", **counts, "spent": spent}


def _way_on(rerun: str, flags: Collection[str]) -> str:
    """The one command to go on with."""
    if not flags:
        return f"hint: continue with: {rerun}"
    command = " ".join([rerun, *(flag for flag in flags if flag not in rerun)])
    return f"hint: to submit again what may have been billed: {command}"


def _place(job: Job, line: int | None, file: str | None) -> str:
    """The place of a row in its file, and its id if it has one."""
    if line is None:
        return file or row_name(job)
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
    is_left = job.state is State.PLANNED and not isinstance(job.error, StillRunning)
    return is_left or interrupted


def _counts(tally: Tally) -> Mapping[str, int]:
    counts = {kind: tally.counts[kind] for kind in KINDS} | {"planned": tally.planned}
    return {kind: count for kind, count in counts.items() if count}


def _spent_sentence(tally: Tally) -> str:
    text = spent_text(tally)
    return text if text in ("free", "cost unknown") else f"spent {text}"
