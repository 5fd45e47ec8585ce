"""The lines of the live view, as pure functions of jobs, time and width."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from journals import job
from kontext_cli.batch.progress import BatchProgress
from kontext_cli.batch.tally import Tally
from kontext_cli.job import Job, Note, State
from kontext_cli.terminal.drawing import ASCII, FINE, Strokes
from kontext_cli.terminal.live_lines import (
    Columns,
    JobRow,
    Share,
    bar_line,
    clock_text,
    cut,
    row_line,
    single_line,
    time_text,
)

FOG = "a lighthouse in fog"
LONG = "a lighthouse in fog, seen from the sea at dawn, in the manner of an old engraving"

BUSY = "fal answered 503, again in 2 s, 1 of 5"


def row(each: Job, *logs: str) -> JobRow:
    shown = JobRow.of(each, 0.0)
    shown.update(logs)
    return shown


def running(prompt: str = FOG, **more: Any) -> Job:
    return job(State.RUNNING, request={"prompt": prompt}, **more)


def after_queue() -> JobRow:
    each = running()
    each.state, each.position = State.QUEUED, 2
    shown = row(each)
    each.state, each.position = State.RUNNING, None
    shown.update([])
    return shown


def single(shown: JobRow, width: int = 79, *, now: float = 3.2, usual: float | None = None) -> str:
    return single_line(shown, shown.share(now, usual), now, width, "⠦", FINE).plain


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (79, "⠦ a lighthouse in fog  ━━━━──────  43 %  queue 2 → running  3 s  fal"),
        (64, "⠦ a lighthouse…  ━━━━──────  43 %  queue 2 → running  3 s  fal"),
        (60, "⠦ a lighthouse i…  ━━━━──────  43 %  queue 2 → running  3 s"),
        (50, "⠦ a lighthouse i…  ━━━━──────  43 %  running  3 s"),
        (39, "⠦ a lighthouse in…  43 %  running  3 s"),
        (25, "⠦  43 %  running  3 s"),
        (15, "⠦  running  3 s"),
        (9, "⠦  runnin"),
    ],
)
def test_what_says_least_goes_first(width: int, line: str) -> None:
    shown = after_queue()
    shown.update([" 43%|████▎     | 12/28 [00:03<00:04,  3.70it/s]"])
    drawn = single(shown, width)
    assert (drawn, cell_len(drawn) <= width) == (line, True)


@pytest.mark.parametrize(
    ("each", "logs", "usual", "line"),
    [
        (running(), [], None, f"⠦ {FOG}  running  3 s  fal"),
        (running(), [], 10.0, f"⠦ {FOG}  ━━━───────  ~32 %  running  3 s  fal"),
        (running(), ["100%|##"], 10.0, f"⠦ {FOG}  ━━━━━━━━━━  100 %  running  3 s  fal"),
        (running(), ["loading"], None, f"⠦ {FOG}  running  3 s  fal"),
        (running(LONG), ["1%|"], None, f"⠦ {LONG[:27]}…  ──────────  1 %  running  3 s  fal"),
        (running(LONG), [Note(BUSY)], None, f"⠦ {BUSY}  running  3 s  fal"),
        (job(State.QUEUED, position=12, request={}), [], 10.0, "⠦   queue 12  3 s  fal"),
        (job(State.QUEUED, position=0, request={"prompt": "x"}), [], None, "⠦ x  queued  3 s  fal"),
        (job(State.READY, request={"prompt": "x"}), [], None, "⠦ x  downloading  3 s  fal"),
        (running("狐狸" * 30), [], None, f"⠦ {'狐狸' * 6}狐…  running  3 s  fal"),
    ],
)  # fmt: skip
def test_a_single_job(each: Job, logs: list[str], usual: float | None, line: str) -> None:
    shown = row(each, *logs)
    shown.age = 0.0
    assert single(shown, usual=usual) == line


def rows(width: int, *labels: str, share: Share | None = None, prompt: str = FOG) -> list[str]:
    columns = Columns.fitting(width, max(map(cell_len, labels)))
    made = [row(running(prompt, row=f"id:{label}")) for label in labels]
    return [row_line(each, share, 71.0, columns, FINE).plain for each in made]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (89, f" 9   1:11  running      {FOG:<46}  ━━━━──────   43 %"),
        (79, f" 9   1:11  running      {FOG:<36}  ━━━━──────   43 %"),
        (50, " 9   1:11  running      a lighthouse in fog   43 %"),
        (39, " 9  running      a lighthouse i…   43 %"),
        (30, " 9  running      a lighthouse…"),
        (20, " 9  running"),
        (5, "9  ru"),
    ],
)
def test_columns(width: int, line: str) -> None:
    drawn = rows(width, "9", "10", share=Share(43, is_estimate=False))
    assert all(cell_len(each) <= width for each in drawn)
    assert drawn[0] == line


def test_no_row_pushes_the_columns() -> None:
    share = Share(99, is_estimate=True)
    labels = ("9", "cliff-by-night-in-a-storm-of-snow", "狐狸")
    drawn = rows(79, *labels, share=share, prompt="雪の灯台 🗼 " * 9)
    assert {cell_len(line[: line.index("running")]) for line in drawn} == {28}
    assert {cell_len(line[: line.index("━")]) for line in drawn} == {62}
    assert [line[:19].strip() for line in drawn][:2] == ["9", "cliff-by-night-in-…"]
    assert all(line.endswith("~99 %") for line in drawn)


labels = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


@given(
    st.text(),
    labels,
    st.integers(0, 200),
    st.sampled_from(list(State)),
    st.none() | st.integers(-5, 10**9),
    st.none() | st.builds(Share, st.integers(0, 100), st.booleans()),
    st.floats(0, 1e9),
    st.sampled_from([FINE, ASCII]),
)
def test_no_line_is_wider_than_the_window(
    prompt: str,
    label: str,
    width: int,
    state: State,
    position: int | None,
    share: Share | None,
    now: float,
    strokes: Strokes,
) -> None:
    each = job(state, request={"prompt": prompt}, row=f"id:{label}", position=position)
    shown = row(each, Note(prompt)) if position == 1 else row(each)
    columns = Columns.fitting(width, cell_len(shown.label))
    line = row_line(shown, share, now, columns, strokes)
    alone = single_line(shown, share, now, width, strokes.spinner[0], strokes)
    assert max(line.cell_len, alone.cell_len) <= width
    assert not set("\x1b\r\n\t\x9b") & set(line.plain + alone.plain)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 200))
def test_nor_is_the_bar_of_a_batch(ended: int, more: int, width: int) -> None:
    tally = Tally(ended + more)
    tally.counts.update(saved=ended)
    assert bar_line(BatchProgress(tally), width, FINE).cell_len <= width


@given(st.text(), st.integers(0, 30), st.sampled_from([FINE, ASCII]))
def test_cut_text_fits(text: str, width: int, strokes: Strokes) -> None:
    assert cell_len(cut(text, width, strokes)) <= width


@pytest.mark.parametrize(
    ("seconds", "clock", "time"),
    [
        (-1, "0:00", "0 s"),
        (3.9, "0:03", "3 s"),
        (71, "1:11", "1 min 11 s"),
        (5999, "99:59", "1 h 39 min"),
        (6000, "1h40", "1 h 40 min"),
        (359_999, "99h59", "99 h 59 min"),
        (360_000, "100h", "100 h 0 min"),
        (1e12, "9999h", "277777777 h 46 min"),
    ],
)
def test_times(seconds: float, clock: str, time: str) -> None:
    assert (clock_text(seconds), time_text(seconds)) == (clock, time)


def test_an_estimate_does_not_go_back_when_the_past_changes() -> None:
    shown = row(running())
    assert shown.share(5.0, 10.0) == Share(50, is_estimate=True)
    assert shown.share(6.0, 100.0) == Share(50, is_estimate=True)
    shown.update(["7%|#"])
    assert shown.share(7.0, 10.0) == Share(7, is_estimate=False)
