"""Ctrl-Z and `fg`: what arrived while the process was stopped is read before its time is up."""

import signal
import subprocess
import sys
from threading import Event

import pytest

from strained import Strained
from world import PATIENCE, Build, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows stops no process")

TIMEOUT = 1.0


def test_an_answer_that_arrived_while_the_process_was_stopped_is_not_thrown_away(
    build: Build,
) -> None:
    world = build(Strained, latency=0.05)
    world.gate.shut()

    def stopped(provider: str, number: int) -> subprocess.Popen[bytes]:
        """A process that is stopped as soon as its submit has arrived."""
        out = ("-o", f"{provider}.jpg")
        argv = ["generate", provider, "-p", provider, *out, "--timeout", str(TIMEOUT)]
        process = world.start(*argv)
        assert world.ledger.wait_for(number, seconds=PATIENCE)
        process.send_signal(signal.SIGSTOP)
        return process

    queued, blocking = stopped("fal", 1), stopped("aimlapi", 2)
    world.gate.open()
    assert world.gate.wait_for_answer(200, 2)
    Event().wait(TIMEOUT)
    for process in (queued, blocking):
        process.send_signal(signal.SIGCONT)
        ran = Ran.of(process)
        assert ran.code == 0, ran.err
    assert sorted(path.name for path in world.folder.glob("*.jpg")) == ["aimlapi.jpg", "fal.jpg"]
    assert world.accepted.total() == 2
