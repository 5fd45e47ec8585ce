"""Whole processes: signals, pipes, streams that are gone, odd environments."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from processes import kontext, start
from strained import wait_for_line
from world import PATIENCE, Ran, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and files")


def test_the_demo(tmp_path: Path) -> None:
    done = kontext("generate", "a lighthouse in fog", "--provider", "sandbox", cwd=tmp_path)
    assert done.returncode == 0
    path = tmp_path / done.stdout.decode().strip()
    assert path.suffix == ".jpg"
    assert path.read_bytes().startswith(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    ("argv", "code", "out", "err"),
    [
        (["--version"], 0, b"kontext ", b""),
        (["--help"], 0, b"Usage: kontext", b""),
        (["-h"], 0, b"Usage: kontext", b""),
        (["generate", "--help"], 0, b"Examples:", b""),
        ([], 2, b"Usage: kontext", b""),
        (["--no-such"], 2, b"", b"error: "),
        (["generate", "x"], 3, b"", b"error: there is no key"),
        (["edit", "x", "-i", "none.png", "-p", "sandbox"], 8, b"", b"none.png"),
    ],
)
def test_exit_codes(tmp_path: Path, argv: list[str], code: int, out: bytes, err: bytes) -> None:
    done = kontext(*argv, cwd=tmp_path)
    assert done.returncode == code
    assert out in done.stdout
    assert err in done.stderr
    assert bool(done.stdout) == bool(out)
    assert bool(done.stderr) == bool(err)


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_leaves_a_queued_job_running(world: World, name: str) -> None:
    process = world.start("generate", "[fault:stuck] x", "-p", "fal", "--json")
    wait_for_line(process, b"queued")
    number = getattr(signal, name)
    process.send_signal(number)
    ran = Ran.of(process).check()
    (record,) = ran.records
    assert ran.code == 128 + number
    assert (record["state"], record["error"]["code"]) == ("queued", "interrupted")
    assert record["request_id"] in ran.err
    assert f"hint: kontext fetch {record['id']}" in ran.err
    assert world.accepted.total() == 1
    assert not any(path.name.endswith(".part") for path in world.folder.iterdir())


@posix
def test_a_signal_in_a_blocking_call_leaves_its_outcome_unknown(world: World) -> None:
    process = world.start("generate", "[fault:stuck] x", "-p", "aimlapi", "--json", "--debug")
    assert world.ledger.wait_for(1, seconds=PATIENCE)
    process.send_signal(signal.SIGINT)
    ran = Ran.of(process).check()
    (record,) = ran.records
    assert ran.code == 130
    assert record["state"] == "unknown"
    assert record["error"]["billed"] == "maybe"
    assert "may have been billed" in ran.err


@posix
def test_sigint_works_where_it_was_ignored_by_inheritance(world: World) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = world.start("generate", "[fault:stuck] x", "-p", "fal", preexec_fn=ignore)
    wait_for_line(process, b"queued")
    process.send_signal(signal.SIGINT)
    assert Ran.of(process).code == 130


@posix
def test_a_second_signal_leaves_at_once(world: World) -> None:
    process = world.start("generate", "[fault:stuck] x", "-p", "fal")
    wait_for_line(process, b"queued")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    assert Ran.of(process).code == 130
    assert world.accepted.total() == 1


@posix
def test_a_reader_that_has_gone_is_no_failure(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        process = start(
            *("generate", "x", "-p", "sandbox"), cwd=tmp_path, stdout=gone, stderr=subprocess.PIPE
        )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err
    assert len(list(tmp_path.glob("x-*.jpg"))) == 1


@posix
def test_an_image_to_a_reader_that_has_gone(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        process = start(
            *("generate", "x", "-p", "sandbox", "-o", "-"),
            cwd=tmp_path,
            stdout=gone,
            stderr=subprocess.PIPE,
        )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 8
    assert b"standard output" in err
    assert b"Traceback" not in err


def test_standard_output_that_is_closed(tmp_path: Path) -> None:
    code = "import os, sys; os.close(1); os.execv(sys.executable, sys.argv[1:])"
    process = start(
        *("generate", "x", "-p", "sandbox"),
        cwd=tmp_path,
        through=[sys.executable, "-c", code],
        stderr=subprocess.PIPE,
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"Traceback" not in err


def test_a_locale_without_unicode(tmp_path: Path) -> None:
    done = kontext(
        *("generate", "ein Füchslein", "-p", "sandbox"),
        cwd=tmp_path,
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert len(list(tmp_path.glob("ein-fuchslein-*.jpg"))) == 1


def test_nothing_is_read_from_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FAL_KEY=stolen\nKONTEXT_FAL_BASE_URL=https://evil.example\n")
    (tmp_path / "config.toml").write_text('provider = "fal"\n')
    done = kontext("generate", "x", cwd=tmp_path)
    assert done.returncode == 3
