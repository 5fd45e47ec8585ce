"""Jobs in the journal: kept whole, found again, taken over from the dead, forgotten."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journals import REQUEST_ID, Place, execute, expire, facts, full_job, holder, job, line, start
from kontext_cli.errors import (
    Interrupted,
    JournalFault,
    KontextError,
    Moderated,
    OutcomeUnknown,
    ProviderError,
    UsageError,
    revived,
)
from kontext_cli.job import OPEN, Cost, File, Handle, Job, Origin, Output, Source, State, Target
from kontext_cli.journal import Journal, database
from kontext_cli.journal import file as journal_file
from kontext_cli.journal.lookup import AmbiguousJob

CANARY = "iVBORw0KGgoAAAANSUhEUgcanary"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def journal(place: Place) -> Iterator[Journal]:
    with Journal.open(place) as opened:
        yield opened


def reader(place: Place) -> Journal:
    opened = Journal.read(place)
    assert opened is not None
    return opened


def ids(jobs: list[Job]) -> list[str]:
    return [each.id for each in jobs]


def bytes_in(place: Place) -> bytes:
    if isinstance(place, Path):
        return b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file())
    return repr(execute(place, "SELECT * FROM jobs")).encode()


class TestRoundTrip:
    def test_every_field_survives(self, place: Place) -> None:
        kept = full_job()
        with Journal.open(place) as journal:
            journal.record(kept)
            assert facts(journal.find(kept.id)) == facts(kept)
        with reader(place) as journal:
            assert facts(journal.find(kept.id)) == facts(kept)

    def test_the_full_job_is_full(self) -> None:
        plain = facts(job())
        assert [name for name, value in facts(full_job()).items() if value == plain[name]] == [
            *("operation", "provider", "model", "endpoint", "request", "seed", "cost")
        ]

    def test_the_last_record_counts(self, journal: Journal) -> None:
        kept = job(State.SUBMITTING)
        for state in (State.SUBMITTING, State.QUEUED, State.RUNNING, State.READY, State.SAVED):
            kept.state = state
            kept.position = len(state)
            journal.record(kept)
            assert facts(journal.find(kept.id)) == facts(kept)
        assert len(journal.recent()) == 1

    @pytest.mark.parametrize(
        "error",
        [
            Moderated("no", hint="change it", billed="yes"),
            OutcomeUnknown("who knows", billed="maybe"),
            Interrupted("stop", signal_number=15, billed="maybe"),
            JournalFault("full"),
        ],
    )
    def test_errors_come_back_as_what_they_were(
        self, journal: Journal, error: KontextError
    ) -> None:
        kept = job(State.FAILED, error=error)
        journal.record(kept)
        assert facts(journal.find(kept.id)) == facts(kept)

    def test_an_error_of_a_later_version_keeps_what_it_told(self) -> None:
        record = {"code": "new", "message": "m", "hint": "h", "billed": "yes", "exit_code": 12}
        error = revived(record)
        assert type(error) is ProviderError
        assert (error.message, error.hint, error.billed, error.exit_code) == ("m", "h", "yes", 12)


finite = st.floats(allow_nan=False, allow_infinity=False)
# The text that JSON and SQLite may stumble over is in reach of these, but no data URIs are.
texts = st.text(max_size=20)
optional_texts = st.none() | texts
paths = texts.map(Path)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
mappings = st.dictionaries(texts, values, max_size=3)
sizes = st.integers(0, 2**40)
zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
moments = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=zones)
files = st.lists(
    st.builds(File, paths, texts, sizes, sizes, sizes, st.just("png"), sizes, sizes), max_size=2
).map(tuple)
jobs = st.builds(
    job,
    request=mappings,
    seed=st.none() | st.integers(-(2**80), 2**80),
    cost=st.builds(Cost, st.none() | finite, st.just("provider")),
    digest=texts,
    sources=st.lists(st.builds(Source, texts, optional_texts), max_size=2).map(tuple),
    target=st.none()
    | st.builds(
        Target,
        st.lists(paths, max_size=2).map(tuple),
        st.booleans(),
        st.booleans(),
        files,
        origin=st.none() | st.builds(Origin, texts, texts, paths),
    ),
    batch=optional_texts,
    index=st.none() | st.integers(),
    state=st.sampled_from(State),
    handle=st.none() | st.builds(Handle, texts, mappings),
    request_id=optional_texts,
    position=st.none() | sizes,
    outputs=st.lists(
        st.builds(Output, optional_texts, st.none(), st.booleans(), optional_texts), max_size=2
    ).map(tuple),
    files=files,
    reply=mappings,
    skipped=st.booleans(),
    error=st.none() | st.builds(Moderated, texts, hint=optional_texts, billed=st.just("maybe")),
    created_at=moments,
    finished_at=st.none() | moments,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(kept=jobs)
def test_any_job_survives(journal: Journal, kept: Job) -> None:
    journal.record(kept)
    assert facts(journal.find(kept.id)) == facts(kept)


def test_two_jobs_never_share_an_id(journal: Journal) -> None:
    first = job(State.SUBMITTING)
    journal.record(first)
    with pytest.raises(JournalFault, match=f"another job has the id {first.id}"):
        journal.record(job(State.SUBMITTING, id=first.id))
    assert journal.find(first.id).created_at == first.created_at


class TestPrivacy:
    def test_images_within_replies_are_never_stored(self, place: Place) -> None:
        uri = f"data:image/png;base64,{CANARY}"
        outputs = (
            Output(url=uri),
            Output(url=uri.replace("data:", "DATA:")),
            Output(b64=CANARY),
            Output(url="https://a/a.png", b64=CANARY),
            Output(url="https://b/b.png", flagged=True),
        )
        kept = job(
            State.READY,
            outputs=outputs,
            request={"prompt": f"like {uri} but red", "images": [uri]},
            sources=(Source(f'data:image/svg+xml;charset="utf-8",{CANARY}', None),),
            reply={"prompt": uri, "deep": [{"er": f"data:;base64,{CANARY}\n{CANARY}"}]},
            request_id=uri,
            batch=uri,
            error=Moderated(f"refused {uri}"),
        )
        with Journal.open(place) as journal:
            journal.record(kept)
            found = journal.find(kept.id)
        assert found.outputs == (Output("https://a/a.png"), outputs[-1])
        assert found.request == {"prompt": "like data:... but red", "images": ["data:..."]}
        assert CANARY.encode() not in bytes_in(place)

    @pytest.mark.parametrize(
        "prompt", ["data: a, b", "metadata:a/b,c", "the data:, and more", "data:a;b c,d"]
    )
    def test_words_that_only_look_like_it_stay(self, journal: Journal, prompt: str) -> None:
        kept = job(request={"prompt": prompt})
        journal.record(kept)
        assert journal.find(kept.id).request == {"prompt": prompt}

    def test_nothing_of_a_forgotten_job_is_left(self, folder: Path) -> None:
        with Journal.open(folder) as journal:
            for number in range(60):
                kept = job(State.QUEUED, request={"prompt": f"{CANARY} {number}" * 20})
                journal.record(kept)
                kept.state = State.SAVED
                kept.request = {"prompt": CANARY}
                journal.record(kept)
            other = job(State.SAVED)
            journal.record(other)
            before = sum(path.stat().st_size for path in folder.iterdir())
            assert journal.forget(states=[State.SAVED], older_than=timedelta()) == 61
            journal.record(other)
            after = sum(path.stat().st_size for path in folder.iterdir())
        assert after < before / 2
        assert CANARY.encode() not in bytes_in(folder)


class TestFind:
    @pytest.fixture(autouse=True)
    def _jobs(self, journal: Journal) -> None:
        for each in ("1abcde", "1abdef", "2abcde", "2abcdef"):
            journal.record(job(id=each, request_id=f"R-{each}", request={"prompt": "fox " * 40}))

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("1abcde", "1abcde"),
            ("1abc", "1abcde"),
            ("1ABC", "1abcde"),
            (" 1abd ", "1abdef"),
            ("2abcde", "2abcde"),
            ("2abcdef", "2abcdef"),
            ("R-1abdef", "1abdef"),
        ],
    )
    def test_by_id_its_start_or_the_request_id(
        self, journal: Journal, name: str, found: str
    ) -> None:
        assert journal.find(name).id == found

    def test_an_ambiguous_start_lists_the_candidates(self, journal: Journal) -> None:
        with pytest.raises(AmbiguousJob) as caught:
            journal.find("1ab")
        assert caught.value.message == "`1ab` may be any of these jobs"
        assert [each.id for each in caught.value.candidates] == ["1abcde", "1abdef"]
        assert not caught.value.are_more
        assert caught.value.hint == "give more of the id"

    def test_at_most_ten_candidates_are_listed(self, journal: Journal) -> None:
        for number in range(12):
            journal.record(job(State.SAVED, id=f"3{number:02}"))
        with pytest.raises(AmbiguousJob) as caught:
            journal.find("3")
        assert len(caught.value.candidates) == 10
        assert caught.value.are_more

    def test_two_jobs_of_one_request_are_candidates(self, journal: Journal) -> None:
        for each in ("5a", "5b"):
            journal.record(job(id=each, request_id=REQUEST_ID))
        with pytest.raises(AmbiguousJob) as caught:
            journal.find(REQUEST_ID)
        assert [each.id for each in caught.value.candidates] == ["5b", "5a"]

    @pytest.mark.parametrize(
        ("name", "hint"),
        [
            ("1abxde", "did you mean `1abdef`, `1abcde`, `2abcdef`?"),
            ("2abcdefgh", "did you mean `2abcdef`, `2abcde`, `1abdef`?"),
            ("zzzz", "`kontext status` lists the jobs"),
            ("", "`kontext status` lists the jobs"),
            ("R-1abd", "did you mean `1abdef`, `1abcde`?"),
            ("1abc%", "did you mean `1abcde`, `2abcdef`, `1abdef`?"),
            ("~", "`kontext status` lists the jobs"),
            ("\udcff\x00", "`kontext status` lists the jobs"),
        ],
    )
    def test_an_unknown_name_tells_the_nearest(
        self, journal: Journal, name: str, hint: str
    ) -> None:
        with pytest.raises(UsageError) as caught:
            journal.find(name)
        assert caught.value.message == f"there is no job `{name}`"
        assert (caught.value.hint, caught.value.exit_code) == (hint, 2)

    def test_a_whole_file_as_a_name_is_cut_short(self, journal: Journal) -> None:
        with pytest.raises(UsageError) as caught:
            journal.find("x" * 100_000)
        assert len(caught.value.message) < 100


class TestRecent:
    def test_the_newest_come_first(self, journal: Journal) -> None:
        kept = [job(State.SAVED) for _ in range(30)]
        for each in sorted(kept, key=lambda each: each.id[::-1]):
            journal.record(each)
        newest = sorted(ids(kept), reverse=True)
        assert ids(journal.recent()) == newest[:20]
        assert ids(journal.recent(limit=3)) == newest[:3]
        assert ids(journal.recent(limit=1000)) == newest

    def test_of_states_and_of_a_batch(self, journal: Journal) -> None:
        kept = [job(state, batch=batch) for state in State for batch in ("a", 'ü"', None)]
        for each in kept:
            journal.record(each)
        wanted = {State.FAILED, State.QUEUED, State.SAVED}
        newest = kept[::-1]
        assert ids(journal.recent(states=wanted)) == ids([j for j in newest if j.state in wanted])
        assert ids(journal.recent(batch='ü"')) == ids([j for j in newest if j.batch == 'ü"'])
        both = [j for j in newest if j.state in wanted and j.batch == "a"]
        assert ids(journal.recent(states=wanted, batch="a", limit=2)) == ids(both[:2])
        assert journal.recent(batch="b") == []

    def test_unfinished_are_the_open_ones_oldest_first(self, journal: Journal) -> None:
        kept = [job(state) for state in State for _ in range(2)]
        for each in reversed(kept):
            journal.record(each)
        assert ids(journal.unfinished()) == ids([each for each in kept if each.state in OPEN])

    def test_a_row_that_cannot_be_read_is_told_and_left_out(self, place: Place) -> None:
        told: list[str] = []
        good, bad = job(), job()
        with Journal.open(place, log=told.append) as journal:
            journal.record(good)
            journal.record(bad)
            execute(place, "UPDATE jobs SET details = '{}' WHERE id = ?", bad.id)
            assert ids(journal.recent()) == ids(journal.unfinished()) == [good.id]
            assert told == [f"job `{bad.id}` in the journal is damaged; it is skipped"] * 2
            with pytest.raises(JournalFault, match="is damaged"):
                journal.find(bad.id)
            assert journal.forget(ids=[bad.id]) == 1

    def test_what_a_later_version_adds_is_passed_over(self, place: Place) -> None:
        kept = full_job()
        with Journal.open(place) as journal:
            journal.record(kept)
        execute(place, "ALTER TABLE jobs ADD COLUMN mood TEXT DEFAULT 'good'")
        execute(
            place,
            "UPDATE jobs SET details = "
            "replace(replace(details, '{', '{\"new\":1,'), '{\"new\":1,}', '{}')",
        )
        with Journal.open(place) as journal:
            found = journal.find(kept.id)
            del found.reply["new"], found.reply["timings"]["new"], found.request["new"]
            assert found.handle is not None
            assert isinstance(found.handle.data, dict)
            del found.handle.data["new"]
            assert facts(found) == facts(kept)
            journal.record(kept)
            assert facts(journal.find(kept.id)) == facts(kept)


class Statements:
    """What SQLite was asked by all connections, and how many steps it took."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.steps = 0

    def watch(self, db: sqlite3.Connection) -> None:
        db.set_trace_callback(self.texts.append)
        db.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.steps += 1
        return 0


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Statements:
    watched = Statements()

    def connect(path: Path, mode: str) -> sqlite3.Connection:
        db = database.connect(path, mode)
        watched.watch(db)
        return db

    monkeypatch.setattr(journal_file, "connect", connect)
    return watched


QUERIES: Mapping[str, Callable[[Journal], Any]] = {
    "recent": lambda journal: journal.recent(),
    "recent of states": lambda journal: journal.recent(states=[State.SAVED, State.UNKNOWN]),
    "recent of a batch": lambda journal: journal.recent(batch="a"),
    "find by start": lambda journal: journal.find("0000000000"),
    "find by request id": lambda journal: journal.find("R-0000000007"),
    "unfinished": lambda journal: journal.unfinished(),
    "owned elsewhere": lambda journal: journal.owned_elsewhere("0000000000"),
}


def fill(journal: Journal, numbers: range) -> None:
    for number in numbers:
        state = State.QUEUED if number < 5 else State.SAVED
        each = f"{number:010}"
        journal.record(job(state, id=each, request_id=f"R-{each}", batch="a"))


class TestLargeJournals:
    def test_no_query_sorts_or_reads_a_whole_table(
        self, folder: Path, statements: Statements
    ) -> None:
        with Journal.open(folder) as journal:
            fill(journal, range(30))
            statements.texts.clear()
            for query in QUERIES.values():
                query(journal)
        asked = {text for text in statements.texts if text.startswith("SELECT")}
        assert len(asked) >= len(QUERIES)
        raw = sqlite3.connect(folder / "journal.db")
        for text in asked:
            for *_, step in raw.execute(f"EXPLAIN QUERY PLAN {text}"):
                assert "TEMP B-TREE" not in step, text
                assert "USING INDEX" in step or "USING COVERING INDEX" in step, text
        raw.close()

    def test_ten_times_the_jobs_take_no_more_steps(
        self, folder: Path, statements: Statements
    ) -> None:
        taken: dict[str, list[int]] = {name: [] for name in QUERIES}
        for numbers in (range(30), range(30, 300)):
            with Journal.open(folder) as journal:
                fill(journal, numbers)
            with reader(folder) as journal:
                for name, query in QUERIES.items():
                    before = statements.steps
                    query(journal)
                    taken[name].append(statements.steps - before)
        for name, (few, many) in taken.items():
            assert 0 < many <= few + 10, name


class TestOwnership:
    def test_while_its_process_lives_a_job_is_left_to_it(
        self, place: Place, journal: Journal
    ) -> None:
        with holder(place, "submitting", "running") as (submitted, running):
            for name, state in ((submitted, State.SUBMITTING), (running, State.RUNNING)):
                found = journal.find(name)
                assert found.state is state
                assert journal.owned_elsewhere(name)
                assert not journal.claim(found)
            assert journal.recent(states=[State.UNKNOWN]) == []
            assert ids(journal.recent(states=[State.SUBMITTING])) == [submitted]
            assert journal.forget(states=[State.UNKNOWN]) == 0

    def test_a_submit_whose_process_died_is_unknown(self, place: Place, journal: Journal) -> None:
        with holder(place, "submitting", "running") as (submitted, running):
            pass
        with reader(place) as other:
            for each in (journal, other):
                assert [(j.id, j.state) for j in each.unfinished()] == [
                    (submitted, State.UNKNOWN),
                    (running, State.RUNNING),
                ]
                assert each.find(submitted).state is State.UNKNOWN
                assert ids(each.recent(states=[State.UNKNOWN])) == [submitted]
                assert each.recent(states=[State.SUBMITTING]) == []
                assert not each.owned_elsewhere(submitted)

    def test_claiming_it_writes_it_down_as_unknown(self, place: Place, journal: Journal) -> None:
        with holder(place, "submitting") as (submitted,):
            pass
        assert journal.claim(journal.find(submitted))
        assert journal.unfinished() == []
        assert journal.recent(states=[State.UNKNOWN])[0].id == submitted

    def test_a_claimed_job_is_ours_until_we_close(self, place: Place, journal: Journal) -> None:
        kept = job(State.FAILED)
        journal.record(kept)
        with Journal.open(place) as other:
            assert other.claim(kept)
            assert journal.owned_elsewhere(kept.id)
            assert not journal.claim(kept)
            assert not other.owned_elsewhere(kept.id)
            assert other.claim(kept)
        assert not journal.owned_elsewhere(kept.id)
        assert journal.claim(kept)

    @pytest.mark.parametrize("end", [State.SAVED, State.FAILED, State.PLANNED, State.UNKNOWN])
    def test_a_job_that_is_over_belongs_to_nobody(
        self, place: Place, journal: Journal, end: State
    ) -> None:
        kept = job(State.RUNNING)
        journal.record(kept)
        with Journal.open(place) as other:
            assert other.owned_elsewhere(kept.id)
            kept.state = end
            journal.record(kept)
            assert not other.owned_elsewhere(kept.id)
            assert other.claim(kept)

    def test_a_job_that_went_on_is_not_claimed(self, place: Place, journal: Journal) -> None:
        kept = job(State.QUEUED)
        journal.record(kept)
        found = journal.find(kept.id)
        kept.state = State.SAVED
        journal.record(kept)
        assert not journal.claim(found)
        assert journal.find(kept.id).state is State.SAVED

    def test_a_job_that_the_journal_does_not_know_is_taken_in(self, journal: Journal) -> None:
        foreign = job(State.QUEUED, request_id=REQUEST_ID)
        assert journal.claim(foreign)
        assert facts(journal.find(REQUEST_ID)) == facts(foreign)

    def test_of_several_claimers_exactly_one_wins(self, place: Place) -> None:
        with holder(place, "submitting", "running", "ready") as names:
            pass
        code = """
with Journal.open(place) as journal:
    jobs = [journal.find(name) for name in sys.argv[2:]]
    print("found", flush=True)
    sys.stdin.readline()
    print(*(int(journal.claim(job)) for job in jobs), flush=True)
    sys.stdin.read()
"""
        claimers = [start(code, place, *names) for _ in range(6)]
        with ExitStack() as stack:
            for each in claimers:
                stack.callback(each.communicate)
                assert line(each) == "found"
            for each in claimers:
                assert each.stdin is not None
                each.stdin.write("now\n")
                each.stdin.flush()
            answers = [line(each).split() for each in claimers]
        assert [sorted(each) for each in zip(*answers, strict=True)] == [["0"] * 5 + ["1"]] * 3

    def test_an_owner_that_is_a_path_removes_no_file(self, folder: Path) -> None:
        kept = job(State.SUBMITTING)
        with Journal.open(folder) as journal:
            journal.record(kept)
            precious = folder / "precious"
            precious.touch()
            execute(folder, "UPDATE jobs SET owner = '../precious'")
            assert journal.find(kept.id).state is State.UNKNOWN
        assert precious.exists()

    def test_no_file_of_a_process_is_left(self, folder: Path) -> None:
        with holder(folder, "running"):
            pass
        assert len(list((folder / "running").iterdir())) == 1
        with Journal.open(folder) as journal:
            assert len(list((folder / "running").iterdir())) == 1
            journal.record(job())
            assert len(list((folder / "running").iterdir())) == 1
        assert list((folder / "running").iterdir()) == []


class TestKilled:
    CODE = """
with Journal.open(place) as journal:
    mine = job("planned")
    print(mine.id, flush=True)
    for state in sys.argv[2:]:
        mine.state = State(state)
        journal.record(mine)
"""

    @pytest.mark.parametrize(
        ("point", "found"),
        [
            ("before-submitting", None),
            ("after-submitting", State.UNKNOWN),
            ("before-queued", State.UNKNOWN),
            ("after-queued", State.QUEUED),
            ("after-queued*2", State.QUEUED),
            ("before-saved", State.QUEUED),
            ("after-saved", State.SAVED),
        ],
    )
    def test_what_was_recorded_before_a_kill_is_there(
        self, place: Place, point: str, found: State | None
    ) -> None:
        states = ("submitting", "queued", "queued", "saved")
        process = start(self.CODE, place, *states, KONTEXT_TEST_KILL_AT=point)
        name = line(process)
        process.communicate()
        assert process.returncode not in (0, 1)
        expire(place, name)
        with Journal.open(place) as journal:
            assert [(each.id, each.state) for each in journal.recent()] == (
                [(name, found)] if found else []
            )

    def test_no_other_point_kills(self, place: Place) -> None:
        process = start(self.CODE, place, "queued", KONTEXT_TEST_KILL_AT="after-queued*2")
        process.communicate()
        assert process.returncode == 0

    def test_many_processes_at_once_lose_nothing(self, place: Place) -> None:
        code = """
with Journal.open(place) as journal:
    for number in range(100):
        mine = job("submitting", batch=sys.argv[2])
        journal.record(mine)
        mine.state = State.SAVED
        journal.record(mine)
"""
        processes = [start(code, place, number) for number in range(8)]
        for each in processes:
            each.communicate()
        assert [each.returncode for each in processes] == [0] * 8
        with reader(place) as journal:
            assert len(set(ids(journal.recent(limit=9999, states=[State.SAVED])))) == 800
            for number in range(8):
                assert len(journal.recent(limit=999, batch=str(number))) == 100
        if isinstance(place, Path):
            assert execute(place, "PRAGMA integrity_check") == [("ok",)]


class TestForget:
    def test_open_jobs_go_only_by_name(self, journal: Journal) -> None:
        kept = [job(state) for state in State]
        for each in kept:
            journal.record(each)
        assert journal.forget(states=[State.QUEUED, State.SAVED]) == 1
        assert journal.forget(older_than=timedelta()) == len(State) - 5
        left = [each for each in kept if each.state in OPEN]
        assert ids(journal.unfinished()) == ids(left)
        assert journal.forget(ids=[*ids(left), "unknown"]) == 4
        assert journal.recent() == []

    def test_by_age(self, journal: Journal) -> None:
        now = datetime.now(UTC)
        kept = [job(State.SAVED, created_at=now - timedelta(days=days)) for days in (1, 3, 5)]
        for each in kept:
            journal.record(each)
        assert journal.forget(older_than=timedelta.max) == 0
        assert journal.forget(older_than=timedelta(days=4)) == 1
        assert journal.forget(older_than=timedelta(days=2), states=[State.FAILED]) == 0
        assert journal.forget(older_than=timedelta(days=2), ids=ids(kept)) == 1
        assert ids(journal.recent()) == [kept[0].id]

    def test_nothing_given_forgets_nothing(self, journal: Journal) -> None:
        journal.record(job(State.SAVED))
        assert journal.forget() == 0
        assert len(journal.recent()) == 1

    def test_what_is_told_as_unknown_is_forgotten_as_unknown(
        self, place: Place, journal: Journal
    ) -> None:
        with holder(place, "submitting", "running") as (_, running):
            pass
        assert journal.forget(states=[State.UNKNOWN]) == 1
        assert ids(journal.recent()) == [running]


class TestReading:
    def test_there_is_none_yet(self, place: Place) -> None:
        assert Journal.read(place) is None
        if isinstance(place, Path):
            assert not place.exists()
            assert Journal.read(place.parent) is None

    @pytest.mark.parametrize(
        "write",
        [
            lambda journal: journal.record(job()),
            lambda journal: journal.claim(job()),
            lambda journal: journal.forget(ids=["a"]),
        ],
    )
    def test_a_reader_does_not_write(
        self, place: Place, journal: Journal, write: Callable[[Journal], object]
    ) -> None:
        with reader(place) as other, pytest.raises(JournalFault, match="reading only"):
            write(other)
        if isinstance(place, Path):
            assert not (place / "running").exists()
        else:
            assert execute(place, "SELECT * FROM owners") == []

    def test_a_reader_sees_what_is_written_meanwhile(self, place: Place, journal: Journal) -> None:
        with reader(place) as other:
            assert other.recent() == []
            kept = job()
            journal.record(kept)
            assert ids(other.recent()) == [kept.id]


def test_the_last_batch_and_its_jobs_by_id(place: Place) -> None:
    with Journal.open(place) as journal:
        assert journal.last_batch() is None
        jobs = [job(batch=batch, row="r") for batch in ("first", 'a "batch" — 1', None)]
        for each in jobs:
            journal.record(each)
        assert journal.last_batch() == 'a "batch" — 1'
        ids = [jobs[2].id, "none", jobs[0].id]
        assert [each.id for each in journal.by_ids(ids)] == [jobs[2].id, jobs[0].id]


def test_saved_files_the_newest_first(place: Place) -> None:
    files = [File(Path(f"/home/{name}.png"), "c" * 64, 9, 6, 4, "png", 1, 17) for name in "abc"]
    with Journal.open(place) as journal:
        jobs = [
            job(State.SAVED, files=tuple(files[:2])),
            job(),
            job(State.SAVED, files=(files[2],)),
        ]
        for each in jobs:
            journal.record(each)
        found = [(job_id, file.path, file.modified) for job_id, file in journal.saved_files()]
    assert found == [
        (jobs[2].id, "/home/c.png", 17),
        (jobs[0].id, "/home/a.png", 17),
        (jobs[0].id, "/home/b.png", 17),
    ]
