"""Images shown as they are saved: on the terminal alone, and never in the way."""

import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import PROGRAM, environment, kontext_here
from terminal.images_drawn import GRAPHICS, block_image, iterm_images, kitty_images, opened
from terminal.windows import on_window, slow_window

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
FOX = ("generate", "a red fox", "-p", "sandbox")
KITTY = {"TERM": "xterm-kitty"}
OURS = re.compile(r"\x1b(\[\??[\d;]*[ABGJKhlm]|[78])")
"""What is sent besides images: the terminal answers none of it."""


def test_not_one_byte_on_standard_output(tmp_path: Path) -> None:
    seen = on_window(*FOX, "-o", "fox.png", "--preview", "kitty", cwd=tmp_path, pipe=True)
    assert (seen.code, seen.piped) == (0, b"fox.png\n")
    [(_, image)] = kitty_images(seen.sent)
    assert image.size == (320, 320)  # of 32 × 16 cells
    assert "\x1b" not in OURS.sub("", GRAPHICS.sub("", seen.sent))


def test_the_image_goes_to_a_pipe_and_none_to_the_terminal(tmp_path: Path) -> None:
    seen = on_window(*FOX, "-o", "-", "--preview", "blocks", cwd=tmp_path, pipe=True)
    assert seen.code == 0
    assert seen.piped.startswith(b"\xff\xd8\xff")
    assert "▀" not in seen.sent


def test_the_images_of_a_job_side_by_side(tmp_path: Path) -> None:
    seen = on_window(*FOX, "-n", "3", "--preview", "auto", cwd=tmp_path)
    assert block_image(seen.sent).size == (79, 26)
    assert seen.sent.rstrip().endswith("-3.jpg")


def test_iterm_gets_the_file_that_was_saved(tmp_path: Path) -> None:
    there = {"TERM_PROGRAM": "iTerm.app"}
    seen = on_window(*FOX, "-o", "fox.jpg", "--preview", "auto", cwd=tmp_path, environ=there)
    [(_, data)] = iterm_images(seen.sent)
    assert data == (tmp_path / "fox.jpg").read_bytes()


@pytest.mark.parametrize(
    ("options", "environ", "shown"),
    [
        ((), {}, False),
        (("--preview", "off"), {"KONTEXT_PREVIEW": "kitty"}, False),
        (("--preview", "auto"), {}, True),
        ((), {"KONTEXT_PREVIEW": "auto"}, True),
        (("--preview", "auto"), {"CI": "true"}, False),
        (("--preview", "auto"), {"GITHUB_ACTIONS": "true"}, False),
        (("--preview", "auto"), {"CI": "false"}, True),
        (("--preview", "auto", "-q"), {}, False),
        (("--preview", "kitty", "-q"), {}, False),
        (("--preview", "auto", "--json"), {}, False),
        (("--preview", "kitty", "--json"), {}, True),
        (("--preview", "auto"), {"TERM": "dumb"}, False),
        (("--preview", "auto", "--debug"), {}, True),
    ],
)
def test_when_it_is_shown(
    tmp_path: Path, options: tuple[str, ...], environ: dict[str, str], shown: bool
) -> None:
    seen = on_window(*FOX, *options, cwd=tmp_path, pipe=True, environ={**KITTY, **environ})
    assert seen.code == 0
    assert ("\x1b_G" in seen.sent) is shown
    assert b"\x1b" not in seen.piped


def test_no_colour_means_no_blocks_unless_they_are_asked_for(tmp_path: Path) -> None:
    plain = {"NO_COLOR": "1"}
    assert "▀" not in on_window(*FOX, "--preview", "auto", cwd=tmp_path, environ=plain).sent
    assert "▀" in on_window(*FOX, "--preview", "blocks", cwd=tmp_path, environ=plain).sent


def test_the_config_sets_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('preview = "blocks"\n')
    there = {"KONTEXT_CONFIG_DIR": str(tmp_path)}
    seen = on_window(*FOX, cwd=tmp_path, environ={**KITTY, **there})
    assert block_image(seen.sent).size == (32, 32)


def test_a_pipe_instead_of_a_terminal_gets_none(tmp_path: Path) -> None:
    done = kontext_here(*FOX, "--preview", "kitty", cwd=tmp_path)
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout + done.stderr


def test_ctrl_c_within_an_image(tmp_path: Path) -> None:
    """A terminal would take all that is printed next for more of the image."""
    with slow_window(*FOX, "-o", "fox.jpg", "--preview", "kitty", cwd=tmp_path) as window:
        window.until(b"\x1b_G")
        window.process.send_signal(signal.SIGINT)
        sent = window.rest()
    assert window.process.returncode in (0, 130)  # 130 while the job's record is written
    assert "saved" in sent
    assert "\x1b_" not in re.sub(r"\x1b_[^\x1b]*\x1b\\", "", sent)
    assert re.search(r"\x1b8\x1b\[\d+B\r\n", sent)  # below the image
    assert opened((tmp_path / "fox.jpg").read_bytes()).size == (1024, 1024)


def test_what_is_no_file_is_not_shown(tmp_path: Path) -> None:
    seen = on_window(*FOX, "-o", "/dev/null", "--preview", "blocks", cwd=tmp_path)
    assert seen.code == 0
    assert "▀" not in seen.sent


def test_what_was_there_is_not_shown_again(tmp_path: Path) -> None:
    again = (*FOX, "-o", "fox.png", "--exists", "skip", "--preview", "blocks")
    assert "▀" in on_window(*again, cwd=tmp_path).sent
    assert "▀" not in on_window(*again, cwd=tmp_path).sent


def test_a_value_that_is_none(tmp_path: Path) -> None:
    for done in (
        kontext_here(*FOX, "--preview", "sixel", cwd=tmp_path),
        kontext_here(*FOX, cwd=tmp_path, KONTEXT_PREVIEW="sixel"),
    ):
        assert done.returncode == 2
        for value in (b"auto", b"kitty", b"iterm", b"blocks", b"off"):
            assert value in done.stderr


def test_fetch_shows_what_it_saves(tmp_path: Path) -> None:
    job = kontext_here(*FOX, "--no-wait", "--preview", "auto", cwd=tmp_path).stdout.decode().strip()
    seen = on_window("fetch", job, "--preview", "auto", cwd=tmp_path)
    assert seen.code == 0
    assert block_image(seen.sent).size == (32, 32)


@pytest.mark.skipif(not shutil.which("tmux"), reason="no tmux here")
def test_a_batch_in_a_real_terminal(tmp_path: Path) -> None:
    """Each image whole, among whole lines, and nothing left of the view."""
    (tmp_path / "animals.txt").write_text("a fox\na wolf\na bear\n")
    argv = ["generate", "-f", "animals.txt", "-p", "sandbox", "-d", "out", "--preview", "auto"]
    lines = _in_tmux(shlex.join([*PROGRAM, *argv]), cwd=tmp_path)
    text = [line for line in lines if "▀" not in line and line]
    assert {line for line in text if line.startswith("out/")} == {
        "out/1-a-fox.jpg",
        "out/2-a-wolf.jpg",
        "out/3-a-bear.jpg",
    }
    names = [name for line in text if not line.startswith("out/") for name in line.split()]
    assert sorted(name for name in names if name.endswith(".jpg")) == [
        "1-a-fox.jpg",
        "2-a-wolf.jpg",
        "3-a-bear.jpg",
    ]
    assert text[-1].startswith("batch ")
    blocks = [line for line in lines if "▀" in line]
    assert {run for line in blocks for run in line.split()} == {"▀" * 20}
    assert sum(len(line.split()) for line in blocks) == 30


def _in_tmux(command: str, *, cwd: Path) -> list[str]:
    """Run a command in a window of 80 × 24; all lines that scrolled by, and those on the screen."""
    socket = str(cwd / "tmux")
    tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
    after = f"tmux -S {shlex.quote(socket)} wait-for -S done; cat"
    size = ["-x", "80", "-y", "24", "-c", str(cwd)]
    environ = environment({"NO_COLOR": None, "COLORTERM": "truecolor", "SHELL": "/bin/sh"})
    begin = [*tmux, "new-session", "-d", *size, f"{command}; {after}"]
    subprocess.run(begin, env=environ, check=True, timeout=60)
    try:
        subprocess.run([*tmux, "wait-for", "done"], env=environ, check=True, timeout=60)
        capture = [*tmux, "capture-pane", "-p", "-S", "-"]
        done = subprocess.run(capture, env=environ, check=True, timeout=60, capture_output=True)
        return done.stdout.decode().splitlines()
    finally:
        subprocess.run([*tmux, "kill-server"], env=environ, check=False, timeout=60)
