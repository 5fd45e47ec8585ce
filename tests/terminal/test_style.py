"""Colour, weight and links: where they are, where they are not, and that no text can make any."""

import os
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from kontext_cli.terminal.style import DIM, Piece, message, painted
from screens import on_screen

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")

CODE = "\x1b["
LINK = "\x1b]8;;"
RED_ERROR = "\x1b[1;31merror:\x1b[0m "
UNKNOWN = ("status", "zzz")
ONE = ("generate", "a fox", "-p", "sandbox", "--debug")
"""A job without a live view."""
KITTY = {"TERM": "xterm-kitty"}


def test_an_error_is_red_and_its_hint_dim(tmp_path: Path) -> None:
    done = on_screen(*UNKNOWN, cwd=tmp_path)
    assert done.code == 2
    assert done.lines[0].startswith(RED_ERROR)
    assert done.lines[1].startswith("\x1b[2mhint:")


def test_a_notice_is_yellow(tmp_path: Path) -> None:
    (tmp_path / "rows.txt").write_text("a fox [fault:failed]\na hare\n")
    argv = ("generate", "-f", "rows.txt", "-p", "sandbox", "-j", "1", "--fail-fast", "--debug")
    done = on_screen(*argv, cwd=tmp_path)
    assert "\x1b[33mnotice:\x1b[0m no more rows will be submitted" in done.lines


@pytest.mark.parametrize(
    ("environ", "colored"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"TERM": "dumb"}, False),
        ({"TERM": "linux"}, True),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"GITHUB_ACTIONS": "true"}, False),
        ({"GITHUB_ACTIONS": "true", "FORCE_COLOR": "1"}, True),
    ],
    ids=str,
)
def test_the_environment_decides_on_a_terminal(
    tmp_path: Path, environ: dict[str, str], colored: bool
) -> None:
    done = on_screen(*UNKNOWN, cwd=tmp_path, environ=environ)
    assert (CODE in done.terminal) is colored


@pytest.mark.parametrize(
    ("environ", "colored"),
    [
        ({}, False),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
    ids=str,
)
def test_the_environment_decides_in_a_pipe(
    tmp_path: Path, environ: dict[str, str], colored: bool
) -> None:
    done = on_screen(*UNKNOWN, cwd=tmp_path, out=False, err=False, environ=environ)
    assert (CODE in done.err) is colored


def test_each_stream_is_decided_by_itself(tmp_path: Path) -> None:
    done = on_screen(*ONE, cwd=tmp_path, out=False)
    assert CODE in done.terminal
    assert CODE not in done.out
    done = on_screen(*ONE, "-d", "again", cwd=tmp_path, err=False)
    assert CODE in done.terminal
    assert CODE not in done.err


@pytest.mark.parametrize("environ", [{}, {"FORCE_COLOR": "1", "TERM": "xterm-kitty"}], ids=str)
def test_a_path_in_a_pipe_is_the_path_and_no_more(tmp_path: Path, environ: dict[str, str]) -> None:
    done = on_screen(*ONE, "-o", "a fox%.jpg", cwd=tmp_path, out=False, environ=environ)
    assert done.out == "a fox%.jpg\n"


def test_values_in_a_pipe_have_no_colour(tmp_path: Path) -> None:
    on_screen(*ONE, cwd=tmp_path)
    done = on_screen("status", cwd=tmp_path, out=False, environ={"FORCE_COLOR": "1"})
    assert done.out.count("\t") == 9
    assert CODE not in done.out


def test_what_was_saved_is_green_and_its_path_bold(tmp_path: Path) -> None:
    done = on_screen(*ONE, "-o", "fox.jpg", cwd=tmp_path)
    assert "\x1b[1mfox.jpg\x1b[0m" in done.lines
    assert re.search(r"^job \w+: \x1b\[32msaved\x1b\[0m\x1b\[2m \(.*\)\x1b\[0m$", done.lines[-1])


def test_json_has_no_colour(tmp_path: Path) -> None:
    done = on_screen(*ONE, "--json", cwd=tmp_path, err=False, environ={"FORCE_COLOR": "1"})
    assert CODE not in done.terminal
    assert done.terminal.startswith('{"schema":1,')


@pytest.mark.parametrize(
    ("environ", "linked"),
    [
        ({}, False),
        ({"TERM": "xterm-kitty"}, True),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"TERM_PROGRAM": "WezTerm", "CI": "true"}, False),
        ({"TERM_PROGRAM": "WezTerm", "TERM": "dumb"}, False),
        ({"TERM_PROGRAM": "WezTerm", "NO_COLOR": "1"}, False),
        ({"VTE_VERSION": "7203"}, True),
        ({"VTE_VERSION": "5000"}, False),
        ({"VTE_VERSION": "7203", "TERM": "linux"}, False),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.4", "TMUX": "x"}, True),
        ({"TERM_PROGRAM": "tmux", "TERM_PROGRAM_VERSION": "3.3a", "TMUX": "x"}, False),
        ({"TMUX": "x", "VTE_VERSION": "7203"}, False),
    ],
    ids=str,
)
def test_known_terminals_get_links(tmp_path: Path, environ: dict[str, str], linked: bool) -> None:
    done = on_screen(*ONE, "-o", "a fox%.jpg", cwd=tmp_path, environ=environ)
    assert done.code == 0
    assert (LINK in done.terminal) is linked


def test_a_link_is_the_file_on_this_host(tmp_path: Path) -> None:
    name = "ä fox%;\\.jpg"
    done = on_screen(*ONE, "-o", name, cwd=tmp_path, environ=KITTY)
    found = re.search(r"\x1b\]8;;file://([^/]*)(/[!-~]*)\x1b\\(.*)\x1b\]8;;\x1b\\", done.terminal)
    assert found is not None
    assert found[1] == os.uname().nodename
    assert unquote(found[2]) == str(tmp_path / name)
    assert found[3] == f"\x1b[1m{name}\x1b[0m"


def test_codes_in_a_prompt_stay_text(tmp_path: Path) -> None:
    prompt = "\x1b[35mpurple\x1b]8;;x\x07"
    for argv in (("generate", prompt, "-p", "sandbox", "--dry-run"), ("status", prompt)):
        done = on_screen(*argv, cwd=tmp_path, environ=KITTY)
        assert "[35mpurple" in done.terminal
        assert "\x1b[35m" not in done.terminal
        assert "\x07" not in done.terminal


def test_codes_in_a_file_name_stay_text(tmp_path: Path) -> None:
    done = on_screen(*ONE, "-d", "\x1b[35mx", cwd=tmp_path, environ=KITTY)
    assert done.code == 0
    assert "\x1b[35m" not in done.terminal
    assert "/%1B%5B35mx/" in done.terminal


def test_a_link_that_is_too_long_is_left_out() -> None:
    assert painted(Piece("x", link="/" + "x" * 3_000), links=True) == "x"


def test_the_command_of_a_hint_is_not_dim() -> None:
    line = "hint: continue with: kontext generate -f rows.txt"
    start, command = message(line)
    assert start == Piece("hint: continue with: ", DIM)
    assert command == Piece("kontext generate -f rows.txt")


@pytest.mark.parametrize("text", ["errors: no", "an error: x", "job x: saved", "hint:x", ""])
def test_other_messages_are_plain(text: str) -> None:
    assert list(message(text)) == [Piece(text)]
