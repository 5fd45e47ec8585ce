"""Several machines on one journal: processes with state folders of their own, and one server."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from journals import expire, job
from kontext_cli.engine import recorder
from kontext_cli.job import State
from kontext_cli.journal import Journal, writer
from postgres_server import HOW_TO_INSTALL, PASSWORD, PostgresServer, programs
from world import Ran, World

if programs() is None:
    pytest.skip(HOW_TO_INSTALL, allow_module_level=True)


def machine(world: World, name: str) -> Mapping[str, str]:
    """The environment of a process on another machine."""
    return {"KONTEXT_STATE_DIR": str(world.top / name)}


@pytest.fixture
def shared(world: World, postgres: PostgresServer) -> World:
    """A world whose journal is in a database, which needs a password."""
    world.set(KONTEXT_JOURNAL=postgres.url(postgres.new_database(), tcp=True))
    return world


def test_a_job_of_one_machine_is_known_on_all(shared: World) -> None:
    made = shared.run("generate", "a fox", "-p", "fal", "-o", "fox.jpg")
    assert made.code == 0, made.err
    other = machine(shared, "other")
    (listed,) = shared.run("status", "--json", environ=other).records
    assert (listed["state"], listed["files"][0]["path"]) == (
        "saved",
        str(shared.folder / "fox.jpg"),
    )
    (total,) = (
        each
        for each in shared.run("cost", "--json", environ=other).records
        if each["by"] == "total"
    )
    assert (total["jobs"], total["usd"]) == (1, 0.04)
    assert "journal (job" in shared.run("info", "fox.jpg", environ=other).out.decode()
    assert shared.run("forget", listed["id"], environ=other).code == 0
    assert shared.run("status", "--json").records == []


def test_a_machine_without_a_state_folder_writes_to_standard_output(shared: World) -> None:
    ran = shared.process("generate", "x", "-p", "fal", "-o", "-")
    assert (ran.code, ran.out[:2]) == (0, b"\xff\xd8")


def test_a_job_is_fetched_or_canceled_from_another_machine(shared: World) -> None:
    fetched, canceled = shared.submit("one"), shared.submit("two")
    other = machine(shared, "other")
    assert shared.run("cancel", canceled, environ=other).code in (0, 4)
    ran = shared.run("fetch", fetched, "-o", "here.jpg", environ=other)
    assert (ran.code, ran.lines) == (0, [str(shared.folder / "here.jpg")])
    assert {each["state"] for each in shared.jobs("--limit", "9")} >= {"saved"}


def test_two_machines_at_one_batch_do_each_row_once(shared: World) -> None:
    file = shared.prompts(*(f"prompt {number}" for number in range(12)))
    argv = ("generate", "-f", file, "-p", "aimlapi", "--batch", "b", "--json")
    runs = [
        shared.start(*argv, "-d", name, environ=machine(shared, name)) for name in ("one", "two")
    ]
    done = [Ran.of(each) for each in runs]
    assert shared.accepted.total() == 12
    assert set(shared.accepted.values()) == {1}
    again = Ran.of(shared.start(*argv, "-d", "one", environ=machine(shared, "three")))
    assert (again.code, again.count("skipped")) == (0, 12), (done, again.err)


def test_a_row_that_a_dead_machine_took_is_reported_until_its_lease_is_over(shared: World) -> None:
    shared.write("rows.jsonl", [{"id": name, "prompt": name} for name in ("one", "two")])
    taken = job(State.PLANNED, batch="b", row="id:two")
    url = str(shared.environ["KONTEXT_JOURNAL"])
    with Journal.open(url) as dead:
        assert dead.write([dead.taking(taken, None)]) == [True]
        ran = shared.batch("rows.jsonl", "--batch", "b")
        assert (ran.code, ran.counts) == (9, {"saved": 1, "running": 1})
        assert "row two: another kontext process is working on this job" in ran.err
        expire(url, taken.id)
        ran = shared.batch("rows.jsonl", "--batch", "b")
        assert (ran.code, ran.counts) == (0, {"saved": 1, "skipped": 1})


def test_a_killed_run_is_finished_by_another_machine(shared: World) -> None:
    file = shared.prompts("one", "two")
    argv = ("generate", "-f", file, "-d", "out", "-p", "fal", "--batch", "b")
    killed = shared.process(*argv, environ={"KONTEXT_TEST_KILL_AT": "after-queued"})
    assert killed.code < 0
    expire(str(shared.environ["KONTEXT_JOURNAL"]), *(each.id for each in shared.kept()))
    ran = shared.run(*argv, "--json", environ=machine(shared, "other"))
    assert (ran.code, ran.counts) == (0, {"saved": 2}), ran.err
    assert shared.accepted.total() == 2


def test_no_password_is_printed(shared: World) -> None:
    ran = shared.run("generate", "x", "-p", "fal", "-o", "x.jpg", "--debug")
    assert ran.code == 0
    assert PASSWORD not in f"{ran.out!r}{ran.err}"
    shared.set(KONTEXT_JOURNAL=str(shared.environ["KONTEXT_JOURNAL"]).replace("@", "x@"))
    for argv in (["status"], ["generate", "y", "-p", "fal"], ["forget", "a"], ["cost", "--json"]):
        ran = shared.run(*argv, *(["--debug"] if argv[0] == "generate" else []))
        assert ran.code == 8
        assert "password authentication failed" in f"{ran.out!r}{ran.err}"
        assert PASSWORD not in f"{ran.out!r}{ran.err}"


def test_what_was_never_sent_is_said_to_have_failed_once(shared: World) -> None:
    Journal.open(str(shared.environ["KONTEXT_JOURNAL"])).close()
    shared.set(PGOPTIONS="-c default_transaction_read_only=on")
    ran = shared.run("generate", "x", "-p", "fal")
    assert ran.code == 8
    assert ran.err.count("it takes no changes, as a standby does not") == 1
    assert shared.posts == 0


class AwayServer:
    """Stops the database as a submit arrives, and starts it before an image is downloaded."""

    def __init__(self, world: World, postgres: PostgresServer, *, submit: int, back: bool) -> None:
        """``submit`` is the number of that submit."""
        self._app = world.app
        self._postgres = postgres
        self._left = submit
        self._back = back

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            self._left -= 1
            if self._left == 0:
                self._postgres.stop()
        elif self._left <= 0 and self._back and scope["path"].startswith("/files/"):
            self._postgres.start()
        await self._app(scope, receive, send)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "RECORD_AGAIN", 0.02)
    monkeypatch.setattr(writer, "TRY_AGAIN", 0.02)


@pytest.fixture
def fragile(shared: World, postgres: PostgresServer, _impatient: None) -> Iterator[World]:
    """A world whose database may be stopped."""
    yield shared
    postgres.start()


def test_a_job_goes_on_while_the_database_is_away(fragile: World, postgres: PostgresServer) -> None:
    fragile.answer(AwayServer(fragile, postgres, submit=1, back=True))
    ran = fragile.run("generate", "x", "-p", "fal", "-o", "x.jpg")
    (entry,) = fragile.ledger.entries
    assert (ran.code, ran.lines) == (0, ["x.jpg"])
    assert f"kontext fetch {entry.request_id} -p fal" in ran.err
    (kept,) = fragile.kept()
    assert (kept.state, kept.request_id) == (State.SAVED, entry.request_id)


def test_a_batch_waits_for_the_database_and_goes_on(
    fragile: World, postgres: PostgresServer
) -> None:
    fragile.answer(AwayServer(fragile, postgres, submit=3, back=True))
    file = fragile.prompts(*"abcdef")
    ran = fragile.batch(file, "-p", "fal", "--batch", "b", "-j", "2")
    assert (ran.code, ran.counts) == (0, {"saved": 6}), ran.err
    assert [each.state for each in fragile.kept("b")] == [State.SAVED] * 6


def test_a_job_whose_database_never_comes_back_says_what_was_paid(
    fragile: World, postgres: PostgresServer
) -> None:
    fragile.answer(AwayServer(fragile, postgres, submit=1, back=False))
    ran = fragile.run("generate", "x", "-p", "fal", "-o", "x.jpg", "--timeout", "1")
    (entry,) = fragile.ledger.entries
    assert (ran.code, ran.lines) == (8, ["x.jpg"])
    assert "the job is saved, but not in the journal" in ran.err
    assert f"hint: kontext fetch {entry.request_id} -p fal" in ran.err


def test_nothing_is_sent_where_the_database_is_away_at_the_start(
    fragile: World, postgres: PostgresServer
) -> None:
    file = fragile.prompts("a")
    postgres.stop()
    for argv in (("generate", "a", "-p", "fal"), ("generate", "-f", file, "--batch", "b")):
        ran = fragile.run(*argv)
        assert (ran.code, fragile.posts) == (8, 0)
        assert "check the server, and KONTEXT_JOURNAL" in ran.err


def test_a_batch_whose_database_never_comes_back_says_what_was_paid(
    fragile: World, postgres: PostgresServer
) -> None:
    fragile.answer(AwayServer(fragile, postgres, submit=2, back=False))
    file = fragile.prompts(*"abcd")
    argv = (file, "-p", "fal", "--batch", "b", "-j", "1")
    ran = fragile.batch(*argv, "--timeout", "1")
    assert ran.code == 8
    assert ran.counts["saved"] == 2
    assert "the job is saved, but not in the journal" in ran.err
    for entry in fragile.ledger.entries[1:]:
        assert f"kontext fetch {entry.request_id} -p fal" in ran.err
    postgres.start()
    fragile.answer()
    expire(str(fragile.environ["KONTEXT_JOURNAL"]), *(each.id for each in fragile.kept("b")))
    again = fragile.batch(*argv)
    assert again.counts == {"skipped": 1, "saved": 2, "unknown": 1}
    assert fragile.accepted.total() == 4
