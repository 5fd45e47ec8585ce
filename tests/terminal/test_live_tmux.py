"""The live view in tmux, a terminal that breaks lines anew when its window is resized."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from processes import environment

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here")
DRIVER = Path(__file__).with_name("drawn_batch.py")


class Window:
    """A window of tmux with the batch in it."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._tmux = ["tmux", "-f", os.devnull, "-S", str(folder / "tmux")]
        pipes = [folder / "commands", folder / "answers"]
        for pipe in pipes:
            os.mkfifo(pipe)
        driver = shlex.join([sys.executable, *map(str, (DRIVER, *pipes))])
        size = ["-x", str(columns), "-y", str(rows)]
        self._do("new-session", "-d", *size, f"{driver}; cat")
        self._commands = pipes[0].open("w")
        self._answers = pipes[1].open()

    def batch(self, *command: object) -> None:
        """Have the batch do something, and wait until it is seen."""
        line = " ".join(map(str, command))
        print(line, file=self._commands, flush=True)
        assert self._answers.readline().strip() == line

    def resize(self, columns: int, rows: int) -> None:
        self._do("resize-window", "-x", str(columns), "-y", str(rows))

    @property
    def lines(self) -> list[str]:
        """All lines from the first that was ever shown, without empty ones."""
        return self._do("capture-pane", "-p", "-J", "-S", "-").split("\n")

    @property
    def cursor(self) -> tuple[int, str]:
        """The column of the cursor, and the text of its line."""
        at = self._do("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        shown = self._do("capture-pane", "-p").split("\n")
        return int(at[0]), shown[int(at[1])]

    def close(self) -> None:
        self._do("kill-server")
        self._commands.close()
        self._answers.close()

    def _do(self, *command: str) -> str:
        environ = environment({"TERM": "xterm-256color", "LANG": "C.UTF-8", "TMUX": None})
        done = subprocess.run(
            [*self._tmux, *command], env=environ, check=True, capture_output=True, timeout=60
        )
        return done.stdout.decode()


@pytest.fixture
def window() -> Iterator[Window]:
    with TemporaryDirectory(prefix="kontext") as folder:  # the path of a socket has to be short
        opened = Window(Path(folder), 90, 24)
        yield opened
        opened.close()


def paths(lines: list[str]) -> list[str]:
    return [line.rstrip() for line in lines if ".jpg" in line]


def test_no_path_is_lost_or_torn_when_the_window_is_resized(window: Window) -> None:
    sizes = [(90, 24), (40, 24), (120, 24), (60, 12), (41, 30), (90, 24), (40, 10), (120, 24)]
    saved = 0
    for number in range(1, 9):
        window.batch("start", number)
    for columns, rows in sizes:
        for waits in (False, True):
            window.resize(columns, rows)
            if waits:
                window.batch("wait", columns)
            for _ in range(3):
                saved += 1
                window.batch("save", saved)
                window.batch("start", saved + 8)
        shown = window.lines
        assert any(f"{saved}/90" in line for line in shown)
    window.batch("close")
    assert paths(window.lines) == [
        f"/out/{number}-a-lighthouse-in-fog-seen-from-the-sea-at-dawn.jpg"
        for number in range(1, saved + 1)
    ]
    assert window.cursor == (0, "")


def test_a_full_window_that_becomes_narrower_keeps_nothing_of_the_view(window: Window) -> None:
    for number in range(1, 41):
        window.batch("start", number)
    for number in range(1, 31):
        window.batch("save", number)
    window.resize(40, 24)
    window.batch("wait", 40)
    window.batch("save", 31)
    window.batch("close")
    left = [line for line in window.lines if line.strip() and ".jpg" not in line]
    assert left == []
    assert len(paths(window.lines)) == 31
