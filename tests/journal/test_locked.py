"""The journal is locked by another program just as the request id of a job comes."""

import sqlite3
from typing import Any

import pytest

from kontext_cli.engine import recorder
from kontext_cli.journal import database
from world import World


class LockingServer:
    """Locks the journal before it answers a submit, until the request that ``until`` begins."""

    def __init__(self, world: World, *, until: str | None) -> None:
        self._app = world.app
        self._journal = world.state / "journal.db"
        self._until = until
        self._lock: sqlite3.Connection | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            self._lock = sqlite3.connect(
                self._journal, isolation_level=None, check_same_thread=False
            )
            self._lock.execute("BEGIN IMMEDIATE")
        elif self._until is not None and scope["path"].startswith(self._until):
            self.let_go()
        await self._app(scope, receive, send)

    def let_go(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "RECORD_AGAIN", 0.01)


def test_a_job_goes_on_and_is_recorded_when_the_lock_is_gone(world: World) -> None:
    world.answer(LockingServer(world, until="/files/"))
    ran = world.run("generate", "x", "-p", "fal", "-o", "x.jpg")
    (entry,) = world.ledger.entries
    assert ran.code == 0
    assert f"kontext fetch {entry.request_id} -p fal" in ran.err
    assert "another program has it locked" in ran.err
    (job,) = world.run("status", "--json").records
    assert (job["state"], job["request_id"]) == ("saved", entry.request_id)


def test_an_image_that_is_saved_without_a_record_is_no_failure(world: World) -> None:
    server = LockingServer(world, until=None)
    world.answer(server)
    ran = world.run("generate", "x", "-p", "fal", "-o", "x.jpg")
    assert (ran.code, ran.lines) == (0, ["x.jpg"])
    assert "is saved, but not in the journal" in ran.err
    server.let_go()


def test_a_job_that_is_left_without_a_record_is_fetched_by_its_request_id(world: World) -> None:
    server = LockingServer(world, until=None)
    world.answer(server)
    ran = world.run("generate", "x", "-p", "fal", "--no-wait", "--json")
    (entry,) = world.ledger.entries
    (job,) = ran.records
    assert (ran.code, job["error"]["code"], job["error"]["billed"]) == (8, "journal", "maybe")
    assert job["error"]["hint"] == f"kontext fetch {entry.request_id} -p fal"
    server.let_go()
    assert world.run("fetch", entry.request_id, "-p", "fal", "-o", "x.jpg").code == 0
    assert world.files(".") == ["x.jpg"]


def test_a_batch_that_cannot_record_its_jobs_stops_and_pays_for_none_twice(world: World) -> None:
    server = LockingServer(world, until=None)
    world.answer(server)
    file = world.prompts("one", "two", "three")
    stopped = world.batch(file, "-p", "fal", "-j", "1", "--no-wait")
    assert (stopped.code, stopped.summary["planned"]) == (8, 2)
    server.let_go()
    world.answer()
    again = world.batch(file, "-p", "fal")
    assert again.counts == {"saved": 2, "unknown": 1}
