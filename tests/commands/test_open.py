"""`--open` starts the viewer of the system, once for each image, and waits for none."""

import os
import sys
from pathlib import Path

import pytest

from processes import kontext

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs xdg-open")
FOX = ("generate", "a red fox", "-p", "sandbox", "-q")


@pytest.fixture
def viewer(tmp_path: Path) -> Path:
    """A viewer that writes what it was given into a pipe, and then never ends by itself."""
    programs = tmp_path / "bin"
    programs.mkdir()
    os.mkfifo(tmp_path / "opened")
    os.mkfifo(tmp_path / "close")
    script = programs / "xdg-open"
    script.write_text(
        f'#!/bin/sh\necho noise; echo noise >&2\necho "$#:$1" > {tmp_path}/opened\n'
        f"read -r closed < {tmp_path}/close\n"
    )
    script.chmod(0o755)
    return programs


def path_with(folder: Path) -> str:
    return f"{folder}:{os.environ['PATH']}"


def test_the_viewer_is_started_and_left_alone(tmp_path: Path, viewer: Path) -> None:
    there = os.open(tmp_path / "opened", os.O_RDWR)
    argv = ("-o", "a red & fox.jpg", "--open")
    done = kontext(*FOX, *argv, cwd=tmp_path, PATH=path_with(viewer))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"a red & fox.jpg\n", b"")
    assert os.read(there, 4096).decode() == f"1:{tmp_path}/a red & fox.jpg\n"
    os.close(there)
    (tmp_path / "close").write_text("\n")


def test_each_image_of_a_job_is_opened(tmp_path: Path, viewer: Path) -> None:
    there = os.open(tmp_path / "opened", os.O_RDWR)
    job = kontext(*FOX, "-n", "2", "--no-wait", cwd=tmp_path).stdout.decode().strip()
    done = kontext("fetch", job, "--open", "-q", cwd=tmp_path, PATH=path_with(viewer))
    opened = b""
    while opened.count(b"\n") < 2:
        opened += os.read(there, 4096)
    expected = {f"1:{tmp_path / path}" for path in done.stdout.decode().split()}
    assert {*opened.decode().split()} == expected
    os.close(there)
    for _ in range(2):
        (tmp_path / "close").write_text("\n")


def test_without_a_viewer_there_is_a_notice(tmp_path: Path) -> None:
    done = kontext(*FOX[:-1], "--open", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 0
    assert b"notice: --open: there is no `xdg-open` on this system\n" in done.stderr


def test_nobody_looks_at_a_pipeline(tmp_path: Path, viewer: Path) -> None:
    done = kontext(*FOX[:-1], "--open", cwd=tmp_path, CI="true", PATH=path_with(viewer))
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
