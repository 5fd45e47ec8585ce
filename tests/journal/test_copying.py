"""A journal copied into another: nothing is lost, nothing becomes sendable that was sent."""

import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from journals import Place, execute, facts, full_job, holder, job
from kontext_cli.errors import JournalFault, StillRunning
from kontext_cli.job import Cost, Handle, Job, State
from kontext_cli.journal import Journal
from kontext_cli.journal.copying import Copied, copy_journal
from kontext_cli.journal.store import open_store, open_store_to_read
from postgres_server import HOW_TO_INSTALL, PostgresServer, programs

NO_SERVER = pytest.mark.skipif(programs() is None, reason=HOW_TO_INSTALL)
COLUMNS = "id, state, owner, batch, row, attempt, request_id, created_at, details"
ALL = f"SELECT {COLUMNS} FROM jobs ORDER BY id"


Counted = Callable[[int, int, str], None]


class Places:
    """Where journals come from and go to."""

    def __init__(self, source: Place, target: Place) -> None:
        self.source = source
        self.target = target

    def copy(self, counted: Counted = lambda _done, _total, _things: None) -> Copied:
        """Copy the journal."""
        reader = open_store_to_read(self.source, print)
        assert reader is not None
        with closing(reader), closing(open_store(self.target, print)) as writer:
            return copy_journal(reader, writer, counted)

    def back(self) -> "Places":
        """The other way round."""
        return Places(self.target, self.source)


def ways(*names: str) -> list[Any]:
    """Ways that a journal can be copied, as parameters."""
    return [
        pytest.param(name.split(" to "), id=name, marks=[NO_SERVER] if "database" in name else [])
        for name in names
    ]


INTO_A_FOLDER, INTO_A_DATABASE = "folder to folder", "folder to database"
ANY = ways(INTO_A_FOLDER, INTO_A_DATABASE, "database to folder", "database to database")


@pytest.fixture(params=ways(INTO_A_FOLDER, INTO_A_DATABASE))
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Places:
    """Two empty journals; a test can say which by ``ANY``."""
    ends: list[Place] = []
    for number, kind in enumerate(request.param):
        if kind == "folder":
            ends.append(tmp_path / str(number))
        else:
            server: PostgresServer = request.getfixturevalue("postgres")
            ends.append(server.url(server.new_database()))
    return Places(*ends)


def record(place: Place, *jobs: Job) -> None:
    with Journal.open(place) as journal:
        for each in jobs:
            journal.record(each)


def found(place: Place, job_id: str) -> Job:
    journal = Journal.read(place)
    assert journal is not None
    with journal:
        return journal.find(job_id)


def rows(place: Place) -> list[Any]:
    return execute(place, ALL)


class TestACopy:
    @pytest.mark.parametrize("places", ANY, indirect=True)
    def test_has_all_columns_of_all_jobs_and_so_has_the_copy_of_it(self, places: Places) -> None:
        full = full_job()
        others = [job(state, request_id=f"r-{state}") for state in State]
        rowed = [job(State.SAVED, batch="b", row=f"id:{n}", index=n) for n in range(3)]
        record(places.source, full, *others, *rowed)
        before = rows(places.source)
        copied = places.copy()
        assert (copied.jobs, copied.added) == (len(before), len(before))
        assert rows(places.target) == before
        assert facts(found(places.target, full.id)) == facts(found(places.source, full.id))
        again = places.copy()
        assert (again.added, again.updated, again.differing) == (0, 0, [])
        assert again.sha256 == copied.sha256
        execute(places.source, "DELETE FROM jobs")
        assert places.back().copy().sha256 == copied.sha256
        assert rows(places.source) == before

    def test_goes_on_where_one_before_was_interrupted(self, places: Places) -> None:
        jobs = [job(State.SAVED) for _ in range(2_500)]
        with Journal.open(places.source) as journal:
            journal.write([journal.recording(each) for each in jobs])

        def stop(done: int, _total: int, _things: str) -> None:
            if done >= 1_000:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            places.copy(stop)
        assert len(rows(places.target)) == 1_000
        copied = places.copy()
        assert (copied.jobs, copied.added) == (2_500, 1_500)
        assert rows(places.target) == rows(places.source)

    def test_leaves_other_jobs_of_the_target_alone(self, places: Places) -> None:
        ours, theirs = job(batch="b", row="1"), job(batch="b", row="2")
        record(places.source, ours)
        record(places.target, theirs)
        assert places.copy().added == 1
        with Journal.open(places.target) as journal:
            assert [each.id for each in journal.of_batch("b")] == [ours.id, theirs.id]

    @pytest.mark.parametrize("places", ways(INTO_A_FOLDER, "database to folder"), indirect=True)
    def test_is_refused_while_another_process_works_on_the_source(self, places: Places) -> None:
        with holder(places.source, "queued") as ids, pytest.raises(StillRunning, match=ids[0]):
            places.copy()
        assert places.copy().added == 1


class TestAJobThatDiffers:
    """``there`` is what the target has of a job, ``here`` the source; ``is_taken``: the copy has it
    as it is in the source."""

    SENT: ClassVar[dict[str, Any]] = {"request_id": "r1", "handle": Handle("r1")}
    SUBMIT: ClassVar[dict[str, Any]] = {"answer_by": datetime(2026, 1, 1, tzinfo=UTC)}
    LATER_SUBMIT: ClassVar[dict[str, Any]] = {"answer_by": datetime(2026, 1, 2, tzinfo=UTC)}
    OTHER: ClassVar[dict[str, Any]] = {"request_id": "r2", "handle": Handle("r2")}

    @pytest.mark.parametrize(
        ("there", "here", "is_taken"),
        [
            ((State.PLANNED, {}), (State.QUEUED, SENT), True),
            ((State.PLANNED, {}), (State.UNKNOWN, {}), True),
            ((State.SUBMITTING, {}), (State.QUEUED, SENT), True),
            ((State.UNKNOWN, {}), (State.SAVED, SENT), True),
            ((State.QUEUED, SENT), (State.SAVED, SENT), True),
            ((State.QUEUED, SENT), (State.PLANNED, {}), False),
            ((State.QUEUED, SENT), (State.SUBMITTING, {}), False),
            ((State.SAVED, SENT), (State.QUEUED, SENT), False),
            ((State.QUEUED, SENT), (State.SAVED, OTHER), False),
            ((State.UNKNOWN, SUBMIT), (State.QUEUED, {**SENT, **SUBMIT}), True),
            ((State.UNKNOWN, LATER_SUBMIT), (State.QUEUED, {**SENT, **SUBMIT}), False),
            ((State.UNKNOWN, {}), (State.FAILED, SENT), False),
            ((State.SUBMITTING, {}), (State.PLANNED, {}), False),
            ((State.RUNNING, SENT), (State.FAILED, SENT), False),
            ((State.FAILED, SENT), (State.SAVED, SENT), False),
        ],
    )
    def test_is_replaced_only_where_it_is_an_earlier_state(
        self, there: Any, here: Any, is_taken: bool, places: Places
    ) -> None:
        (first, of_first), (second, of_second) = there, here
        known = job(first, **of_first)
        record(places.target, known)
        record(
            places.source,
            job(second, id=known.id, created_at=known.created_at, **of_second),
            untouched := job(State.SAVED),
        )
        copied = places.copy()
        assert (copied.added, copied.updated) == (1, is_taken)
        assert [(each.id, each.source, each.target) for each in copied.differing] == (
            [] if is_taken else [(known.id, second.value, first.value)]
        )
        kept = execute(places.target, "SELECT state, request_id FROM jobs WHERE id = ?", known.id)
        wanted = (second, of_second) if is_taken else (first, of_first)
        assert [tuple(each) for each in kept] == [(wanted[0].value, wanted[1].get("request_id"))]
        assert found(places.target, untouched.id).state is State.SAVED

    def test_is_left_to_the_process_that_works_on_it(self, places: Places) -> None:
        with holder(places.target, "submitting") as ids:
            (known,) = [found(places.target, each) for each in ids]
            given = {"id": known.id, "created_at": known.created_at, **self.SENT}
            record(places.source, job(State.QUEUED, **given))
            assert [each.id for each in places.copy().differing] == ids

    def test_with_the_id_of_another_job_is_named(self, places: Places) -> None:
        mine = job(State.SAVED)
        record(places.source, mine)
        record(places.target, job(State.PLANNED, id=mine.id))
        assert [each.id for each in places.copy().differing] == [mine.id]

    def test_has_a_row_that_another_job_has_and_keeps_its_request_id(self, places: Places) -> None:
        mine = job(batch="b", row="1", **self.SENT)
        theirs = job(batch="b", row="1", **self.OTHER)
        record(places.source, mine)
        record(places.target, theirs)
        for _ in range(2):
            assert places.copy().apart == [mine.id]
        kept = found(places.target, mine.id)
        assert (kept.request_id, kept.row, kept.batch) == ("r1", None, "b")
        with Journal.open(places.target) as journal:
            assert [each.id for each in journal.of_row("b", "1")] == [theirs.id]
        mine.state = State.SAVED
        record(places.source, mine)
        copied = places.copy()
        assert (copied.apart, copied.updated) == ([mine.id], 1)
        assert found(places.target, mine.id).state is State.SAVED

    def test_that_is_damaged_is_named(self, tmp_path: Path) -> None:
        places = Places(tmp_path / "source", tmp_path / "target")
        whole, damaged = job(State.SAVED), job(State.SAVED)
        record(places.source, whole, damaged)
        execute(places.source, "UPDATE jobs SET details = ? WHERE id = ?", "a\0b", damaged.id)
        copied = places.copy()
        assert [(each.id, each.target) for each in copied.differing] == [(damaged.id, None)]
        assert [row[0] for row in rows(places.target)] == [whole.id]

    def test_that_was_changed_meanwhile_is_noticed(self, places: Places) -> None:
        mine = job(State.SAVED)
        record(places.source, mine)

        def change(_done: int, _total: int, things: str) -> None:
            if things == "jobs copied":
                execute(places.target, "DELETE FROM jobs")

        with pytest.raises(JournalFault, match="changed meanwhile"):
            places.copy(change)


@NO_SERVER
class TestBudgets:
    BUDGETS = "SELECT batch, reserved FROM budgets ORDER BY batch"

    def spend(self, place: Place, batch: str, *usd: float) -> list[Job]:
        """Jobs of a batch that reserved what they cost."""
        jobs = [
            job(State.PLANNED, batch=batch, row=f"{price}-{n}", cost=Cost(price, "estimate"))
            for n, price in enumerate(usd)
        ]
        with Journal.open(place) as journal:
            assert all(journal.write([journal.taking(each, None, limit=9.0) for each in jobs]))
            for each in jobs:
                each.state = State.SAVED
                journal.record(each)
        return jobs

    def databases(self, server: PostgresServer) -> Places:
        return Places(*[server.url(server.new_database()) for _ in range(2)])

    def test_go_along_with_what_forgotten_jobs_spent(self, postgres: PostgresServer) -> None:
        places = self.databases(postgres)
        spent = self.spend(places.source, "b", 0.04, 0.05)
        with Journal.open(places.source) as journal:
            journal.forget(ids=[spent[0].id])
        for _ in range(2):
            places.copy()
            assert execute(str(places.target), self.BUDGETS) == [("b", 90_000)]

    def test_of_several_journals_add_up(self, postgres: PostgresServer) -> None:
        places = self.databases(postgres)
        self.spend(places.source, "b", 0.04)
        self.spend(places.target, "b", 0.05)
        for _ in range(2):
            places.copy()
            assert execute(str(places.target), self.BUDGETS) == [("b", 90_000)]

    def test_come_from_the_jobs_of_a_folder(self, postgres: PostgresServer, tmp_path: Path) -> None:
        places = Places(tmp_path, postgres.url(postgres.new_database()))
        self.spend(tmp_path, "b", 0.04, 0.04)
        places.copy()
        assert execute(str(places.target), self.BUDGETS) == [("b", 80_000)]


def test_the_digest_is_of_each_row_as_json(tmp_path: Path) -> None:
    """So that anybody can compute it."""
    from hashlib import sha256

    record(tmp_path / "source", job(State.SAVED), job(State.QUEUED))
    copied = Places(tmp_path / "source", tmp_path / "target").copy()
    lines = [f"{json.dumps(list(row))}\n" for row in rows(tmp_path / "target")]
    assert copied.sha256 == sha256("".join(lines).encode()).hexdigest()
