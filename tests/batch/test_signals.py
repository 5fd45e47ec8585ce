"""Batches that are told to stop, and streams that go away: what was paid for is kept, and told."""

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from kontext_cli.job import State
from processes import environment
from soaking import soaked
from strained import Clock, Strained, wait_for_line
from world import PATIENCE, Build, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

IN_FLIGHT = 10
STOPPED = b"no more rows will be submitted"


def in_flight(batch: Strained, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
    """A run with IN_FLIGHT jobs at a provider that answers no further submit until the gate is
    opened: one at least was answered, most wait."""
    run = batch.start_batch("-j", str(IN_FLIGHT), *argv, **options)
    assert batch.gate.wait_for_answer(200, 1)
    batch.gate.shut()
    assert batch.ledger.wait_for(IN_FLIGHT, seconds=PATIENCE)
    return run


def check_rest(batch: Strained, *argv: str) -> None:
    """Run the batch to its end, and see that each row was made, and paid once."""
    rest = batch.run_batch(*argv)
    assert rest.code == 0
    assert rest.count("saved", "skipped") == len(batch.rows)
    batch.check_files()


@pytest.mark.parametrize("name", soaked(["SIGINT", "SIGHUP"], ["SIGINT", "SIGTERM", "SIGHUP"]))
def test_a_signal_stops_submits_and_waits_for_their_answers(build: Build, name: str) -> None:
    clock = Clock()
    batch = build(Strained, rows=15, latency=0.05, clock=clock)
    run = in_flight(batch)
    run.send_signal(getattr(signal, name))
    wait_for_line(run, STOPPED)
    batch.gate.open()
    ended = Ran.of(run)
    assert ended.code == ended.summary["exit_code"] == 128 + getattr(signal, name)
    assert batch.accepted.total() == IN_FLIGHT
    assert (ended.summary["running"], ended.summary["planned"]) == (IN_FLIGHT, 15 - IN_FLIGHT)
    assert f"kontext {' '.join(batch.argv('-j', str(IN_FLIGHT)))}" in ended.err
    clock.let_go()
    check_rest(batch)


def test_a_signal_while_jobs_are_collected(build: Build) -> None:
    clock = Clock()
    batch = build(Strained, rows=15, latency=0.05, clock=clock)
    batch.run_batch("--no-wait", "--limit", "5")
    run = batch.start_batch()
    assert batch.ledger.wait_for(6, seconds=PATIENCE)
    run.send_signal(signal.SIGINT)
    ended = Ran.of(run)
    assert ended.code == 130
    assert ended.count("unknown", "failed", "canceled") == 0
    clock.let_go()
    check_rest(batch)


def test_a_signal_while_the_provider_is_too_busy_sends_nothing_more(build: Build) -> None:
    """The submits that it refused are waiting to be sent again."""
    busy = [f"[fault:429*1] image {number}" for number in range(10)]
    batch = build(Strained, rows=["image", *busy])
    run = batch.start_batch("-j", "5")
    assert batch.gate.wait_for_answer(429, 1)
    run.send_signal(signal.SIGTERM)
    ended = Ran.of(run)
    assert ended.code == 143
    assert batch.accepted.total() == 1
    assert ended.summary["planned"] == len(busy)
    check_rest(batch)


def test_a_second_signal_ends_the_run_at_once(build: Build) -> None:
    clock = Clock()
    batch = build(Strained, rows=15, latency=0.05, clock=clock)
    run = in_flight(batch)
    run.send_signal(signal.SIGINT)
    wait_for_line(run, STOPPED)
    run.send_signal(signal.SIGINT)
    assert run.wait(PATIENCE) == 130
    batch.gate.open()
    clock.let_go()
    held = batch.states()[State.UNKNOWN]
    assert 1 <= held < IN_FLIGHT
    rest = batch.run_batch()
    assert (rest.count("unknown"), rest.count("saved")) == (held, 15 - held)
    batch.check_files()


def test_a_signal_to_a_provider_that_blocks(build: Build) -> None:
    batch = build(Strained, rows=15)
    run = in_flight(batch, "-p", "aimlapi")
    run.send_signal(signal.SIGINT)
    wait_for_line(run, STOPPED)
    batch.gate.open()
    ended = Ran.of(run)
    assert ended.code == 130
    assert ended.count("unknown", "failed", "canceled") == 0
    assert batch.accepted.total() <= IN_FLIGHT + 1  # the first may have been saved, and made room
    check_rest(batch, "-p", "aimlapi")


def test_hanging_up_is_ignored_where_it_was_ignored_before(build: Build) -> None:
    """As under `nohup`."""
    clock = Clock()
    batch = build(Strained, rows=3, latency=0.05, clock=clock)
    ignoring = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    run = batch.start_batch(**ignoring)
    assert batch.ledger.wait_for(3, seconds=PATIENCE)
    run.send_signal(signal.SIGHUP)
    clock.let_go()
    assert Ran.of(run).code == 0


def test_a_run_that_was_stopped_for_a_while_goes_on(build: Build) -> None:
    clock = Clock()
    batch = build(Strained, rows=15, latency=0.05, clock=clock)
    run = in_flight(batch)
    run.send_signal(signal.SIGSTOP)
    os.waitpid(run.pid, os.WUNTRACED)
    batch.gate.open()
    clock.let_go()
    run.send_signal(signal.SIGCONT)
    ended = Ran.of(run)
    assert (ended.code, ended.count("saved")) == (0, 15)
    batch.check_files()


def test_a_reader_that_leaves_after_the_first_line(build: Build) -> None:
    batch = build(Strained, rows=10, latency=0.1)
    run = batch.start_batch("-j", "2")
    with subprocess.Popen(
        ["head", "-n", "1"], env=environment(), stdin=run.stdout, stdout=subprocess.PIPE
    ) as head:
        assert run.stdout is not None
        run.stdout.close()
        out, _ = head.communicate(timeout=PATIENCE)
        assert run.wait(PATIENCE) == 0
    assert out.count(b"\n") == 1
    assert batch.states()[State.SAVED] == 10
    batch.check_files()


@pytest.mark.parametrize("stream", [1, 2])
def test_a_stream_that_is_closed(build: Build, stream: int) -> None:
    batch = build(Strained, rows=3)
    run = batch.start_batch(preexec_fn=lambda: os.close(stream))
    out, err = run.communicate(timeout=PATIENCE)
    assert run.returncode == 0
    assert (bool(out), bool(err)) == (stream != 1, stream != 2)
    assert b"Traceback" not in out + err
    batch.check_files()
