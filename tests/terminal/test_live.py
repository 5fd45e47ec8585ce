"""Jobs on a terminal: what stands on the screen, and that nothing drawn is ever torn."""

import os
import re
import struct
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
from rich.cells import cell_len

from kontext_cli.batch.progress import BatchProgress
from kontext_cli.batch.tally import Tally
from kontext_cli.errors import JobFailed, NoCredit
from kontext_cli.job import Cost, File, Job, Note, Source, State
from kontext_cli.terminal.batch_report import BatchReport
from kontext_cli.terminal.live import open_live
from kontext_cli.terminal.open import open_batch_report, open_report
from kontext_cli.terminal.result import show

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
WAY = (State.SUBMITTING, State.QUEUED, State.RUNNING, State.READY)
END = "\x1b[99m"
"""A sequence without effect: all that was written before it has arrived."""


@dataclass
class Row:
    """A row of a window; ``broken`` where its line goes on in the next one."""

    cells: list[str] = field(default_factory=list)
    broken: bool = False


class Screen:
    """What a terminal makes of what it is sent; a sequence that it does not know is an error.

    It breaks lines that are too long, and does so anew when the window changes, as do tmux, VTE,
    kitty, Windows Terminal and their like.
    """

    TOKEN = re.compile(r"\x1b\[\??[\d;]*[A-Za-z]|.", re.DOTALL)

    def __init__(self, columns: int, height: int) -> None:
        self.columns = columns
        self.height = height
        self.drawings = 0
        self.styles: set[str] = set()
        self._rows = [Row()]
        self._at = 0
        self._column = 0
        self._wraps = True

    @property
    def lines(self) -> list[str]:
        """All lines from the first, those that were broken in one piece."""
        joined = [""]
        for row in self._rows:
            joined[-1] += "".join(row.cells)
            if not row.broken:
                joined.append("")
        lines = [line.rstrip() for line in joined[:-1]]
        return lines[:-1] if lines and not lines[-1] else lines

    def resize(self, columns: int) -> None:
        """Break all lines anew; the cursor, which has to be at the start of one, stays there."""
        assert self._column == 0
        before = sum(not row.broken for row in self._rows[: self._at])
        whole = [list(line) for line in self.lines]
        self.columns = columns
        self._rows = []
        for number, line in enumerate(whole):
            if number == before:
                self._at = len(self._rows)
            parts = [line[at : at + columns] for at in range(0, len(line), columns)] or [[]]
            self._rows += [Row(part, broken=True) for part in parts]
            self._rows[-1].broken = False
        if before == len(whole):
            self._at = len(self._rows)
            self._rows.append(Row())

    def feed(self, text: str) -> None:
        for token in self.TOKEN.findall(text):
            if token.startswith("\x1b["):
                self._obey(token[2:])
            elif token == "\r":
                self._column = 0
            elif token == "\n":
                self._feed_line()
            else:
                assert token.isprintable(), f"{token!r} got to the terminal"
                self._put(token)

    def _obey(self, sequence: str) -> None:
        row = self._rows[self._at]
        match sequence:
            case _ if re.fullmatch(r"\d+A", sequence):
                self._at -= int(sequence[:-1])
                assert self._at >= max(len(self._rows) - self.height, 0), "out of the window"
            case "K":
                del row.cells[self._column :]
                row.broken = False
            case "2K":
                row.cells.clear()
                row.broken = False
            case "J":
                self._obey("K")
                del self._rows[self._at + 1 :]
            case "?7l":
                self._wraps = False
                self.drawings += 1
            case "?7h":
                self._wraps = True
            case _:
                assert sequence.endswith("m"), f"what is {sequence!r}?"
                self.styles.update(sequence[:-1].split(";"))

    def _feed_line(self) -> None:
        self._at += 1
        if self._at == len(self._rows):
            self._rows.append(Row())

    def _put(self, character: str) -> None:
        width = cell_len(character)
        if self._column + width > self.columns:
            assert self._wraps, "drawn over the edge"
            self._rows[self._at].broken = True
            self._feed_line()
            self._column = 0
        cells = self._rows[self._at].cells
        cells += " " * (self._column - len(cells))
        cells[self._column : self._column + width] = [character, ""][:width]
        self._column += width


class Terminal:
    """A pseudo terminal in place of standard error, and of standard output if ``both``."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        columns: int = 100,
        height: int = 30,
        *,
        both: bool = True,
        encoding: str = "utf-8",
    ) -> None:
        import pty

        self._ours, theirs = pty.openpty()
        self._encoding = encoding
        self._screen = Screen(columns, height)
        self._arrived: Queue[bytes] = Queue()
        self._decode = getincrementaldecoder(encoding)().decode
        self._set_size()
        self._stream = os.fdopen(theirs, "w", encoding=encoding, errors="backslashreplace")
        monkeypatch.setattr(sys, "stderr", self._stream)
        if both:
            monkeypatch.setattr(sys, "stdout", self._stream)
        monkeypatch.setenv("TERM", "xterm-256color")
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def screen(self) -> Screen:
        """The screen with all that was written until now."""
        self._stream.write(END)
        self._stream.flush()
        text = ""
        while END not in text:
            text += self._decode(self._arrived.get(timeout=60))
        self._screen.feed(text)
        return self._screen

    def resize(self, columns: int) -> None:
        self.screen.resize(columns)
        self._set_size()

    def close(self) -> None:
        self._stream.close()
        self._reader.join()
        os.close(self._ours)

    def _set_size(self) -> None:
        import fcntl
        import termios

        size = struct.pack("HHHH", self._screen.height, self._screen.columns, 0, 0)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)

    def _read(self) -> None:
        with suppress(OSError):
            while data := os.read(self._ours, 65536):
                self._arrived.put(data)


Open = Callable[..., Terminal]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    opened: list[Terminal] = []

    def begin(*args: Any, **options: Any) -> Terminal:
        opened.append(Terminal(monkeypatch, *args, **options))
        return opened[-1]

    yield begin
    monkeypatch.undo()
    for each in opened:
        each.close()


class Batch:
    """A batch under report on a terminal, with a clock that moves by ``step`` on each change."""

    def __init__(self, total: int, *, step: float = 1.0) -> None:
        self.now = 0.0
        self.tally = Tally(total)
        self._step = step
        progress = BatchProgress(self.tally, lambda: self.now)
        view = open_live(progress)
        assert view is not None
        self.report = BatchReport(view, progress, batch="b")

    def start(self, index: int, state: State = State.RUNNING, **more: Any) -> Job:
        job = Job(
            operation="generate",
            provider="fal",
            model="kontext-pro",
            endpoint="e",
            request={"prompt": more.pop("prompt", f"fox {index}")},
            seed=5,
            cost=Cost(0.04, "estimate"),
            id=f"job{index}",
            index=index,
            **more,
        )
        self.move(job, state)
        return job

    def move(self, job: Job, state: State, *logs: str) -> None:
        job.state = state
        self.now += self._step
        self.report.watch(job, logs)

    def save(self, job: Job, *, skipped: bool = False) -> None:
        if not skipped:
            self.tally.spend(job.cost)
        job.files = (File(Path(f"/out/{job.index}.jpg"), "0" * 64, 1, 1024, 1024, "jpeg"),)
        job.skipped = skipped
        job.state = State.SAVED
        self.end(job, "saved" if skipped else "new")

    def fail(self, job: Job, message: str = "no luck") -> None:
        job.error = JobFailed(message, hint="wait")
        job.state = State.FAILED
        self.end(job)

    def end(self, job: Job, reason: str = "new") -> None:
        self.now += self._step
        self.tally.count(job)
        self.report.ended(job, line=job.index, file="p.txt", reason=reason)


def single(job_id: str, **more: Any) -> Job:
    """A job that is in no batch."""
    return Job(
        operation="generate",
        provider="fal",
        model="kontext-pro",
        endpoint="e",
        request={"prompt": f"a fox, {job_id}"},
        seed=5,
        cost=Cost(0.04, "estimate"),
        id=job_id,
        state=State.RUNNING,
        **more,
    )


def states(screen: Screen) -> list[str]:
    """The rows that are drawn, without their times and prompts; empty lines are free places."""
    return [re.sub(r"^ *(\d+) .*", r"row \1", line) for line in screen.lines[1:]]


def test_a_bar_and_the_jobs_in_flight(terminal: Open) -> None:
    shown = terminal()
    batch = Batch(60)
    for index in range(1, 4):
        batch.save(batch.start(index))
    batch.fail(batch.start(4))
    batch.move(batch.start(9, State.QUEUED), State.QUEUED, Note("fal is busy, again in 2 s"))
    batch.move(batch.start(8, State.QUEUED, position=3), State.QUEUED, "warming up")
    batch.start(10, sources=(Source("/images/house.jpg", None),))
    for index in range(11, 20):
        batch.start(index, State.SUBMITTING)
    lines = shown.screen.lines
    assert lines[:6] == [
        "/out/1.jpg",
        "/out/2.jpg",
        "/out/3.jpg",
        "error: p.txt:4: no luck",
        "  job job4: not billed",
        "hint: wait",
    ]
    bar, *rows = lines[6:]
    stroke = "━" + "─" * 19
    assert re.fullmatch(
        rf"{stroke}  4/60  1 failed  \d\.\d images/min  about \$0\.12  \d+ min left", bar
    )
    assert rows[:3] == [
        " 9   0:13  queued       fal is busy, again in 2 s",
        " 8   0:11  queue 3      fox 8",
        "10   0:09  running      house.jpg",
    ]
    assert rows[7:] == [
        "15   0:04  submitting   fox 15",
        "… and 4 more",
    ]


def test_a_job_that_was_not_accepted_leaves_the_view_as_its_row_goes_on_with_another(
    terminal: Open,
) -> None:
    shown = terminal()
    batch = Batch(60)
    refused = batch.start(1, State.SUBMITTING)
    batch.start(2)
    batch.move(refused, State.FAILED)
    batch.report.refresh()
    assert states(shown.screen) == ["row 2"]
    batch.start(3)
    assert states(shown.screen) == ["row 2", "row 3"]


def test_a_job_keeps_its_line(terminal: Open) -> None:
    shown = terminal(both=False)
    batch = Batch(60)
    jobs = [batch.start(index) for index in range(1, 11)]
    assert states(shown.screen) == [*(f"row {n}" for n in range(1, 9)), "… and 2 more"]
    batch.save(jobs[2])
    assert states(shown.screen) == [
        *("row 1", "row 2", "row 9"),
        *(f"row {n}" for n in range(4, 9)),
        "… and 1 more",
    ]
    batch.save(jobs[9])
    batch.save(jobs[4])
    batch.save(jobs[7])
    assert states(shown.screen) == ["row 1", "row 2", "row 9", "row 4", "", "row 6", "row 7"]
    batch.start(11)
    assert states(shown.screen)[3:] == ["row 4", "row 11", "row 6", "row 7"]
    batch.save(jobs[0])
    batch.report.refresh()
    assert states(shown.screen) == ["row 2", "row 9", "row 4", "row 11", "row 6", "row 7"]


def test_the_columns_do_not_move_when_a_longer_id_comes(terminal: Open) -> None:
    shown = terminal()
    batch = Batch(60)
    batch.report.expect(len("cliff-by-night"))
    batch.start(1, row="id:a")
    (short,) = shown.screen.lines[1:]
    batch.start(2, row="id:cliff-by-night")
    first, second = shown.screen.lines[1:]
    assert short.index("running") == first.index("running") == second.index("running")


@pytest.mark.parametrize("columns", [100, 40])
def test_nothing_is_torn(terminal: Open, columns: int) -> None:
    total = 1000
    shown = terminal(columns)
    batch = Batch(total, step=0.006)
    told: set[str] = set()
    waiting: list[Job] = []
    for index in range(1, total + 1):
        waiting.append(batch.start(index, WAY[0], prompt=f"狐狸 {index} " * 9))
        for job in waiting[-30::10]:
            batch.move(job, WAY[min(WAY.index(job.state) + 1, 3)])
        if len(waiting) > 30 or index == total:
            for job in waiting[: 1 if index < total else total]:
                waiting.remove(job)
                if job.index is not None and job.index % 100:
                    batch.save(job)
                    told.add(f"/out/{job.index}.jpg")
                else:
                    batch.fail(job, "no luck " * 12)
                    place = f"error: p.txt:{job.index}: {'no luck ' * 12}".rstrip()
                    told |= {place, f"  job {job.id}: not billed"}
    assert shown.screen.drawings > 100
    batch.report.close()
    batch.report.close()
    lines = shown.screen.lines
    assert lines.count("hint: wait") == total // 100
    assert sorted(line for line in lines if line != "hint: wait") == sorted(told)


def test_a_window_that_becomes_narrower_leaves_nothing_behind(terminal: Open) -> None:
    shown = terminal(120)
    batch = Batch(90)
    jobs = [batch.start(index, prompt="a long prompt " * 20) for index in range(1, 31)]
    for job, columns in zip(jobs, (120, 90, 40, 41, 17, 120), strict=False):
        shown.resize(columns)
        batch.save(job)
        drawn = shown.screen.lines
        assert [line for line in drawn if "/90" in line] == [drawn[-10]]
        assert all(cell_len(line) < columns for line in drawn[-10:])
    batch.report.close()
    assert shown.screen.lines == [f"/out/{index}.jpg" for index in range(1, 7)]


@pytest.mark.parametrize(("height", "rows"), [(2, 0), (5, 0), (9, 2), (24, 8)])
def test_a_low_window_is_left_to_the_results(terminal: Open, height: int, rows: int) -> None:
    shown = terminal(100, height)
    batch = Batch(90)
    for index in range(1, 31):
        batch.start(index)
    drawn = [*(f"row {index}" for index in range(1, rows + 1)), f"… and {30 - rows} more"]
    assert states(shown.screen) == drawn[: height - 2]


def test_it_is_drawn_ten_times_a_second_at_most(terminal: Open) -> None:
    shown = terminal()
    batch = Batch(1000, step=0.002)
    for index in range(1, 1001):
        batch.start(index)
    assert 10 < shown.screen.drawings <= 21


@pytest.mark.parametrize("columns", ["0", "80"])
def test_a_single_job(terminal: Open, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    shown = terminal(80)
    report = open_report(as_json=False, quiet=False)
    report.notice("the image is smaller now")
    assert shown.screen.drawings == 0
    job = single("1q3x")
    report.watch(job, [])
    report.watch(job, [Note("fal answered 503, again in 2 s")])
    report.refresh()
    notice, drawn = shown.screen.lines
    assert notice == "notice: the image is smaller now"
    assert re.fullmatch(r"[⠀-⣿] fal answered 503, again in 2 s  running  \d s  fal", drawn)
    report.watch(job, [" 43%|████▎     | 12/28 [00:03<00:04,  3.70it/s]"])
    report.refresh()
    assert "  43 %  running  " in shown.screen.lines[-1]
    report.watch(job, [])
    report.refresh()
    assert re.match(r"[⠀-⣿] a fox, 1q3x  ━━━━──────  43 %  running  ", shown.screen.lines[-1])
    report.close()
    job.error = JobFailed("no luck")
    report.ended(job)
    assert shown.screen.lines == [notice, "error: no luck", "  job 1q3x: not billed"]


def test_several_single_jobs(terminal: Open) -> None:
    shown = terminal(80)
    report = open_report(as_json=False, quiet=False)
    jobs = [single("1q3x"), single("1q40")]
    for job in jobs:
        report.watch(job, [])
    report.refresh()
    assert [line[:6] for line in shown.screen.lines] == ["1q3x  ", "1q40  "]
    jobs[0].state = State.SAVED
    jobs[0].files = (File(Path("/out/1.jpg"), "0" * 64, 1, 1024, 1024, "jpeg"),)
    report.ended(jobs[0])
    report.refresh()
    result, message, other = shown.screen.lines
    assert (result, message[:16]) == ("/out/1.jpg", "job 1q3x: saved ")
    assert other[:6] == "1q40  "
    report.close()


def test_results_go_to_a_standard_output_that_is_elsewhere(
    terminal: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = terminal(both=False)
    batch = Batch(9)
    batch.save(batch.start(1))
    batch.save(batch.start(2), skipped=True)
    assert capsys.readouterr().out == "/out/1.jpg\n/out/2.jpg\n"
    batch.report.close()
    show(batch.report.summary(None, rerun=None))
    assert shown.screen.lines == [
        "1 row skipped: already saved",
        "batch b: 9 rows: 1 saved, 1 skipped, 7 planned; spent about $0.04 in 4 s",
    ]


def test_hostile_text_is_shown_as_text(terminal: Open) -> None:
    shown = terminal()
    batch = Batch(9)
    hostile = "\x1b[2J[/nope][red]:smile:\u202e\r\n\x9b31m\t\ufe0f x"
    job = batch.start(1, prompt=hostile)
    harmless = r"\x1b[2J[/nope][red]:smile:\u202e"
    assert harmless in shown.screen.lines[-1]
    batch.move(job, State.RUNNING, Note(hostile))
    assert harmless in shown.screen.lines[-1]
    batch.report.notice(hostile)
    batch.fail(job, hostile)
    batch.report.refresh()
    assert [harmless in line for line in shown.screen.lines[:2]] == [True, True]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_are_left_out_on_request(
    terminal: Open, monkeypatch: pytest.MonkeyPatch, no_color: str
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    shown = terminal()
    batch = Batch(3)
    batch.save(batch.start(1))
    batch.fail(batch.start(2))
    assert bool({"31", "32"} & shown.screen.styles) == (not no_color)


def test_a_terminal_without_unicode(terminal: Open) -> None:
    shown = terminal(encoding="ascii")
    batch = Batch(2)
    batch.save(batch.start(1))
    batch.start(2, prompt="Füchslein")
    assert [line[:14] for line in shown.screen.lines[1:]] == ["##########----", "2   0:00  runn"]
    assert shown.screen.lines[-1].endswith("  F?chslein")


def test_a_batch_that_stops_says_so(terminal: Open) -> None:
    shown = terminal(both=False)
    batch = Batch(9)
    batch.start(1)
    batch.report.stopping(NoCredit("the account is empty", hint="fill it"))
    batch.report.refresh()
    error, hint, stop, bar, row = shown.screen.lines
    assert [error, hint] == ["error: the account is empty", "hint: fill it"]
    assert stop == "notice: no more rows will be submitted"
    assert bar.endswith("0/9  stopping")
    assert row.startswith("1   0:0")


@pytest.mark.parametrize(
    ("environ", "options", "draws"),
    [
        ({}, {}, True),
        ({"TERM": "dumb"}, {}, False),
        ({"GITHUB_ACTIONS": "true"}, {}, False),
        ({}, {"as_json": True}, False),
        ({}, {"quiet": True}, False),
    ],
)
def test_where_it_is_drawn(
    terminal: Open,
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    options: dict[str, bool],
    draws: bool,
) -> None:
    shown = terminal()
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    options = {"as_json": False, "quiet": False, **options}
    report = open_batch_report(Tally(9), batch="b", **options)
    report.refresh()
    report.close()
    assert (shown.screen.drawings > 0) == draws
