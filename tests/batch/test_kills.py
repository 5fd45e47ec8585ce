"""Batches that are killed, run again, or run by several processes: nothing is paid twice."""

import os
import random
import subprocess
import sys
from itertools import islice
from typing import Any

import pytest
from PIL import Image

from kontext_cli.job import State
from soaking import soaked
from strained import Clock, Strained, held_up, kill
from world import PATIENCE, Build, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")

IN_FLIGHT = soaked(16, 8)
MANY = ("-j", str(IN_FLIGHT))
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
NEW = b'"skipped":false'


def kill_while_it_runs(batch: Strained, dice: random.Random, *, share: int) -> bool:
    """Start a run and kill it at a moment that ``dice`` choose; False where it ended before.

    The moment is a number of submits accepted, or of rows saved, up to twice a ``share``-th of
    what is left to do.
    """
    states = batch.states()
    left = len(batch.rows) - states[State.SAVED] - states[State.UNKNOWN]
    count = dice.randint(1, max(2 * left // share, 1))
    if states[State.PLANNED] and dice.random() < 0.3:
        accepted = batch.accepted.total() + min(count, states[State.PLANNED])
        run = batch.start_batch(*MANY, **SILENT)
        assert batch.ledger.wait_for(accepted, seconds=PATIENCE)
        killed = run.poll() is None
    else:
        run = batch.start_batch(*MANY, stderr=subprocess.DEVNULL)
        assert run.stdout is not None
        saved = (line for line in run.stdout if b'"state":"saved"' in line and NEW in line)
        killed = len(list(islice(saved, count))) == count
    kill(run)
    return killed


def check_complete(batch: Strained, *, unknown: int) -> None:
    """Run the batch to its end, and see that of its rows at most so many were given up; then that
    the user's word finishes those."""
    ended = batch.run_batch(*MANY)
    held = [str(job.request["prompt"]) for job in batch.attempts() if job.state is State.UNKNOWN]
    assert ended.count("saved", "skipped") + len(held) == len(batch.rows)
    assert ended.count("unknown") == len(held) <= unknown
    batch.check_files()
    batch.check_ids_are_kept()
    if held:
        batch.may_be_accepted(2, *held)
        again = batch.run_batch(*MANY, "--on-unknown", "resubmit")
        assert again.code == 0
        assert again.count("saved", "skipped") == len(batch.rows)
        batch.check_files()


@pytest.mark.parametrize("seed", [1])
def test_a_batch_killed_at_random_moments(build: Build, seed: int) -> None:
    batch = build(Strained, rows=soaked(48, 2000), latency=0.05)
    dice = random.Random(seed)
    most = soaked(3, 200)
    kills = sum(kill_while_it_runs(batch, dice, share=most - n) for n in range(most))
    assert kills >= most * 3 // 4
    figures = f"{kills} kills, {batch.states()}, {batch.accepted.total()} accepted"
    check_complete(batch, unknown=kills * IN_FLIGHT)
    print(figures)


POINTS = [
    "before-submitting",
    "after-submitting",
    "sent",
    "replied",
    "before-queued",
    "after-queued",
    "polling",
    "before-ready",
    "after-ready",
    "downloading",
    "renamed",
    "before-saved",
    "after-saved",
]


@pytest.mark.parametrize("point", soaked(["replied", "renamed"], POINTS))
@pytest.mark.parametrize("time", soaked([2], list(range(1, 13))))
def test_a_batch_killed_at_each_point(build: Build, point: str, time: int) -> None:
    batch = build(Strained, rows=12)
    run = batch.start_batch("-j", "4", environ={"KONTEXT_TEST_KILL_AT": f"{point}*{time}"})
    run.communicate(timeout=PATIENCE)
    assert run.returncode == -9
    check_complete(batch, unknown=4)


def test_two_runs_at_once_do_each_row_once(build: Build) -> None:
    batch = build(Strained, rows=soaked(24, 2000), latency=0.05)
    ended = batch.run_together(("-j", "10"), ("-j", "10"))
    assert batch.states() == {State.SAVED: len(batch.rows), State.PLANNED: 0}
    assert sum(each.count("saved") for each in ended) == len(batch.rows)
    batch.check_files()


def test_two_shards_at_once_make_the_whole(build: Build) -> None:
    batch = build(Strained, rows=soaked(24, 2000), latency=0.05)
    ended = batch.run_together(("--shard", "1/2"), ("--shard", "2/2"))
    assert [each.code for each in ended] == [0, 0]
    assert sum(each.count("saved") for each in ended) == len(batch.rows)
    batch.check_files()


def test_a_run_that_joins_another_which_is_then_killed(build: Build) -> None:
    batch = build(Strained, rows=soaked(24, 2000), latency=0.1)
    first = batch.start_batch("-j", "10", **SILENT)
    assert batch.ledger.wait_for(12, seconds=PATIENCE)
    second = batch.start_batch("-j", "10")
    assert second.stderr is not None
    second.stderr.readline()
    first.kill()
    ended = Ran.of(second)
    assert ended.count("failed", "canceled", "expired", "moderated") == 0
    batch.write_rows([*batch.rows, "one more"])  # a run that writes sweeps what the killed one left
    check_complete(batch, unknown=10)


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        ("planned", "finished"),
        *soaked([], [("submitting", "finished")]),
        ("submitting", "killed"),
    ],
)
def test_a_row_that_was_seen_under_way_is_not_sent_again(
    build: Build, state: str, ending: str
) -> None:
    """The run that is at it ends just after another has read the journal, and before that looks
    who is alive: a pipe in place of a kept answer holds the reader up in between."""
    batch = build(Strained)
    batch.operation = "edit"
    pixels = 100 if state == "submitting" else 1000  # what is large is uploaded before the submit
    for name, side in ("first.png", 100), ("second.png", pixels):
        noise = random.Random(side).randbytes(side * side * 3)
        Image.frombytes("RGB", (side, side), noise).save(batch.folder / name)
    batch.write_rows(["lost", "found"], images=[["first.png"], ["second.png"]])
    batch.gate.shut()
    lose = batch.start_batch("--only", "1", **SILENT)
    assert batch.gate.wait_for_arrival("POST", 1)
    kill(lose)
    (lost,) = batch.attempts()
    answer = batch.state / "answers" / lost.id
    answer.parent.mkdir(exist_ok=True)
    first = batch.start_batch("--only", "2", **SILENT)
    assert batch.gate.wait_for_arrival("POST", 2)
    assert batch.attempts()[1].state == state
    os.mkfifo(answer)
    second = batch.start_batch()
    with held_up(second, answer):
        if ending == "killed":
            first.kill()
        batch.gate.open()
        first.wait(PATIENCE)
    Ran.of(second)


def test_a_row_that_is_saved_just_as_a_run_looks_again_is_skipped(build: Build) -> None:
    """Pipes in place of the kept answer of an earlier attempt hold the reader up in between."""
    clock = Clock()
    batch = build(Strained, rows=1, latency=0.05, clock=clock)
    batch.gate.shut()
    batch.may_be_accepted(2, *batch.rows)
    lose = batch.start_batch(**SILENT)
    assert batch.gate.wait_for_arrival("POST", 1)
    kill(lose)
    batch.gate.open()
    (lost,) = batch.attempts()
    answer = batch.state / "answers" / lost.id
    answer.parent.mkdir(exist_ok=True)
    first = batch.start_batch("--on-unknown", "resubmit", **SILENT)
    assert batch.gate.wait_for_arrival("GET", 1)
    os.mkfifo(answer)
    second = batch.start_batch()
    with answer.open("wb"):  # as it looks for the first time
        answer.unlink()
        os.mkfifo(answer)
    with held_up(second, answer):
        clock.let_go()
        first.wait(PATIENCE)
    assert Ran.of(second).count("skipped") == 1


def test_a_row_that_another_run_is_at_is_no_failure(build: Build) -> None:
    batch = build(
        Strained, rows=["[fault:stuck] image", *(f"image {number}" for number in range(19))]
    )
    batch.start_batch("--only", "1", **SILENT)
    assert batch.ledger.wait_for(1, seconds=PATIENCE)
    joined = batch.run_batch("--fail-fast", "-j", "1")
    assert (joined.count("saved"), joined.count("running")) == (19, 1)
    assert joined.errors == []


def test_a_row_that_moves_to_another_provider_while_its_job_is_under_way(
    build: Build,
) -> None:
    """The job is brought home from where it was paid, then the row is made where it is now."""
    batch = build(Strained)
    batch.write_rows(["fox", "hen", "elk"], id=["a", "b", "c"])
    batch.may_be_accepted(2, *batch.rows)
    assert batch.run_batch("--no-wait").code == 0
    moved = batch.run_batch("-p", "aimlapi")
    assert moved.code == 0
    assert [job.provider for job in batch.attempts()] == ["aimlapi"] * 3
    assert [entry.dialect for entry in batch.ledger.entries] == ["fal"] * 3 + ["aimlapi"] * 3
    batch.check_files()


def test_a_row_that_moves_and_cannot_be_made_holds_nobody_up(build: Build) -> None:
    """It would have been the first submit at the other provider, for which all others wait."""
    clock = Clock()
    batch = build(Strained, latency=0.05, clock=clock)
    batch.operation = "edit"
    image = batch.folder / "image.png"
    Image.new("RGB", (64, 64)).save(image)
    batch.write_rows(["fox", "hen", "elk"], id=["a", "b", "c"], images=[["image.png"]] * 3)
    assert batch.run_batch("--no-wait").code == 0
    run = batch.start_batch("-p", "aimlapi")
    assert batch.gate.wait_for_arrival("GET", 3)
    image.unlink()
    clock.let_go()
    assert Ran.of(run).count("saved") == 3
