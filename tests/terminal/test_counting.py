"""How far a long command is: a line now and then in a pipe, one redrawn line on a terminal."""

import time
from collections.abc import Callable

import pytest

from kontext_cli.terminal.counting import Counting

Clock = Callable[[float], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Set the clock."""

    def set_clock(seconds: float) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: seconds)

    set_clock(100)
    return set_clock


def test_a_line_now_and_then_in_a_pipe(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Counting("gallery", quiet=False) as counting:
        for second in range(100, 113):
            at(second)
            counting.show(second * 10, 2000, "images")
        at(120)
        counting.show(3000, None, "jobs read")
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "gallery: 1,050/2,000 images",
        "gallery: 1,100/2,000 images",
        "gallery: 3,000 jobs read",
    ]


def test_one_line_on_a_terminal_that_is_gone_at_the_end(
    at: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Counting("gallery", quiet=False) as counting:
        counting.show(1, 20, "images")
        for tenth in (2, 4):
            at(100 + tenth / 10)
            counting.show(tenth, 20, "images")
    erased = "\r\x1b[K"
    shown = f"{erased}gallery: 2/20 images{erased}gallery: 4/20 images{erased}"
    assert capsys.readouterr().err == shown


def test_a_narrow_window_is_not_filled_with_lines(
    at: Clock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "12")
    with Counting("gallery", quiet=False) as counting:
        at(101)
        counting.show(1, 2000, "images")
    assert capsys.readouterr().err == "\r\x1b[Kgallery: 1/\r\x1b[K"


def test_nothing_where_nothing_is_wanted(at: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with Counting("gallery", quiet=True) as counting:
        at(1000)
        counting.show(1, 20, "images")
    assert capsys.readouterr().err == ""
