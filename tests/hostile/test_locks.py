"""File systems on which file locks do nothing: nobody can tell whether another run lives.

The oracle is the sandbox's ledger: what may be on its way is not sent again.
"""

import errno
import fcntl
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hostile.tracing import with_site
from journals import job
from kontext_cli.files import disk
from kontext_cli.job import State
from kontext_cli.journal import Journal
from strained import Strained
from world import Build, Ran

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="open files are locked there")

KINDS = ("granted", "refused")
LATER = timedelta(minutes=5)


@pytest.fixture
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Locks of this process that do nothing; the name by which another is given the same."""

    def flock(_file: int, _operation: int) -> None:
        if request.param == "refused":
            raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    return str(request.param)


@pytest.mark.parametrize("broken", KINDS, indirect=True)
def test_a_job_on_its_way_is_left_to_its_run(build: Build, broken: str) -> None:
    batch = build(Strained, rows=1)
    environ = {**with_site("locks"), "BROKEN_LOCKS": broken}
    batch.gate.shut()
    first = batch.start_batch(environ=environ)
    assert batch.gate.wait_for_arrival("POST", 1)
    (sent,) = batch.attempts()
    fetched, forgot = batch.run("fetch"), batch.run("forget", sent.id)
    joined = Ran.of(batch.start_batch("--on-unknown", "resubmit", environ=environ))
    batch.gate.open()
    ended = Ran.of(first)
    assert sent.state is State.SUBMITTING
    assert (fetched.code, forgot.code) == (7, 7)
    assert fetched.err.count("file locks do not work") == 1
    assert (joined.count("running"), ended.count("saved")) == (1, 1)
    assert joined.err.count("file locks do not work") == 1


@pytest.mark.parametrize("broken", KINDS, indirect=True)
@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({"answer_by": LATER}, State.SUBMITTING),
        ({"answer_by": -LATER}, State.UNKNOWN),
        ({"created_at": -LATER}, State.SUBMITTING),
        ({"created_at": -3 * LATER}, State.UNKNOWN),
    ],
)
@pytest.mark.usefixtures("broken")
def test_a_submit_is_lost_once_nobody_waits_for_its_answer(
    tmp_path: Path, given: dict[str, timedelta], state: State
) -> None:
    now = datetime.now(UTC)
    sent = job(State.SUBMITTING, **{name: now + after for name, after in given.items()})
    with Journal.open(tmp_path) as journal, Journal.open(tmp_path) as other:
        other.record(sent)
        assert journal.find(sent.id).state is state
        assert journal.owned_elsewhere(sent.id) is (state is State.SUBMITTING)
        assert journal.claim(journal.find(sent.id)) is (state is State.UNKNOWN)


@pytest.mark.parametrize("broken", KINDS, indirect=True)
@pytest.mark.usefixtures("broken")
def test_what_was_accepted_is_fetched_all_the_same(tmp_path: Path) -> None:
    """Else a run that was killed would keep its jobs for ever."""
    told: list[str] = []
    accepted = job(State.QUEUED)
    with Journal.open(tmp_path, log=told.append) as journal, Journal.open(tmp_path) as other:
        other.record(accepted)
        assert journal.claim(journal.find(accepted.id))
    assert [str(tmp_path / "running") in line for line in told] == [True]


def test_locks_that_work_are_no_news(tmp_path: Path) -> None:
    told: list[str] = []
    with Journal.open(tmp_path, log=told.append) as journal, Journal.open(tmp_path) as other:
        other.record(job(State.SUBMITTING))
        journal.record(job(State.SUBMITTING))
        assert {each.state for each in journal.recent()} == {State.SUBMITTING}
    assert told == []


@pytest.mark.parametrize("broken", KINDS, indirect=True)
@pytest.mark.usefixtures("broken")
def test_a_file_that_may_be_in_use_is_not_swept(tmp_path: Path) -> None:
    path = tmp_path / "in use"
    descriptor, _ = disk.create_private(path)
    assert disk.hold(descriptor, path)
    assert not disk.locks_work(path)
    assert not disk.remove_abandoned(path)
    assert path.exists()
    os.close(descriptor)
