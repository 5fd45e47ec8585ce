"""Ctrl-Z and `fg`: what arrived while the process was stopped is read before its time is up."""

import signal
import subprocess
import sys
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from kontext_cli.sandbox.app import Sandbox
from processes import start
from sandbox.running import Serve
from strained import PATIENCE, Gate, killed_at_the_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process")

TIMEOUT = 1.0


def test_an_answer_that_arrived_while_the_process_was_stopped_is_not_thrown_away(
    tmp_path: Path, serve: Serve
) -> None:
    emulated = Sandbox(plain=True, latency=0.05)
    gate = Gate(emulated.app)
    gate.shut()
    url = serve(gate)
    environ = {
        "KONTEXT_FAL_BASE_URL": f"{url}/fal",
        "KONTEXT_AIMLAPI_BASE_URL": f"{url}/aimlapi",
        "FAL_KEY": "sandbox",
        "AIML_API_KEY": "sandbox",
    }

    def stopped(provider: str, number: int) -> subprocess.Popen[bytes]:
        """A process that is stopped as soon as its submit has arrived."""
        argv = ["generate", "a fox", "-p", provider, "-o", f"{provider}.jpg"]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = start(*argv, "--timeout", str(TIMEOUT), cwd=tmp_path, environ=environ, **pipes)
        assert emulated.ledger.wait_for(number, seconds=PATIENCE)
        process.send_signal(signal.SIGSTOP)
        return process

    with (
        killed_at_the_end(stopped("fal", 1)) as queued,
        killed_at_the_end(stopped("aimlapi", 2)) as blocking,
    ):
        gate.open()
        assert gate.wait_for_answer(200, 2)
        Event().wait(TIMEOUT)
        for process in (queued, blocking):
            process.send_signal(signal.SIGCONT)
            _, err = process.communicate(timeout=30)
            assert process.returncode == 0, err.decode()
    assert sorted(path.name for path in tmp_path.glob("*.jpg")) == ["aimlapi.jpg", "fal.jpg"]
    assert len(emulated.ledger.entries) == 2
