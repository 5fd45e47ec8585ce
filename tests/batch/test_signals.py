"""Batches that are told to stop, and streams that go away: what was paid for is kept, and told."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.job import State
from processes import RightHere, environment
from sandbox.running import Serve
from soaking import soaked
from strained import PATIENCE, Clock, Ended, Strained, killed_at_the_end, wait_for_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

IN_FLIGHT = 10
STOPPED = b"no more rows are submitted"


MakeBatch = Callable[..., Strained]


@pytest.fixture
def strained(tmp_path: Path, serve: Serve, right_here: RightHere) -> MakeBatch:
    """Make a batch in the folder of the test."""
    return partial(Strained, tmp_path, serve, right_here=right_here)


@contextmanager
def in_flight(batch: Strained, *argv: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A run with IN_FLIGHT jobs at a provider that answers no further submit until the gate is
    opened: one at least was answered, most wait."""
    with killed_at_the_end(batch.start("-j", str(IN_FLIGHT), *argv, **options)) as run:
        assert batch.gate.wait_for_answer(200, 1)
        batch.gate.shut()
        assert batch.ledger.wait_for(IN_FLIGHT, seconds=PATIENCE)
        yield run


def check_rest(batch: Strained, *argv: str) -> None:
    """Run the batch to its end, and see that each row was made, and paid once."""
    rest = batch.run(*argv)
    assert rest.code == 0
    assert rest.count("saved", "skipped") == len(batch.prompts)
    batch.check_paid_once()
    batch.check_files()


@pytest.mark.parametrize("name", soaked(["SIGINT", "SIGHUP"], ["SIGINT", "SIGTERM", "SIGHUP"]))
def test_a_signal_stops_submits_and_waits_for_their_answers(strained: MakeBatch, name: str) -> None:
    clock = Clock()
    batch = strained(15, latency=0.05, clock=clock)
    with in_flight(batch) as run:
        run.send_signal(getattr(signal, name))
        wait_for_line(run, STOPPED)
        batch.gate.open()
        ended = Ended.of(run)
    assert ended.code == ended.summary["exit_code"] == 128 + getattr(signal, name)
    assert batch.accepted() == IN_FLIGHT
    assert (ended.summary["running"], ended.summary["planned"]) == (IN_FLIGHT, 15 - IN_FLIGHT)
    assert f"kontext {' '.join(batch.argv('-j', str(IN_FLIGHT)))}" in ended.err
    clock.let_go()
    check_rest(batch)


def test_a_signal_while_jobs_are_collected(strained: MakeBatch) -> None:
    clock = Clock()
    batch = strained(15, latency=0.05, clock=clock)
    batch.run("--no-wait", "--limit", "5")
    with killed_at_the_end(batch.start()) as run:
        assert batch.ledger.wait_for(6, seconds=PATIENCE)
        run.send_signal(signal.SIGINT)
        ended = Ended.of(run)
    assert ended.code == 130
    assert ended.count("unknown", "failed", "canceled") == 0
    clock.let_go()
    check_rest(batch)


def test_a_signal_while_the_provider_is_too_busy_sends_nothing_more(strained: MakeBatch) -> None:
    """The submits that it refused are waiting to be sent again."""
    busy = [f"[fault:429*1] picture {number}" for number in range(10)]
    batch = strained(["picture", *busy])
    with killed_at_the_end(batch.start("-j", "5")) as run:
        assert batch.gate.wait_for_answer(429, 1)
        run.send_signal(signal.SIGTERM)
        ended = Ended.of(run)
    assert ended.code == 143
    assert batch.accepted() == 1
    assert ended.summary["planned"] == len(busy)
    check_rest(batch)


def test_a_second_signal_ends_the_run_at_once(strained: MakeBatch) -> None:
    clock = Clock()
    batch = strained(15, latency=0.05, clock=clock)
    with in_flight(batch) as run:
        run.send_signal(signal.SIGINT)
        wait_for_line(run, STOPPED)
        run.send_signal(signal.SIGINT)
        assert run.wait(PATIENCE) == 130
    batch.gate.open()
    clock.let_go()
    held = batch.states()[State.UNKNOWN]
    assert 1 <= held < IN_FLIGHT
    rest = batch.run()
    assert (rest.count("unknown"), rest.count("saved")) == (held, 15 - held)
    batch.check_paid_once()
    batch.check_files()


def test_a_signal_to_a_provider_that_blocks(strained: MakeBatch) -> None:
    batch = strained(15)
    with in_flight(batch, "-p", "aimlapi") as run:
        run.send_signal(signal.SIGINT)
        wait_for_line(run, STOPPED)
        batch.gate.open()
        ended = Ended.of(run)
    assert ended.code == 130
    assert ended.count("unknown", "failed", "canceled") == 0
    assert batch.accepted() <= IN_FLIGHT + 1  # the first may have been saved, and made room
    check_rest(batch, "-p", "aimlapi")


def test_hanging_up_is_ignored_where_it_was_ignored_before(strained: MakeBatch) -> None:
    """As under `nohup`."""
    clock = Clock()
    batch = strained(3, latency=0.05, clock=clock)
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with killed_at_the_end(batch.start(**ignoring)) as run:
        assert batch.ledger.wait_for(3, seconds=PATIENCE)
        run.send_signal(signal.SIGHUP)
        clock.let_go()
        assert Ended.of(run).code == 0


def test_a_run_that_was_stopped_for_a_while_goes_on(strained: MakeBatch) -> None:
    clock = Clock()
    batch = strained(15, latency=0.05, clock=clock)
    with in_flight(batch) as run:
        run.send_signal(signal.SIGSTOP)
        os.waitpid(run.pid, os.WUNTRACED)
        batch.gate.open()
        clock.let_go()
        run.send_signal(signal.SIGCONT)
        ended = Ended.of(run)
    assert (ended.code, ended.count("saved")) == (0, 15)
    batch.check_paid_once()
    batch.check_files()


def test_a_reader_that_leaves_after_the_first_line(strained: MakeBatch) -> None:
    batch = strained(10, latency=0.1)
    with (
        killed_at_the_end(batch.start("-j", "2")) as run,
        subprocess.Popen(
            ["head", "-n", "1"], env=environment(), stdin=run.stdout, stdout=subprocess.PIPE
        ) as head,
    ):
        assert run.stdout is not None
        run.stdout.close()
        out, _ = head.communicate(timeout=PATIENCE)
        assert run.wait(PATIENCE) == 0
    assert out.count(b"\n") == 1
    assert batch.states()[State.SAVED] == 10
    batch.check_paid_once()
    batch.check_files()


@pytest.mark.parametrize("stream", [1, 2])
def test_a_stream_that_is_closed(strained: MakeBatch, stream: int) -> None:
    batch = strained(3)
    with killed_at_the_end(batch.start(preexec_fn=lambda: os.close(stream))) as run:
        out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0
    assert (bool(out), bool(err)) == (stream != 1, stream != 2)
    assert b"Traceback" not in out + err
    batch.check_paid_once()
    batch.check_files()
