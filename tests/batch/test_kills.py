"""Batches that are killed, run again, or run by several processes: nothing is paid twice."""

import os
import random
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from kontext_cli.job import State
from kontext_cli.settings.paths import state_dir
from processes import RightHere
from sandbox.running import Serve
from soaking import soaked
from strained import PATIENCE, Clock, Ended, Strained, held_up, killed_at_the_end

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")

IN_FLIGHT = soaked(16, 8)
MANY = ("-j", str(IN_FLIGHT))
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
NEW = b'"skipped":false'


MakeBatch = Callable[..., Strained]


@pytest.fixture
def strained(tmp_path: Path, serve: Serve, right_here: RightHere) -> MakeBatch:
    """Make a batch in the folder of the test."""
    return partial(Strained, tmp_path, serve, right_here=right_here)


def kill_while_it_runs(batch: Strained, dice: random.Random, *, share: int) -> bool:
    """Start a run and kill it at a moment that ``dice`` choose; False where it ended before.

    The moment is a number of submits accepted, or of rows saved, up to twice a ``share``-th of
    what is left to do.
    """
    states = batch.states()
    left = len(batch.prompts) - states[State.SAVED] - states[State.UNKNOWN]
    count = dice.randint(1, max(2 * left // share, 1))
    if states[State.PLANNED] and dice.random() < 0.3:
        accepted = batch.accepted() + min(count, states[State.PLANNED])
        with killed_at_the_end(batch.start(*MANY, **SILENT)) as run:
            assert batch.ledger.wait_for(accepted, seconds=PATIENCE)
            return run.poll() is None
    with killed_at_the_end(batch.start(*MANY, stderr=subprocess.DEVNULL)) as run:
        assert run.stdout is not None
        saved = (line for line in run.stdout if b'"state":"saved"' in line and NEW in line)
        return len(list(islice(saved, count))) == count


def check_complete(batch: Strained, *, unknown: int) -> None:
    """Run the batch to its end, and see that of its rows at most so many were given up; then that
    the user's word finishes those."""
    ended = batch.run(*MANY)
    held = [str(job.request["prompt"]) for job in batch.attempts() if job.state is State.UNKNOWN]
    assert ended.count("saved", "skipped") + len(held) == len(batch.prompts)
    assert ended.count("unknown") == len(held) <= unknown
    batch.check_paid_once()
    batch.check_files()
    batch.check_ids_are_kept()
    if held:
        again = batch.run(*MANY, "--on-unknown", "resubmit")
        assert again.code == 0
        assert again.count("saved", "skipped") == len(batch.prompts)
        batch.check_paid_once(twice=held)
        batch.check_files()


@pytest.mark.parametrize("seed", [1])
def test_a_batch_killed_at_random_moments(strained: MakeBatch, seed: int) -> None:
    batch = strained(soaked(48, 2000), latency=0.05)
    dice = random.Random(seed)
    most = soaked(3, 200)
    kills = sum(kill_while_it_runs(batch, dice, share=most - n) for n in range(most))
    assert kills >= most * 3 // 4
    figures = f"{kills} kills, {batch.states()}, {batch.accepted()} accepted"
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
def test_a_batch_killed_at_each_point(strained: MakeBatch, point: str, time: int) -> None:
    batch = strained(12)
    with killed_at_the_end(
        batch.start("-j", "4", environ={"KONTEXT_TEST_KILL_AT": f"{point}*{time}"})
    ) as run:
        run.communicate(timeout=PATIENCE)
    assert run.returncode == -9
    check_complete(batch, unknown=4)


def test_two_runs_at_once_do_each_row_once(strained: MakeBatch) -> None:
    batch = strained(soaked(24, 2000), latency=0.05)
    ended = batch.run_together(("-j", "10"), ("-j", "10"))
    batch.check_paid_once()
    assert batch.states() == {State.SAVED: len(batch.prompts), State.PLANNED: 0}
    assert sum(each.count("saved") for each in ended) == len(batch.prompts)
    batch.check_files()


def test_two_shards_at_once_make_the_whole(strained: MakeBatch) -> None:
    batch = strained(soaked(24, 2000), latency=0.05)
    ended = batch.run_together(("--shard", "1/2"), ("--shard", "2/2"))
    assert [each.code for each in ended] == [0, 0]
    assert sum(each.count("saved") for each in ended) == len(batch.prompts)
    batch.check_paid_once()
    batch.check_files()


def test_a_run_that_joins_another_which_is_then_killed(strained: MakeBatch) -> None:
    batch = strained(soaked(24, 2000), latency=0.1)
    with killed_at_the_end(batch.start("-j", "10", **SILENT)) as first:
        assert batch.ledger.wait_for(12, seconds=PATIENCE)
        with killed_at_the_end(batch.start("-j", "10")) as second:
            assert second.stderr is not None
            second.stderr.readline()
            first.kill()
            ended = Ended.of(second)
    assert ended.count("failed", "canceled", "expired", "moderated") == 0
    batch.write([*batch.prompts, "one more"])  # a run that writes sweeps what the killed one left
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
    strained: MakeBatch, state: str, ending: str
) -> None:
    """The run that is at it ends just after another has read the journal, and before that looks
    who is alive: a pipe in place of a kept answer holds the reader up in between."""
    batch = strained(0)
    batch.operation = "edit"
    pixels = 100 if state == "submitting" else 1000  # what is large is uploaded before the submit
    for name, side in ("first.png", 100), ("second.png", pixels):
        noise = random.Random(side).randbytes(side * side * 3)
        Image.frombytes("RGB", (side, side), noise).save(batch.folder / name)
    batch.write(["lost", "found"], images=[["first.png"], ["second.png"]])
    batch.gate.shut()
    with killed_at_the_end(batch.start("--only", "1", **SILENT)):
        assert batch.gate.wait_for_arrival("POST", 1)
    (lost,) = batch.attempts()
    answer = state_dir(os.environ) / "answers" / lost.id
    answer.parent.mkdir(exist_ok=True)
    with killed_at_the_end(batch.start("--only", "2", **SILENT)) as first:
        assert batch.gate.wait_for_arrival("POST", 2)
        assert batch.attempts()[1].state == state
        os.mkfifo(answer)
        with killed_at_the_end(batch.start()) as second:
            with held_up(second, answer):
                if ending == "killed":
                    first.kill()
                batch.gate.open()
                first.wait(PATIENCE)
            Ended.of(second)
    batch.check_paid_once()


def test_a_row_that_is_saved_just_as_a_run_looks_again_is_skipped(strained: MakeBatch) -> None:
    """Pipes in place of the kept answer of an earlier attempt hold the reader up in between."""
    clock = Clock()
    batch = strained(1, latency=0.05, clock=clock)
    batch.gate.shut()
    with killed_at_the_end(batch.start(**SILENT)):
        assert batch.gate.wait_for_arrival("POST", 1)
    batch.gate.open()
    (lost,) = batch.attempts()
    answer = state_dir(os.environ) / "answers" / lost.id
    answer.parent.mkdir(exist_ok=True)
    with killed_at_the_end(batch.start("--on-unknown", "resubmit", **SILENT)) as first:
        assert batch.gate.wait_for_arrival("GET", 1)
        os.mkfifo(answer)
        with killed_at_the_end(batch.start()) as second:
            with answer.open("wb"):  # as it looks for the first time
                answer.unlink()
                os.mkfifo(answer)
            with held_up(second, answer):
                clock.let_go()
                first.wait(PATIENCE)
            ended = Ended.of(second)
    assert ended.count("skipped") == 1
    batch.check_paid_once(twice=batch.prompts)


def test_a_row_that_another_run_is_at_is_no_failure(strained: MakeBatch) -> None:
    batch = strained(["[fault:stuck] picture", *(f"picture {number}" for number in range(19))])
    with killed_at_the_end(batch.start("--only", "1", **SILENT)):
        assert batch.ledger.wait_for(1, seconds=PATIENCE)
        joined = batch.run("--fail-fast", "-j", "1")
    assert (joined.count("saved"), joined.count("running")) == (19, 1)
    assert [line["code"] for line in joined.lines if line["type"] == "error"] == []
    batch.check_paid_once()


def test_a_row_that_moves_to_another_provider_while_its_job_is_under_way(
    strained: MakeBatch,
) -> None:
    """The job is brought home from where it was paid, then the row is made where it is now."""
    batch = strained(0)
    batch.write(["fox", "hen", "elk"], id=["a", "b", "c"])
    assert batch.run("--no-wait").code == 0
    moved = batch.run("-p", "aimlapi")
    assert moved.code == 0
    assert [job.provider for job in batch.attempts()] == ["aimlapi"] * 3
    assert [entry.dialect for entry in batch.ledger.entries] == ["fal"] * 3 + ["aimlapi"] * 3
    batch.check_files()


def test_a_row_that_moves_and_cannot_be_made_holds_nobody_up(strained: MakeBatch) -> None:
    """It would have been the first submit at the other provider, for which all others wait."""
    clock = Clock()
    batch = strained(0, latency=0.05, clock=clock)
    batch.operation = "edit"
    image = batch.folder / "image.png"
    Image.new("RGB", (64, 64)).save(image)
    batch.write(["fox", "hen", "elk"], id=["a", "b", "c"], images=[["image.png"]] * 3)
    assert batch.run("--no-wait").code == 0
    with killed_at_the_end(batch.start("-p", "aimlapi")) as run:
        assert batch.gate.wait_for_arrival("GET", 3)
        image.unlink()
        clock.let_go()
        assert Ended.of(run).count("saved") == 3
    batch.check_paid_once()
