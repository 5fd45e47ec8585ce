"""Commands on jobs that another process is at, or is at in the same moment.

The oracle is the sandbox's ledger: nothing is accepted twice.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from hostile.tracing import with_site
from journals import holder, job
from kontext_cli.errors import JournalFault, StillRunning
from kontext_cli.job import State
from kontext_cli.journal import Journal
from strained import Strained
from world import PATIENCE, Build, Ran, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="kills by signal")


@posix
def test_a_job_that_is_being_sent_is_not_forgotten(build: Build) -> None:
    batch = build(Strained, rows=1)
    batch.gate.shut()
    first = batch.start_batch()
    assert batch.gate.wait_for_arrival("POST", 1)
    (sent,) = batch.attempts()
    refused = batch.run("forget", sent.id)
    selected = batch.run("forget", "--state", "submitting")
    Ran.of(batch.start_batch())
    batch.gate.open()
    assert Ran.of(first).count("saved") == 1
    assert (refused.code, selected.code) == (7, 0)
    assert f"another kontext is still at job `{sent.id}`" in refused.err
    assert "wait until it has ended" in refused.err
    assert batch.accepted.total() == 1
    assert batch.run("forget", sent.id).code == 0


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.READY])
def test_a_job_that_is_being_followed_is_not_forgotten(tmp_path: Path, state: State) -> None:
    idle = job(State.SAVED)
    with Journal.open(tmp_path) as journal, holder(tmp_path, state) as (followed,):
        journal.record(idle)
        with pytest.raises(StillRunning, match=followed) as caught:
            journal.forget(ids=[idle.id, followed])
        assert journal.find(idle.id).state is State.SAVED, "all or nothing"
    assert caught.value.hint == "wait until it has ended"


def test_asking_about_a_job_leaves_it_to_the_run_that_is_at_it(world: World) -> None:
    name = world.run("generate", "x", "-p", "fal", "--no-wait").lines[0]
    with Journal.open(world.state) as other:
        assert other.claim(other.find(name))
        assert world.run("status", name, "--json").records[0]["state"] == "ready"
        assert other.find(name).state is State.QUEUED
        assert world.run("forget", name).code == 7
        assert world.run("fetch", name).code == 7
    assert world.run("fetch", name).code == 0


def test_how_to_end_a_job_that_is_followed_is_said(tmp_path: Path) -> None:
    followed = job(State.RUNNING, request_id="r1")
    with Journal.open(tmp_path) as journal, Journal.open(tmp_path) as other:
        other.record(followed)
        with pytest.raises(StillRunning) as caught:
            journal.forget(ids=[followed.id])
    assert caught.value.hint == f"wait until it has ended, or: kontext cancel {followed.id}"


def test_a_row_that_a_living_run_has_taken_is_not_forgotten_with_others(tmp_path: Path) -> None:
    taken, idle = job(State.PLANNED, batch="b", row="1"), job(State.PLANNED)
    with Journal.open(tmp_path) as journal:
        journal.record(idle)
        with Journal.open(tmp_path) as other:
            assert other.write([other.taking(taken, None)]) == [True]
            assert journal.forget(states=[State.PLANNED]) == 1
            assert journal.find(taken.id).state is State.PLANNED
        assert journal.forget(states=[State.PLANNED]) == 1


def test_a_job_whose_row_was_given_away_keeps_its_request_id(tmp_path: Path) -> None:
    """Where no lock keeps two runs apart, the row may be another job's when the id comes."""
    first, second = (job(State.PLANNED, batch="b", row="1") for _ in range(2))
    with Journal.open(tmp_path) as journal, Journal.open(tmp_path) as other:
        assert journal.write([journal.taking(first, None)]) == [True]
        journal.forget(ids=[first.id])
        assert other.write([other.taking(second, None)]) == [True]
        first.state, first.request_id = State.QUEUED, "r1"
        journal.record(first)
        assert journal.find("r1").id == first.id
        assert [each.id for each in journal.of_batch("b")] == [second.id]


def test_of_several_resubmits_at_once_one_is_sent(world: World) -> None:
    """All have read the journal before the first goes on; each ends before the next goes on."""
    prompt = "[fault:lost-reply*9] x"
    lost = world.run("generate", prompt, "-p", "fal", "--json").records[0]["id"]
    world.may_be_accepted(2, prompt)
    environ = {**with_site("pause"), "PAUSE_AT": "kontext_cli.journal:Journal.claim"}
    argv = ("fetch", lost, "--resubmit")
    runs = [world.start(*argv, environ=environ, stdin=subprocess.PIPE) for _ in range(3)]
    for run in runs:
        assert run.stdout is not None
        assert run.stdout.readline().strip() == b"paused"
    said = [run.communicate(b"\n", timeout=PATIENCE)[1] for run in runs]
    assert world.accepted[prompt] == 2
    assert [run.returncode for run in runs] == [11, 7, 7]
    assert [b"another kontext process has just changed this job" in text for text in said] == [
        *(False, True, True)
    ]


def test_who_read_a_job_before_it_changed_does_not_get_it(tmp_path: Path) -> None:
    """Also where it has the same state again: it may have been sent in between."""
    lost = job(State.UNKNOWN)
    with Journal.open(tmp_path) as first, Journal.open(tmp_path) as second:
        first.record(lost)
        early, mine = second.find(lost.id), first.find(lost.id)
        assert first.claim(mine)
        mine.request = {"prompt": "sent once more"}
        first.record(mine)
        assert not second.claim(early)
        assert second.claim(second.find(lost.id))
        mine.state = State.SUBMITTING
        with pytest.raises(JournalFault, match="another kontext took this job"):
            first.record(mine)
