"""Whole processes: signals, pipes, streams that are gone, odd environments."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from processes import kontext, start

KEY = "canary-key-0123456789"
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and files")


@pytest.fixture
def provider(sandbox: Callable[..., Any]) -> Callable[..., Any]:
    """Start a sandbox; its environment makes it every provider."""

    def begin(**options: Any) -> tuple[Any, dict[str, str]]:
        server = sandbox(**options)
        return server, {
            "KONTEXT_FAL_BASE_URL": f"{server.url}/fal",
            "KONTEXT_AIMLAPI_BASE_URL": f"{server.url}/aimlapi",
            "FAL_KEY": KEY,
            "AIML_API_KEY": KEY,
        }

    return begin


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
def test_a_signal_leaves_a_queued_job_running(
    tmp_path: Path, provider: Callable[..., Any], name: str
) -> None:
    server, environ = provider()
    process = start(
        *("generate", "[fault:stuck] x", "-p", "fal", "--json"),
        cwd=tmp_path,
        environ=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait_for_line(process, b"queued")
    number = getattr(signal, name)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    record = json.loads(out)
    assert process.returncode == 128 + number
    assert (record["state"], record["error"]["code"]) == ("queued", "interrupted")
    assert record["request_id"].encode() in err
    assert f"hint: kontext fetch {record['id']}".encode() in err
    assert b"Traceback" not in err
    assert len(server.ledger.entries) == 1
    assert not any(path.name.endswith(".part") for path in tmp_path.iterdir())


@posix
def test_a_signal_in_a_blocking_call_leaves_its_outcome_unknown(
    tmp_path: Path, provider: Callable[..., Any]
) -> None:
    server, environ = provider()
    process = start(
        *("generate", "[fault:stuck] x", "-p", "aimlapi", "--json", "--debug"),
        cwd=tmp_path,
        environ=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait_for_submit(server)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    record = json.loads(out)
    assert process.returncode == 130
    assert record["state"] == "unknown"
    assert record["error"]["billed"] == "maybe"
    assert b"may have been billed" in err


@posix
def test_sigint_works_where_it_was_ignored_by_inheritance(
    tmp_path: Path, provider: Callable[..., Any]
) -> None:
    _, environ = provider()
    process = start(
        *("generate", "[fault:stuck] x", "-p", "fal"),
        cwd=tmp_path,
        environ=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    _wait_for_line(process, b"queued")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130


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
def test_a_picture_to_a_reader_that_has_gone(tmp_path: Path) -> None:
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


def _wait_for_line(process: subprocess.Popen[bytes], text: bytes) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended without saying {text!r}")


def _wait_for_submit(server: Any) -> None:
    assert server.ledger.wait_for(1, seconds=20)


@posix
def test_a_second_signal_leaves_at_once(tmp_path: Path, provider: Callable[..., Any]) -> None:
    server, environ = provider()
    process = start(
        *("generate", "[fault:stuck] x", "-p", "fal"),
        cwd=tmp_path,
        environ=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    _wait_for_line(process, b"queued")
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert len(server.ledger.entries) == 1
