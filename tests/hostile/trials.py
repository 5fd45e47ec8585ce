"""Batches whose runs go through something: a disk of their own, a tracer, a limit."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.files.saved import existing_file
from processes import RightHere, start
from sandbox.running import Serve
from soaking import SOAK, soaked
from strained import PATIENCE, Ended, Strained

IN_FLIGHT = 4
ROWS = soaked(10, 20)
OURS_IS_NO_TRACEBACK = ("Traceback", "bug in kontext", "Warning", "Exception ignored")

soak_only = pytest.mark.skipif(not SOAK, reason="one of many, for make soak")


class Said:
    """What a command came to that is no batch; nothing of Python's own is in it."""

    def __init__(self, code: int, out: bytes, err: bytes) -> None:
        self.code = code
        self.out = out
        self.err = err.decode()
        assert [word for word in OURS_IS_NO_TRACEBACK if word in self.err] == [], self.err


class Trial(Strained):
    """One batch, IN_FLIGHT jobs at a time; its state is in a folder beside its pictures.

    ``through`` is put before the command of each run; ``see`` tells where this process finds a
    file that has a name for those.
    """

    def __init__(
        self,
        folder: Path,
        serve: Serve,
        rows: int | Sequence[str] = ROWS,
        right_here: RightHere | None = None,
        **options: Any,
    ) -> None:
        super().__init__(folder, serve, rows, right_here, **options)
        self.state = folder / "state"
        self.through: Sequence[str] = ()
        self.see: Callable[[Path], Path] = lambda path: path
        self._environ["KONTEXT_STATE_DIR"] = str(self.state)

    def move(self, url: str) -> None:
        """Have the providers at another place."""
        self._environ["KONTEXT_FAL_BASE_URL"] = f"{url}/fal"
        self._environ["KONTEXT_AIMLAPI_BASE_URL"] = f"{url}/aimlapi"

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        return self.popen(*self.argv("-j", str(IN_FLIGHT), *argv), **options)

    def run(self, *argv: str, **options: Any) -> Ended:
        if options or self.through:
            return Ended.of(self.start(*argv, **options))
        return super().run("-j", str(IN_FLIGHT), *argv)

    def popen(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        """Begin any command of the program; a variable that is None in ``environ`` is not set."""
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given: dict[str, Any] = {"cwd": self.folder, **usual, **options}
        given["environ"] = {**self._environ, **given.get("environ", {})}
        return start(*argv, through=self.through, **given)

    def command(self, *argv: str, **options: Any) -> Said:
        """Run any command of the program to its end."""
        if self._right_here and not (options or self.through):
            done = self._right_here(*argv, cwd=self.folder, environ=self._environ)
            return Said(done.returncode, done.stdout, done.stderr)
        process = self.popen(*argv, **options)
        out, err = process.communicate(timeout=PATIENCE)
        return Said(process.returncode, out or b"", err or b"")

    def parts(self) -> list[str]:
        """What lies among the pictures and is none."""
        return [path.name for path in self.see(self.pictures).glob(".*")]

    def check_stopped(self, first: Ended) -> None:
        """See that a run ended for the disk, in order: nothing was sent that was not in flight."""
        saved = first.count("saved")
        assert first.code == (9 if saved else 8), first.err
        assert any(line["type"] == "error" and line["exit_code"] == 8 for line in first.lines)
        assert "no more rows are submitted" in first.err
        assert self.accepted() <= min(saved + IN_FLIGHT, len(self.prompts) - 1)
        assert self.parts() == []

    def check_rest(self, *argv: str, held: bool = False, more: bool = False) -> Ended:
        """See that the next run does what is left, each row made and paid for once.

        ``held``: rows may be of unknown outcome, and are told. ``more``: there may be a second
        copy of a picture.
        """
        rest = self.run(*argv)
        unknown = rest.count("unknown") if held else 0
        assert rest.code == (9 if unknown else 0), rest.err
        assert rest.count("saved", "skipped") == len(self.prompts) - unknown, rest.err
        self.check_paid_once()
        self.check_whole(rest, more=more or bool(unknown))
        return rest

    def check_whole(self, last: Ended, *, more: bool = False) -> None:
        """See that the pictures that were told are there and whole, and nothing else is.

        ``more``: there may be pictures of rows that were not told as saved.
        """
        told = {
            self.see(Path(file["path"])): file["sha256"]
            for line in last.lines
            if line["type"] == "job"
            for file in line["files"]
        }
        found = {path: existing_file(path) for path in self.see(self.pictures).iterdir()}
        there = {path: file.sha256 for path, file in found.items() if not more or path in told}
        assert there == told
