"""Ctrl-Z and Ctrl-C on a terminal: the view is removed, and what was printed stays."""

import os
import signal
import socket
import sys
from pathlib import Path
from subprocess import DEVNULL

import pytest

from forking import begin
from hostile.pseudo import Terminal
from sandbox.running import StartSandbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo terminals")
ERASED = b"\r\x1b[2K \x1b[J\r\x1b[2K"
PATIENCE = 60


@pytest.mark.parametrize("many", [False, True], ids=["one", "batch"])
def test_ctrl_z_and_ctrl_c_remove_the_view(
    tmp_path: Path, sandbox: StartSandbox, many: bool
) -> None:
    url = sandbox(latency=3600.0, plain=True).url
    environ = {
        "KONTEXT_FAL_BASE_URL": f"{url}/fal",
        "FAL_KEY": "canary",
        "TERM": "xterm-256color",
    }
    (tmp_path / "p.txt").write_text("a red fox\na blue fox\n", encoding="utf-8")
    argv = ["--prompts-file", "p.txt"] if many else ["a red fox"]
    terminal = Terminal(columns=80)
    process = begin(
        *("generate", *argv, "-p", "fal"),
        cwd=tmp_path,
        environ=environ,
        stdin=DEVNULL,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        process_group=0,  # in a group whose leader has no parent in the session, it would not stop
    )
    try:
        terminal.until(b"queue")
        process.send_signal(signal.SIGTSTP)
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert terminal.sent().endswith(ERASED)
        process.send_signal(signal.SIGCONT)
        terminal.until(b"queue")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
        sent = terminal.sent()
        assert ERASED in sent
        assert b"\x1b[?7l" not in sent[sent.rindex(ERASED) :]
    finally:
        process.kill()
        process.wait(PATIENCE)
        terminal.close()


def test_a_second_ctrl_c_removes_the_view(tmp_path: Path) -> None:
    """The first one waits for the answer to a submit, which never comes."""
    (tmp_path / "p.txt").write_text("a red fox\na blue fox\n", encoding="utf-8")
    terminal = Terminal(columns=80)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(PATIENCE)
        process = begin(
            *("generate", "-f", "p.txt", "-p", "fal", "-d", "out"),
            cwd=tmp_path,
            environ={
                "KONTEXT_FAL_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/fal",
                "FAL_KEY": "canary",
                "TERM": "xterm-256color",
            },
            stdin=DEVNULL,
            stdout=terminal.theirs,
            stderr=terminal.theirs,
        )
        try:
            with silent.accept()[0] as connection:
                assert connection.recv(1)
                sent = terminal.until(b"submitting")
                process.send_signal(signal.SIGINT)
                sent += terminal.until(b"stopping")
                process.send_signal(signal.SIGINT)
                assert process.wait(PATIENCE) == 130
            sent += terminal.sent()
        finally:
            process.kill()
            process.wait(PATIENCE)
            terminal.close()
    assert sent.endswith(ERASED)
    assert sent.count(b"\x1b[?7l") == sent.count(b"\x1b[?7h")  # lines are wrapped again
    assert b"\x1b[?25l" not in sent  # the cursor was never hidden
