"""A request id belongs to one job: a provider that gives it to a second one is not believed."""

import sqlite3
from typing import Any

import pytest

from kontext_cli.engine import recorder
from kontext_cli.journal import database
from world import World


class Repeating:
    """Answers every submit as it answered the first."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._first: list[Any] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        answer: list[Any] = []

        async def keep(message: Any) -> None:
            answer.append(message)

        await self._app(scope, receive, keep)
        self._first = self._first or answer
        for message in self._first:
            await send(message)


def test_two_jobs_never_share_a_request_id(world: World) -> None:
    world.stand_behind(Repeating)
    ran = world.batch(world.prompts("a", "b", "c"), "-p", "fal")
    assert world.accepted.total() == 3
    assert ran.counts == {"saved": 1, "unknown": 2}
    assert len({job["request_id"] for job in ran.jobs}) == 2  # one id, and none
    unknown = [job["error"] for job in ran.jobs if job["state"] == "unknown"]
    assert {error["billed"] for error in unknown} == {"maybe"}
    assert all("request id of another job" in error["message"] for error in unknown)
    again = world.batch("prompts.txt", "-p", "fal")
    assert world.accepted.total() == 3
    assert again.counts == {"skipped": 1, "unknown": 2}


class LockedAtTheAnswer:
    """Gives every job the first request id, and locks the journal before it answers the second.

    The lock goes at the first request after that whose path has ``until``.
    """

    def __init__(self, world: World, *, until: str | None) -> None:
        self._app = Repeating(world.app)
        self._journal = world.state / "journal.db"
        self._until = until
        self._posts = 0
        self.lock: sqlite3.Connection | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            self._posts += 1
            if self.lock is None and self._posts == 2:
                self.lock = sqlite3.connect(
                    self._journal, isolation_level=None, check_same_thread=False
                )
                self.lock.execute("BEGIN IMMEDIATE")
        elif self.lock and self._until and self._until in scope["path"]:
            self.lock.close()
        await self._app(scope, receive, send)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.01)
    monkeypatch.setattr(recorder, "RECORD_AGAIN", 0.01)


@pytest.mark.usefixtures("_impatient")
def test_two_jobs_never_share_a_request_id_while_the_journal_is_locked(world: World) -> None:
    server = LockedAtTheAnswer(world, until=None)
    world.answer(server)
    ran = world.batch(world.prompts("a", "b"), "-p", "fal", "-j", "1")
    assert server.lock is not None
    server.lock.close()
    assert ran.counts == {"saved": 1, "unknown": 1}
    assert len(world.files("out")) == 1


@pytest.mark.usefixtures("_impatient")
def test_the_journal_tells_of_a_shared_request_id_when_its_lock_is_gone(world: World) -> None:
    server = LockedAtTheAnswer(world, until="/status")
    world.answer(server)
    assert world.run("generate", "a", "-p", "fal", "-o", "a.jpg").code == 0
    ran = world.run("generate", "b", "-p", "fal", "-o", "b.jpg", "--json")
    (job,) = ran.records
    assert (ran.code, job["state"], job["request_id"]) == (11, "unknown", None)
    assert "request id of another job" in job["error"]["message"]
    assert world.files(".") == ["a.jpg"]
    (kept, _) = world.run("status", "--json").records
    assert (kept["state"], kept["request_id"]) == ("unknown", None)
