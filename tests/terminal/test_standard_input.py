"""The prompt from standard input: piped in, typed, missing, or wanted twice."""

import subprocess
import sys
from pathlib import Path

import pytest

from forking import begin
from keyboard import CTRL_C, CTRL_D, at_keyboard
from processes import PROGRAM, RightHere, environment
from samples import image_file

DRY = ("-p", "sandbox", "--dry-run")
posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo terminals")


@pytest.mark.parametrize("argv", [("generate",), ("generate", "-")])
@pytest.mark.parametrize(
    ("piped", "prompt"),
    [
        (b"a red fox", '"prompt": "a red fox"'),
        (b"a red fox\n", '"prompt": "a red fox"'),
        ("\ufeffein Füchslein\r\n".encode(), '"prompt": "ein Füchslein"'),
        (b"a fox\nin fog\n", '"prompt": "a fox\\nin fog"'),
    ],
)
def test_piped_text_is_the_prompt(
    right_here: RightHere, tmp_path: Path, argv: tuple[str, ...], piped: bytes, prompt: str
) -> None:
    done = right_here(*argv, *DRY, cwd=tmp_path, stdin=piped)
    assert done.returncode == 0
    assert prompt in done.stdout.decode()


def test_of_several_lines_a_notice_says_that_they_are_one_prompt(
    right_here: RightHere, tmp_path: Path
) -> None:
    done = right_here("generate", *DRY, cwd=tmp_path, stdin=b"a fox\na wolf\n")
    assert b"notice: standard input is read as one prompt" in done.stderr
    quiet = right_here("generate", "-q", *DRY, cwd=tmp_path, stdin=b"a fox\na wolf\n")
    assert quiet.stderr == b""


def test_an_edit_takes_its_instruction_from_a_pipe(right_here: RightHere, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(image_file("png"))
    done = right_here("edit", "-i", "a.png", *DRY, cwd=tmp_path, stdin=b"make it winter")
    assert done.returncode == 0
    assert b"make it winter" in done.stdout


@pytest.mark.parametrize(
    ("argv", "piped", "says"),
    [
        (("generate",), b"", "the prompt is missing"),
        (("generate",), b" \n\n", "the prompt is missing"),
        (("edit", "-i", "a.png"), b"", "the prompt is missing"),
        (("edit", "-i", "-"), b"\x89PNG", "the prompt is missing: standard input is the image"),
        (("edit", "-", "-i", "-"), b"x", "only one argument can be standard input (`-`)"),
        (("generate",), b"\xff\xfe", "not UTF-8"),
        (("generate",), b"x" * 10_000_000, "has 10,000,000 characters"),
        (("generate", "-"), b"x" * 10_000_000, "has 10,000,000 characters"),
        (("generate", "-"), b"", "the prompt is empty"),
    ],
)
def test_no_prompt_is_a_usage_error(
    right_here: RightHere, tmp_path: Path, argv: tuple[str, ...], piped: bytes, says: str
) -> None:
    done = right_here(*argv, *DRY, cwd=tmp_path, stdin=piped)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("error: ")
    assert says in done.stderr.decode()


def test_a_prompts_file_leaves_standard_input_alone(right_here: RightHere, tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("a fox\n")
    done = right_here("generate", "-f", "p.txt", *DRY, "--json", cwd=tmp_path, stdin=b"a wolf\n")
    assert done.returncode == 0
    assert b"a fox" in done.stdout
    assert b"a wolf" not in done.stdout


@posix
def test_a_closed_standard_input_holds_no_prompt(tmp_path: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&-', "sh", *PROGRAM, "generate", *DRY],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: the prompt is missing\n")


def test_a_pipe_that_stays_silent_is_named(tmp_path: Path) -> None:
    """As under cron and in pipelines, where nobody closes it: a log then shows what is missing."""
    process = begin(
        "generate",
        *DRY,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"notice: no PROMPT given, waiting")
    out, _ = process.communicate(b"a late fox", timeout=60)
    assert process.returncode == 0
    assert b"a late fox" in out


@posix
@pytest.mark.parametrize(
    ("keys", "code", "ends"),
    [(b"a red fox\n" + CTRL_D, 0, b"free\r\n"), (CTRL_C, 130, b"new line.\r\n^C\r\n")],
)
def test_typing_a_prompt_says_how_to_end(
    tmp_path: Path, keys: bytes, code: int, ends: bytes
) -> None:
    ended, shown = at_keyboard("generate", "-", *DRY, cwd=tmp_path, after=b"new line.", keys=keys)
    assert ended == code
    assert shown.startswith(b"Type the prompt, then press Ctrl-D on a new line.\r\n")
    assert shown.endswith(ends)


@posix
@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("generate",), b"error: the prompt is missing\r\n"),
        (("edit",), b"error: the prompt is missing\r\n"),
        (("edit", "x", "-i", "-"), b"error: `-i -` reads an image from standard input"),
    ],
)
def test_nothing_is_read_from_a_terminal_unasked(
    tmp_path: Path, argv: tuple[str, ...], says: bytes
) -> None:
    code, shown = at_keyboard(*argv, *DRY, cwd=tmp_path, after=b"error", keys=b"")
    assert code == 2
    assert says in shown
