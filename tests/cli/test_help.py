"""The help pages: examples first, what most people use next, and nothing wider than the window."""

import re
import sys
from pathlib import Path

import pytest

from completions.writer.tree import tree
from kontext_cli.cli.main import program
from processes import RightHere
from screens import on_screen

PAGES = [each.path[1:] for each in tree(program()).walk()]
LONG = [("generate",), ("edit",)]
FLAG = re.compile(r"^ {2,8}(?:-\w, )?(--[\w-]+)", re.MULTILINE)


def page(run: RightHere, folder: Path, argv: tuple[str, ...], columns: int = 80) -> str:
    """The help of a command in a window of some width."""
    done = run(*argv, "--help", cwd=folder, environ={"COLUMNS": str(columns)})
    assert done.returncode == 0
    return done.stdout.decode()


@pytest.mark.parametrize("argv", PAGES, ids=" ".join)
@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_page_fits_the_window(
    right_here: RightHere, tmp_path: Path, argv: tuple[str, ...], columns: int
) -> None:
    """Only an example may be wider than a narrow one: it is there to be copied."""
    lines = page(right_here, tmp_path, argv, columns).splitlines()
    wide = [line for line in lines if len(line) > columns]
    assert columns < 80 or wide == []
    assert [line for line in wide if not re.match(r"    .*kontext|    curl", line)] == []
    assert lines == [line.rstrip() for line in lines]


@pytest.mark.parametrize("argv", PAGES, ids=" ".join)
def test_a_page_speaks_of_no_ranges_but_in_words(
    right_here: RightHere, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    assert not re.search(r"<=|>=|\[default", page(right_here, tmp_path, argv))


@pytest.mark.parametrize("argv", LONG, ids=" ".join)
def test_the_examples_come_first_and_then_the_common_options(
    right_here: RightHere, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    text = page(right_here, tmp_path, argv)
    first, more = text.split("\nMore options:\n")
    assert first.index("Examples:") < first.index("Arguments:") < first.index("\nOptions:\n")
    common = ["--provider", "--model", "--aspect-ratio", "--num-images", "--seed", "--output"]
    common += ["--output-dir", "--prompts-file", "--dry-run"]
    assert [flag for flag in FLAG.findall(first) if flag != "--image"] == common
    assert {"--guidance-scale", "--shard", "--json", "--help"} <= set(FLAG.findall(more))


@pytest.mark.parametrize("argv", PAGES, ids=" ".join)
def test_every_option_is_there_once(
    right_here: RightHere, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    [command] = [each for each in tree(program()).walk() if each.path[1:] == argv]
    found = FLAG.findall(page(right_here, tmp_path, argv).partition("\nOptions:\n")[2])
    assert sorted(found) == sorted(option.flags[-1] for option in command.options)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
def test_headings_are_bold_on_a_terminal(tmp_path: Path) -> None:
    shown = on_screen("generate", "--help", cwd=tmp_path).terminal
    for heading in ("Usage:", "  Examples:", "Options:", "More options:", "  Batch:"):
        assert f"\x1b[1m{heading}\x1b[0m" in shown
    assert "\x1b[2m  # offline, no key\x1b[0m" in shown
