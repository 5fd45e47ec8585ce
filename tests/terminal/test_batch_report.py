"""What a batch prints: its rows as they end, its way on a terminal, and what it came to."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.batch.tally import Tally
from kontext_cli.errors import (
    Interrupted,
    JobFailed,
    KontextError,
    Moderated,
    NoCredit,
    OutcomeUnknown,
    UsageError,
)
from kontext_cli.job import Cost, File, Job, State
from kontext_cli.terminal.batch_report import BatchReport
from kontext_cli.terminal.records import error_record, job_record
from kontext_cli.terminal.result import show
from kontext_cli.terminal.text import (
    duration,
    elapsed_text,
    error_lines,
    left_text,
    rate_text,
    spent_text,
)
from kontext_cli.terminal.view import Lines, Silent, View
from screens import on_screen

HOSTILE = "\x1b]0;owned\x07[bold]\u202e x\r\n::error::y"
STOP = NoCredit("fal says that the account is empty", hint="add credit at fal.ai")


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def row(index: int, state: State = State.PLANNED, **more: Any) -> Job:
    """The job of a row."""
    prompt = more.pop("prompt", f"a fox {index}")
    return Job(
        operation="generate",
        provider="fal",
        model="kontext-pro",
        endpoint="fal-ai/flux-pro/kontext/text-to-image",
        request={"prompt": prompt},
        seed=5,
        cost=Cost(0.04, "estimate"),
        id=f"job{index:09}",
        batch="3f2a",
        index=index,
        state=state,
        **more,
    )


def saved(job: Job, path: str | None = None, *, skipped: bool = False) -> Job:
    file = Path(path or f"/out/{job.index}.jpg")
    job.files = (File(file, "0" * 64, 123, 1024, 1024, "jpeg"),)
    job.state = State.SAVED
    job.skipped = skipped
    return job


class Batch:
    """A batch under report: rows go through the tally as they do in a run."""

    def __init__(
        self,
        total: int,
        view: View | None = None,
        *,
        file: str | None = "prompts.txt",
        as_json: bool = False,
    ) -> None:
        self.clock = Clock()
        self.tally = Tally(total)
        self.report = BatchReport(
            view or Lines(every_change=False),
            BatchProgress(self.tally, self.clock),
            batch="3f2a",
            as_json=as_json,
        )
        self.file = file

    def watch(self, job: Job, *logs: str, state: State | None = None) -> None:
        job.state = state or job.state
        self.report.watch(job, logs)

    def end(self, job: Job, *, line: int | None = None, reason: str = "new") -> None:
        self.tally.count(job)
        self.report.ended(job, line=line, file=self.file, reason=reason)

    def make(self, index: int, *, cost: Cost | None = None) -> Job:
        """Walk a row from submit to file."""
        job = row(index)
        for state in (State.SUBMITTING, State.QUEUED, State.RUNNING, State.READY):
            self.watch(job, state=state)
        self.tally.spend(cost or job.cost)
        self.end(saved(job), line=index)
        return job


def failed(index: int, error: KontextError, state: State = State.FAILED) -> Job:
    return row(index, state, error=error, request_id="r1")


SAVED = "saved (1024×1024 jpeg, seed 5, about $0.04)"


@pytest.mark.parametrize(
    ("job", "reason", "told"),
    [
        (saved(row(12)), "new", [f"[1/9] row 12: {SAVED}"]),
        (saved(row(12)), "forced", [f"[1/9] row 12: {SAVED}"]),
        (saved(row(12)), "changed: seed", [f"[1/9] row 12 (changed: seed): {SAVED}"]),
        (saved(row(12)), "moderated", [f"[1/9] row 12 (moderated before): {SAVED}"]),
        (
            failed(12, JobFailed("no luck", hint="wait", billed="maybe")),
            "new",
            [
                "error: prompts.txt:7: no luck",
                "  job job000000012, request id r1: may have been billed",
                "hint: wait",
            ],
        ),
        (
            failed(12, Interrupted("interrupted; it goes on", signal_number=2), State.QUEUED),
            "new",
            [],
        ),
        (row(12, State.PLANNED, error=STOP), "new", []),
        (row(12, State.QUEUED), "new", ["[1/9] row 12: queued at fal"]),
    ],
)
def test_a_row_that_ended(
    capfd: pytest.CaptureFixture[str], job: Job, reason: str, told: list[str]
) -> None:
    Batch(9).end(job, line=7, reason=reason)
    out, err = capfd.readouterr()
    assert err.splitlines() == told
    without_wait = [job.id] if job.state is State.QUEUED and not job.error else []
    assert out.splitlines() == [str(file.path) for file in job.files] or without_wait


@pytest.mark.parametrize(
    ("file", "line", "place"),
    [
        ("p.csv", 3, "p.csv:3"),
        ("-", 3, "line 3"),
        (None, None, "row 12"),
        ("\x1b[2J", 3, r"\x1b[2J:3"),
    ],
)
def test_a_failure_tells_its_place(
    capfd: pytest.CaptureFixture[str], file: str | None, line: int | None, place: str
) -> None:
    Batch(9, file=file).end(failed(12, Moderated("withheld"), State.MODERATED), line=line)
    assert capfd.readouterr().err.splitlines()[0] == f"error: {place}: withheld"


def test_rows_that_are_there_cost_one_line_in_all(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(10_001)
    for index in range(1, 10_001):
        reason = "file edited" if index % 1000 == 0 else "saved"
        batch.end(saved(row(index), skipped=True), reason=reason)
    batch.make(10_001)
    batch.report.close()
    out, err = capfd.readouterr()
    assert out.splitlines() == [f"/out/{index}.jpg" for index in range(1, 10_002)]
    assert err.splitlines() == [
        "[10001/10001] 10,000 rows skipped: 9,990 already saved, 10 file edited",
        f"[10001/10001] row 10001: {SAVED}",
    ]


def test_rows_that_are_there_are_told_at_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(1)
    batch.end(saved(row(1), skipped=True), reason="saved")
    batch.report.close()
    batch.report.close()
    assert capfd.readouterr().err == "[1/1] 1 row skipped: already saved\n"


def test_a_line_now_and_then_while_nothing_ends(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(20)

    def beaten(*, after: float) -> str:
        batch.clock.now += after
        batch.report.refresh()
        return capfd.readouterr().err

    jobs = [row(index) for index in range(1, 9)]
    for job in jobs:
        batch.watch(job, "a log line", state=State.QUEUED)
        batch.tally.spend(job.cost)
    assert beaten(after=9) == ""
    assert beaten(after=1) == "[0/20] 8 in flight, about $0.32\n"
    assert beaten(after=9) == ""
    for job in jobs[:2]:
        batch.end(saved(job))
    capfd.readouterr()
    assert beaten(after=9) == ""
    assert beaten(after=2) == "[2/20] 6 in flight, about $0.32\n"
    batch.end(saved(jobs[2]))
    capfd.readouterr()
    assert re.fullmatch(r"\[3/20\] 5 in flight, about \$0.32, \d+ min left\n", beaten(after=11))


def test_the_time_that_is_left_follows_from_the_rows_that_were_made() -> None:
    clock = Clock()
    tally = Tally(1010)
    progress = BatchProgress(tally, clock)

    def end(job: Job) -> None:
        tally.count(job)
        progress.ended(job)

    for index in range(500):
        end(saved(row(index), skipped=True))
    for index in range(500, 510):
        assert bool(left_text(progress)) == bool(rate_text(progress)) == (index >= 503)
        progress.began(job := row(index))
        clock.now += 6
        end(saved(job))
    assert (rate_text(progress), left_text(progress)) == ("10 images/min", "50 min left")
    progress.began(row(510))
    progress.stopping = True
    assert left_text(progress) == "10 s left"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (1, "5 s"), (88, "90 s"), (91, "2 min"), (5400, "90 min"), (5461, "1 h 35 min")],
)
def test_a_time_to_come_is_told_roughly(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        ([], "nothing"),
        ([Cost(0.0, "estimate")], "free"),
        ([Cost(0.04, "estimate")] * 30, "about $1.20"),
        ([Cost(0.0025, "estimate")], "about $0.0025"),
        ([Cost(0.0375, "provider")] * 2, "$0.075"),
        ([Cost(0.04, "estimate"), Cost(None, "unknown")], "at least $0.04"),
        ([Cost(None, "unknown")], "cost unknown"),
    ],
)
def test_what_was_spent(costs: list[Cost], text: str) -> None:
    tally = Tally(50)
    for cost in costs:
        tally.spend(cost)
    assert spent_text(tally) == text


def test_what_is_said_of_a_finished_job_is_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(9)
    for index in (1, 2):
        batch.watch(row(index), "40 %", state=State.RUNNING)
        batch.watch(row(index), "the disk is full", state=State.SAVED)
    assert capfd.readouterr() == ("", "notice: the disk is full\n")


def test_json_is_a_line_for_each_row_and_a_summary(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(4, as_json=True)
    batch.end(saved(row(1), skipped=True), reason="saved")
    batch.make(2)
    batch.end(failed(3, JobFailed("no")), line=5)
    batch.report.stopping(STOP)
    batch.report.close()
    show(batch.report.summary(STOP, rerun="kontext generate -f p.txt"), as_json=True)
    out, err = capfd.readouterr()
    skipped, made, lost, stop, summary = map(json.loads, out.splitlines())
    assert (skipped["skipped"], skipped["reason"]) == (True, "saved")
    assert (made["batch"], made["index"], made["reason"]) == ("3f2a", 2, "new")
    assert list(made)[:-1] == list(job_record(row(2)))
    assert lost["error"]["message"] == "no"
    assert (stop["type"], stop["code"]) == ("error", "no_credit")
    counts = {"total": 4, "saved": 1, "skipped": 1, "failed": 1, "planned": 1}
    zeros = ["moderated", "unknown", "ready", "running", "canceled", "expired"]
    assert summary == {
        "schema": 1,
        "type": "summary",
        "batch": "3f2a",
        **dict.fromkeys(zeros, 0),
        **counts,
        "cost": {"usd": 0.04, "source": "estimate"},
        "exit_code": 3,
    }
    assert "error: prompts.txt:5: no" in err
    assert "batch 3f2a: 4 rows: 1 saved, 1 skipped, 1 failed, 1 planned; spent about $0.04" in err


def test_the_summary_says_how_to_go_on(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(1200)
    batch.make(1)
    batch.end(failed(2, JobFailed("no")))
    batch.end(failed(3, JobFailed("no", billed="maybe")))
    batch.end(failed(4, Moderated("no"), State.MODERATED))
    batch.end(failed(5, OutcomeUnknown("?", billed="maybe"), State.UNKNOWN), reason="unknown")
    batch.report.close()
    capfd.readouterr()
    show(batch.report.summary(STOP, rerun="kontext generate -f p.txt"))
    assert capfd.readouterr() == (
        "",
        "1 row failed, not billed: no\n  row 2\n"
        "1 row failed, may have been billed: no\n  row 3\n"
        "1 row moderated, not billed: no\n  row 4\n"
        "1 row of unknown outcome, may have been billed: ?\n  row 5\n"
        "stopped: fal says that the account is empty\n"
        "batch 3f2a: 1,200 rows: 1 saved, 2 failed, 1 moderated, 1 unknown, 1,195 planned; "
        "spent about $0.04\n"
        "1 row of unknown outcome is held and may have been billed: "
        "--on-unknown resubmit submits it again\n"
        "2 rows failed and may have been billed, or were moderated: "
        "--retry-failed retries them\n"
        "hint: continue with: kontext generate -f p.txt\n",
    )


def test_equal_reasons_are_told_once(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(14)
    for index in range(1, 13):
        batch.end(failed(index, JobFailed("the same", billed="yes")))
    batch.end(failed(13, JobFailed("another", billed="yes")))
    batch.end(failed(14, OutcomeUnknown("lost", billed="maybe"), State.UNKNOWN))
    batch.report.close()
    capfd.readouterr()
    batch.clock.now += 200
    show(batch.report.summary(None, rerun="kontext generate -f p.txt --retry-failed"))
    assert capfd.readouterr().err.splitlines() == [
        "12 rows failed, billed: the same",
        "  rows 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more",
        "1 row failed, billed: another",
        "  row 13",
        "1 row of unknown outcome, may have been billed: lost",
        "  row 14",
        "batch 3f2a: 14 rows: 13 failed, 1 unknown; spent nothing in 3 min 20 s",
        "hint: to submit again what may have been billed: "
        "kontext generate -f p.txt --retry-failed --on-unknown resubmit",
    ]


def test_a_batch_of_failures_of_all_kinds_is_told_in_a_few_lines(
    capfd: pytest.CaptureFixture[str],
) -> None:
    batch = Batch(500)
    for index in range(500):
        batch.end(failed(index, JobFailed(f"reason {index}")))
    batch.report.close()
    capfd.readouterr()
    show(batch.report.summary(None, rerun="kontext x"))
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2 * 20 + 3
    assert lines[-3] == "480 rows failed for other reasons"
    assert lines[-1] == "hint: continue with: kontext x"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.9, ""),
        (1, "1 s"),
        (60, "1 min"),
        (200.9, "3 min 20 s"),
        (3600, "1 h"),
        (7509, "2 h 5 min"),
    ],
)
def test_a_time_that_has_passed(seconds: float, text: str) -> None:
    assert elapsed_text(seconds) == text


def test_an_interruption_is_not_repeated_by_the_summary(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(2)
    batch.make(1)
    batch.report.close()
    capfd.readouterr()
    stop = Interrupted("interrupted", signal_number=2)
    show(batch.report.summary(stop, rerun="kontext x"))
    first, last = capfd.readouterr().err.splitlines()
    assert first.startswith("batch 3f2a: 2 rows: 1 saved, 1 planned; ")
    assert last == "hint: continue with: kontext x"


def test_a_batch_with_nothing_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(1)
    batch.end(saved(row(1), skipped=True), reason="saved")
    batch.report.close()
    capfd.readouterr()
    show(batch.report.summary(None, rerun=None))
    assert capfd.readouterr().err == "batch 3f2a: 1 row: 1 skipped; spent nothing\n"


def test_quiet_tells_results_and_errors_alone(capfd: pytest.CaptureFixture[str]) -> None:
    batch = Batch(9, Silent())
    batch.make(1)
    batch.end(saved(row(2), skipped=True), reason="saved")
    batch.report.notice("by the way")
    batch.end(failed(3, JobFailed("no")), line=4)
    batch.report.stopping(STOP)
    batch.report.refresh()
    batch.report.close()
    show(batch.report.summary(STOP, rerun="kontext …"), quiet=True)
    out, err = capfd.readouterr()
    assert out == "/out/1.jpg\n/out/2.jpg\n"
    assert [line for line in err.splitlines() if not line.startswith(("  ", "hint"))] == [
        "error: prompts.txt:4: no",
        "error: fal says that the account is empty",
    ]


def test_details_follow_the_message() -> None:
    error = UsageError("2 mistakes", hint="mend them", details=["p.txt:4: a", "p.txt:9:\nb"])
    assert error_lines(error) == [
        "error: 2 mistakes",
        "  p.txt:4: a",
        "  p.txt:9: b",
        "hint: mend them",
    ]
    assert error_record(error)["details"] == ["p.txt:4: a", "p.txt:9:\nb"]
    assert "details" not in error_record(UsageError("none"))
    assert "reason" not in job_record(row(1))


def test_github_is_told_of_failed_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.chdir(tmp_path)
    batch = Batch(9)
    batch.make(1)
    batch.end(failed(2, JobFailed(HOSTILE, billed="maybe")), line=4)
    batch.report.close()
    show(batch.report.summary(None, rerun=None))
    (command,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("::")]
    assert command.startswith("::error file=prompts.txt,line=4,title=kontext::row 2: ")
    assert command.endswith(" (may have been billed)")
    summary = (tmp_path / "summary.md").read_text()
    assert "| rows | saved | failed | planned | spent |" in summary
    assert "| 2 | 4 | " in summary

    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path))
    show(Batch(9).report.summary(None, rerun=None))
    assert "notice: cannot write the job summary: " in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_what_failed_is_wrapped_between_words(tmp_path: Path, columns: int) -> None:
    (tmp_path / "rows.txt").write_text("a fox [fault:refused]\na hen [fault:refused]\nan owl\n")
    argv = ("generate", "-f", "rows.txt", "-p", "sandbox", "-d", "out", "--batch", "b", "--debug")
    done = on_screen(*argv, cwd=tmp_path, columns=columns, environ={"NO_COLOR": "1"})
    assert done.code == 9
    start = next(n for n, line in enumerate(done.lines) if line.startswith("2 rows moderated, "))
    end = done.lines.index("  rows 1, 2")
    assert max(map(len, done.lines[start:end])) <= columns
    assert " ".join(line.strip() for line in done.lines[start:end]) == (
        "2 rows moderated, may have been billed: sandbox withheld it: prompt: The content could "
        "not be processed because it contained material flagged by a content checker."
    )
    assert "out/3-an-owl.jpg" in done.lines
    assert done.lines[-1].endswith(" --batch b --debug --retry-failed")


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
def test_the_paths_of_skipped_rows_are_printed_on_a_terminal(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a fox\n")
    argv = ("generate", "-f", "rows.txt", "-p", "sandbox", "-d", "out")
    for _ in range(2):
        done = on_screen(*argv, cwd=tmp_path, environ={"NO_COLOR": "1"})
    assert done.lines[0] == "out/1-a-fox.jpg"
    assert "1 row: 1 skipped; spent nothing" in done.lines[-1]
