"""Rows that go to their next provider, in whole processes: killed, run together, interrupted.

Whatever happens, no row is accepted twice by all its providers together.
"""

import random
import signal
import subprocess
import sys
from typing import Any

import pytest
from starlette.responses import JSONResponse

from kontext_cli.job import State
from soaking import soaked
from strained import Strained, kill
from world import PATIENCE, Build, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")

SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
ORDERS = ("fal,replicate,aimlapi", "replicate,fal,aimlapi", "aimlapi,fal,replicate")
POINTS = (
    *("before-submitting", "after-submitting", "sent", "replied", "before-failed", "after-failed"),
    *("before-queued", "after-queued", "before-ready", "renamed", "before-saved", "after-saved"),
)


def refuse_some(batch: Strained, dice: random.Random, share: float, first: str) -> None:
    """Let the first provider refuse a share of all submits, and so the second half as many."""
    usual = batch.doors.app

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        at = scope["path"].split("/")[1]
        odds = share if at == first else share / 2
        if scope["method"] == "POST" and at != "aimlapi" and dice.random() < odds:
            status = dice.choice([401, 402, 403])
            await JSONResponse({"detail": "no"}, status)(scope, receive, send)
        else:
            await usual(scope, receive, send)

    batch.answer(answer)


def check_ended(batch: Strained, *argv: str) -> None:
    """Run the batch to its end; rows of unknown outcome are held, and all others are saved."""
    ended = batch.run_batch(*argv)
    held = [job for job in batch.attempts() if job.state is State.UNKNOWN]
    assert ended.count("saved", "skipped") + len(held) == len(batch.rows), ended.err
    assert ended.count("unknown") == len(held)
    batch.check_files()
    batch.check_ids_are_kept()
    again = batch.run_batch(*argv)
    assert again.count("skipped") == len(batch.rows) - len(held)
    assert again.count("unknown") == len(held)


@pytest.mark.parametrize("point", soaked(("replied", "after-failed", "before-submitting"), POINTS))
@pytest.mark.parametrize("time", soaked([2, 5], list(range(1, 10))))
def test_rows_killed_at_each_point_on_their_way_to_the_next_provider(
    build: Build, point: str, time: int
) -> None:
    batch = build(Strained, rows=8)
    refuse_some(batch, random.Random(time), 0.5, "fal")
    where = ("-p", ORDERS[0], "-j", "4")
    kill_at = {"KONTEXT_TEST_KILL_AT": f"{point}*{time}"}
    Ran.of(batch.start_batch(*where, environ=kill_at))
    check_ended(batch, *where)


@pytest.mark.parametrize("seed", range(soaked(2, 30)))
def test_random_refusals_and_kills(build: Build, seed: int) -> None:
    """The batch is known by its list, whoever made its rows."""
    dice = random.Random(seed)
    batch = build(Strained, rows=soaked(24, 200), latency=0.02)
    order = dice.choice(ORDERS)
    refuse_some(batch, dice, 0.3, order.split(",")[0])
    where = ("-p", order, "-j", "6")
    for _ in range(soaked(3, 10)):
        accepted = batch.accepted.total()
        run = batch.start_batch(*where, **SILENT)
        if accepted < len(batch.rows):
            batch.ledger.wait_for(accepted + dice.randint(1, 6), seconds=2)
        kill(run)
    check_ended(batch, *where)


def test_two_runs_at_once_with_one_list(build: Build) -> None:
    batch = build(Strained, rows=soaked(24, 400), latency=0.02)
    refuse_some(batch, random.Random(1), 0.2, "fal")
    where = ("-p", ORDERS[0], "-j", "6")
    batch.run_together(where, where)
    check_ended(batch, *where)


def test_a_lost_reply_of_the_first_is_held_by_the_next_run(build: Build) -> None:
    batch = build(Strained, rows=["[fault:lost-reply*1] a", "b"])
    first = batch.run_batch("-p", ORDERS[0])
    assert first.counts == {"saved": 1, "unknown": 1}
    again = batch.run_batch("-p", ORDERS[0])
    assert again.counts == {"skipped": 1, "unknown": 1}
    assert {job.provider for job in batch.attempts()} == {"fal"}


def test_an_interrupt_while_the_second_is_asked(build: Build) -> None:
    batch = build(Strained, rows=4)
    refuse_some(batch, random.Random(1), 1, "fal")
    batch.gate.shut()
    run = batch.start_batch("-p", "fal,aimlapi")
    assert batch.gate.wait_for_arrival("POST", 1)
    run.send_signal(signal.SIGINT)
    batch.gate.open()
    stopped = Ran.of(run)
    assert stopped.code == 130
    assert stopped.count("planned") == 3
    check_ended(batch, "-p", "fal,aimlapi")


def test_a_row_that_waits_for_another_run_needs_no_key_of_its_first_provider(build: Build) -> None:
    batch = build(Strained, rows=1)
    batch.gate.shut()
    batch.start_batch("-p", "fal,aimlapi", **SILENT)
    assert batch.gate.wait_for_arrival("POST", 1)
    second = batch.run_batch("-p", "fal,aimlapi", environ={"FAL_KEY": None})
    assert (second.code, second.counts) == (7, {"running": 1})
    batch.gate.open()


def test_a_job_that_another_run_leaves_at_a_provider_that_is_not_used_here(build: Build) -> None:
    batch = build(Strained)
    batch.write_rows(["[fault:stuck] a", "b"], id=["x", "y"])
    first = batch.start_batch("-p", "fal", "--only", "x", **SILENT)
    assert batch.ledger.wait_for(1, seconds=PATIENCE)
    batch.gate.shut()
    second = batch.start_batch("-p", "aimlapi", "-j", "1")
    assert batch.gate.wait_for_arrival("POST", 2)
    kill(first)
    batch.gate.open()
    ended = Ran.of(second).check()
    assert ended.counts == {"saved": 1, "running": 1}
    assert "another kontext process has given this job to fal" in ended.err
