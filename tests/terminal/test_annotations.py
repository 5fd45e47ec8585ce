"""What GitHub Actions is told: commands that stay one command, tables that stay tables."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kontext_cli.terminal import annotations
from kontext_cli.terminal.annotations import (
    Annotations,
    RowError,
    annotate,
    error_command,
    step_summary,
)
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.records import as_line

HOSTILE = st.text(st.sampled_from("%0AD\r\n\u2028:,;=#[]|\\`<>&!*_~@$ \tx\x1b\udc80é")) | st.text()
COUNTS = {"rows": "20", "saved": "17", "failed": "3", "spent": "about $0.72"}


@pytest.fixture
def actions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run on GitHub Actions in an empty workspace; where the summary of the step goes."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(workspace))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def unescaped(text: str, *, of_property: bool = False) -> str:
    """What the runner makes of it (actions/runner, ActionCommand.cs)."""
    if of_property:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def understood(command: str) -> tuple[dict[str, str], str]:
    """The properties and the message of a workflow command, as the runner reads it."""
    assert command.startswith("::error ")
    head, _, data = command.removeprefix("::error ").partition("::")
    pairs = [pair.split("=", 1) for pair in head.split(",")]
    return {key: unescaped(value, of_property=True) for key, value in pairs}, unescaped(data)


def test_a_failed_row_is_shown_at_its_line() -> None:
    error = RowError("fal refused it: 100% wrong", "prompts.jsonl", 12, 7)
    assert error_command(error) == (
        "::error file=prompts.jsonl,line=12,title=kontext::row 7: fal refused it: 100%25 wrong"
    )


@given(what=HOSTILE, file=HOSTILE.filter(str.strip))
@example(what="x\n::set-output name=a::b", file="a,line=1::warning ::b")
@example(what="x", file="/a\0b")
def test_no_text_gets_out_of_its_command(what: str, file: str) -> None:
    command = error_command(RowError(what, file, 3))
    assert not re.search(r"[\r\n]", command)
    properties, data = understood(command)
    assert set(properties) == {"file", "line", "title"}
    assert (properties["line"], properties["title"]) == ("3", "kontext")
    assert not re.search(r"[\r\n\x1b]", data + properties["file"])


@given(text=HOSTILE.filter(str.isprintable).map(str.strip).filter(lambda text: "\t" not in text))
def test_text_without_control_characters_arrives_as_it_is(text: str) -> None:
    assert understood(error_command(RowError(text)))[1] == text[:2000] + "…" * (len(text) > 2000)


@pytest.mark.parametrize(
    ("detail", "properties", "message"),
    [
        ("p.txt:4: no option `promt`", {"file": "p.txt", "line": "4"}, "no option `promt`"),
        ("a/b: c.csv:12: seed: 0", {"file": "a/b: c.csv", "line": "12"}, "seed: 0"),
        ("p.txt:3: twice\np.txt:9: x", {"file": "p.txt", "line": "3"}, "twice p.txt:9: x"),
        ("no place at all", {}, "no place at all"),
    ],
)
def test_a_mistake_is_shown_at_its_line(
    actions: Path,
    capsys: pytest.CaptureFixture[str],
    detail: str,
    properties: dict[str, str],
    message: str,
) -> None:
    annotate([detail])
    out, err = capsys.readouterr()
    assert out == ""
    assert understood(err.removesuffix("\n")) == ({**properties, "title": "kontext"}, message)


def test_mistakes_that_github_would_not_show_are_counted(
    actions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    annotate([f"p.txt:{number}: wrong" for number in range(1, 25)])
    lines = capsys.readouterr().err.splitlines()
    assert [line.split("::")[1][:5] for line in lines] == ["error"] * 10 + ["warni"]
    assert "14 more" in lines[-1]


def test_nothing_is_annotated_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    annotate(["p.txt:1: wrong"])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("p.txt", "sub/p.txt"),
        ("../p.txt", "p.txt"),
        ("{workspace}/deep/p.txt", "deep/p.txt"),
        ("{outside}/p.txt", "{outside}/p.txt"),
    ],
)
def test_paths_count_from_the_workspace(
    actions: Path, monkeypatch: pytest.MonkeyPatch, typed: str, shown: str
) -> None:
    workspace, outside = actions.parent / "workspace", actions.parent / "outside"
    (workspace / "sub").mkdir()
    monkeypatch.chdir(workspace / "sub")
    places = {"workspace": workspace.as_posix(), "outside": outside.as_posix()}
    file = error_command(RowError("x", typed.format(**places), 1))
    assert understood(file)[0]["file"] == shown.format(**places)


def test_the_summary_of_a_step(actions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = Annotations()
    shown.add(RowError("refused", "p.txt", 12, 7))
    shown.add(RowError("gone", row=9))
    actions.write_text("of an earlier command\n")
    assert shown.close("kontext: batch b", COUNTS, stop="no credit") is None
    assert actions.read_text() == (
        "of an earlier command\n"
        "### kontext: batch b\n"
        "\n"
        "Stopped: no credit\n"
        "\n"
        "| rows | saved | failed | spent |\n"
        "|--:|--:|--:|--:|\n"
        "| 20 | 17 | 3 | about &#36;0.72 |\n"
        "\n"
        "| row | line | error |\n"
        "|--:|--:|---|\n"
        "| 7 | 12 | refused |\n"
        "| 9 |  | gone |\n"
    )
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_of_many_failed_rows_some_are_counted(
    actions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = Annotations()
    for row in range(1, 1001):
        shown.add(RowError("refused", "p.txt", row, row))
    shown.close("b", COUNTS, stop=None)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 11
    assert "990 more failed" in lines[-1]
    text = actions.read_text()
    assert "| 200 | 200 | refused |\n\n800 more failed.\n" in text


@given(what=HOSTILE)
@example(what="`a` | b\n| c | <img src=x> [l](http://x) \\| end\\")
def test_a_cell_holds_nothing_but_text(what: str) -> None:
    errors = [RowError(what, row=1), RowError("after")]
    text = step_summary("t", COUNTS, errors, 2, stop=None, most_bytes=annotations.MOST_BYTES)
    *_, row, after = text.splitlines()
    assert after == "|  |  | after |"
    assert re.fullmatch(r"\| 1 \|  \| [^|`<>\\*\[\]\r\n]* \|", row)
    assert not re.search(r"&(?!#\d+;)", row)


@given(most=st.integers(-10, 3000), length=st.integers(0, 400), count=st.integers(0, 300))
def test_a_summary_never_outgrows_what_is_left_of_its_file(
    most: int, length: int, count: int
) -> None:
    errors = [RowError("é|" * length, row=row) for row in range(min(count, annotations.MOST_ROWS))]
    text = step_summary("t", COUNTS, errors, count, stop=None, most_bytes=most)
    assert len(text.encode()) <= max(most, 0)


def test_a_full_file_is_left_alone(actions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    actions.write_bytes(b"x" * (annotations.MOST_BYTES - 10))
    assert Annotations().close("b", COUNTS, stop=None) is None
    assert actions.stat().st_size == annotations.MOST_BYTES - 10


def test_a_summary_that_cannot_be_written_is_told(
    actions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(actions.parent / "missing" / "summary.md"))
    trouble = Annotations().close("b", COUNTS, stop=None)
    assert trouble is not None
    assert trouble.startswith("cannot write the job summary: ")


@pytest.mark.parametrize(
    "text", ["::stop-commands::x", "  ::error::x", "error: fal said ##[set-output name=a]b"]
)
def test_what_a_server_says_is_no_command(
    actions: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    to_stderr(text)
    line = capsys.readouterr().err
    assert not re.search(r"^\s*::|##\[", line)
    assert "##[" not in as_line({"said": text})
    to_stderr("a :: b")
    assert capsys.readouterr().err == "a :: b\n"
