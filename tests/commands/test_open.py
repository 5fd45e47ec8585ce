"""`--open` starts the viewer of the system, once for each image, and waits for none."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from forking import begin
from world import Ran

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs xdg-open")
FOX = ("generate", "a red fox", "-p", "sandbox", "-q")


class Viewer(NamedTuple):
    """A viewer that tells what it was given, and stays open until the test ends."""

    folder: Path
    opened: int

    @property
    def path(self) -> str:
        return f"{self.folder}:{os.environ['PATH']}"

    def lines(self, count: int) -> set[str]:
        """What so many viewers were given: how many arguments, and the first."""
        told = b""
        while told.count(b"\n") < count:
            told += os.read(self.opened, 4096)
        return {*told.decode().splitlines()}


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[Viewer]:
    programs = tmp_path / "bin"
    programs.mkdir()
    ends = []
    for name in ("opened", "close"):
        os.mkfifo(tmp_path / name)
        ends.append(os.open(tmp_path / name, os.O_RDWR))  # so that opening it never waits
    script = programs / "xdg-open"
    script.write_text(
        f"#!/bin/sh\nexec 3< {tmp_path}/close\necho noise; echo noise >&2\n"
        f'echo "$#:$1" > {tmp_path}/opened\nread -r end <&3\n'
    )
    script.chmod(0o755)
    yield Viewer(programs, ends[0])
    for end in ends:
        os.close(end)


def run(*argv: str, cwd: Path, **environ: str) -> Ran:
    """Run the program to its end, and to that of whatever holds its streams."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return Ran.of(begin(*argv, cwd=cwd, environ=environ, **pipes))


def test_the_viewer_is_started_and_left_alone(tmp_path: Path, viewer: Viewer) -> None:
    argv = ("-o", "a red & fox.jpg", "--open")
    done = run(*FOX, *argv, cwd=tmp_path, PATH=viewer.path)
    assert done == (0, b"a red & fox.jpg\n", "")
    assert viewer.lines(1) == {f"1:{tmp_path}/a red & fox.jpg"}


def test_each_image_of_a_job_is_opened(tmp_path: Path, viewer: Viewer) -> None:
    job = run(*FOX, "-n", "2", "--no-wait", cwd=tmp_path).lines[0]
    done = run("fetch", job, "--open", "-q", cwd=tmp_path, PATH=viewer.path)
    assert viewer.lines(2) == {f"1:{tmp_path / path}" for path in done.lines}


def test_without_a_viewer_there_is_a_notice(tmp_path: Path) -> None:
    done = run(*FOX[:-1], "--open", cwd=tmp_path, PATH=str(tmp_path))
    assert done.code == 0
    assert "notice: --open: there is no `xdg-open` on this system\n" in done.err


def test_nobody_looks_at_a_pipeline(tmp_path: Path, viewer: Viewer) -> None:
    done = run(*FOX[:-1], "--open", cwd=tmp_path, CI="true", PATH=viewer.path)
    assert done.code == 0
    assert "notice: --open does nothing in CI\n" in done.err


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (("generate", "-f", "rows.txt", "--open", "-d", "out"), "hint: kontext gallery out"),
        (("generate", "x", "--open", "--no-wait"), "hint: kontext fetch JOB --open"),
        (("generate", "x", "--open", "-o", "-"), "saves no file"),
        (("fetch", "--open"), "hint: kontext fetch JOB --open"),
        (("fetch", "1q3x", "--open", "-o", "-"), "saves no file"),
    ],
    ids=str,
)
def test_where_it_has_no_meaning(tmp_path: Path, argv: tuple[str, ...], hint: str) -> None:
    done = run(*argv, cwd=tmp_path)
    assert done.code == 2
    assert hint in done.err
