"""`--open` starts the viewer of the system, once for each image, and waits for none."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from forking import kontext

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


def test_the_viewer_is_started_and_left_alone(tmp_path: Path, viewer: Viewer) -> None:
    argv = ("-o", "a red & fox.jpg", "--open")
    done = kontext(*FOX, *argv, cwd=tmp_path, PATH=viewer.path)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a red & fox.jpg\n", b"")
    assert viewer.lines(1) == {f"1:{tmp_path}/a red & fox.jpg"}


def test_each_image_of_a_job_is_opened(tmp_path: Path, viewer: Viewer) -> None:
    job = kontext(*FOX, "-n", "2", "--no-wait", cwd=tmp_path).stdout.decode().strip()
    done = kontext("fetch", job, "--open", "-q", cwd=tmp_path, PATH=viewer.path)
    assert viewer.lines(2) == {f"1:{tmp_path / path}" for path in done.stdout.decode().split()}


def test_without_a_viewer_there_is_a_notice(tmp_path: Path) -> None:
    done = kontext(*FOX[:-1], "--open", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 0
    assert b"notice: --open: there is no `xdg-open` on this system\n" in done.stderr


def test_nobody_looks_at_a_pipeline(tmp_path: Path, viewer: Viewer) -> None:
    done = kontext(*FOX[:-1], "--open", cwd=tmp_path, CI="true", PATH=viewer.path)
    assert done.returncode == 0
    assert b"notice: --open does nothing in CI\n" in done.stderr


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (("generate", "-f", "rows.txt", "--open", "-d", "out"), b"hint: kontext gallery out"),
        (("generate", "x", "--open", "--no-wait"), b"hint: kontext fetch JOB --open"),
        (("generate", "x", "--open", "-o", "-"), b"saves no file"),
        (("fetch", "--open"), b"hint: kontext fetch JOB --open"),
        (("fetch", "1q3x", "--open", "-o", "-"), b"saves no file"),
    ],
    ids=str,
)
def test_where_it_has_no_meaning(tmp_path: Path, argv: tuple[str, ...], hint: bytes) -> None:
    done = kontext(*argv, cwd=tmp_path)
    assert done.returncode == 2
    assert hint in done.stderr
