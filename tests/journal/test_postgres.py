"""What a journal in PostgreSQL is beyond the rules of all: leases, budgets, lost connections."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Thread
from typing import Any

import pytest

from cutting import Cut, CuttingProxy
from journals import execute, expire, holder, job, line, start
from kontext_cli.errors import BudgetFault, JobFailed, JournalFault, UsageError
from kontext_cli.job import Cost, Job, Source, State
from kontext_cli.journal import Journal
from kontext_cli.journal.faults import Away
from kontext_cli.journal.write import Write
from kontext_cli.journal.writer import Scribe
from postgres_server import HOW_TO_INSTALL, PASSWORD, PostgresServer, programs
from processes import environment
from world import PATIENCE

if programs() is None:
    pytest.skip(HOW_TO_INSTALL, allow_module_level=True)

WAITS_FOR_LONG = (
    "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND clock_timestamp() > query_start + interval '0.4 seconds'"
)
EXPIRES = "SELECT max(expires) FROM owners"


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that must happen."""
    ends_at = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def reader(url: str) -> Journal:
    opened = Journal.read(url)
    assert opened is not None
    return opened


def planned(row: str, usd: float | None = 0.04, batch: str = "b", **given: object) -> Job:
    """The next attempt at a row of a batch."""
    return job(State.PLANNED, batch=batch, row=row, cost=Cost(usd, "estimate"), **given)


def take(journal: Journal, *jobs: Job, limit: float | None = None) -> list[bool | JournalFault]:
    """Take rows that nobody had before, in one group."""
    return journal.write([journal.taking(each, None, limit=limit) for each in jobs])


class TestUrls:
    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://me:canary@db/kontext?no_such_option=1",
            "postgresql://me:canary@[db/kontext",
            "postgresql://me:canary@db/kontext?lease=0.5",
            "postgresql://me:canary@db/kontext?lease=canary",
        ],
    )
    def test_a_bad_one_is_refused_without_its_password(self, url: str) -> None:
        with pytest.raises(UsageError) as caught:
            Journal.open(url)
        assert "canary" not in f"{caught.value}{caught.value.hint}".replace("`lease`", "")

    def test_the_fault_names_the_database_but_no_secret(self, postgres: PostgresServer) -> None:
        good = postgres.url("nowhere", tcp=True)
        for url, what in (
            (good, 'database "nowhere" does not exist'),
            (good.replace(PASSWORD, "wrong-canary"), "password authentication failed"),
            (postgres.url("nowhere", port=1), "refused"),
        ):
            with pytest.raises(Away) as caught:
                Journal.open(url)
            assert "`nowhere` at 127.0.0.1" in caught.value.message
            assert what in caught.value.message
            assert "FATAL" not in caught.value.message
            assert "canary" not in f"{caught.value.message}{caught.value.hint}"


class TestTables:
    def test_many_processes_at_once_create_them_once(self, database: str) -> None:
        code = """
sys.stdin.readline()
with Journal.open(place) as journal:
    journal.record(job("saved"))
"""
        processes = [start(code, database) for _ in range(6)]
        for each in processes:
            assert each.stdin is not None
            each.stdin.write("now\n")
            each.stdin.flush()
        assert [each.wait(PATIENCE) for each in processes] == [0] * 6
        for each in processes:
            each.communicate()
        assert execute(database, "SELECT version FROM kontext_journal") == [(1,)]
        with reader(database) as journal:
            assert len(journal.recent()) == 6

    def test_reading_creates_nothing(self, database: str) -> None:
        assert Journal.read(database) is None
        assert execute(database, "SELECT * FROM pg_tables WHERE schemaname = 'public'") == []

    @pytest.mark.parametrize("at", [Journal.open, Journal.read])
    def test_those_of_a_newer_kontext_are_left_alone(
        self, database: str, at: Callable[[str], Journal]
    ) -> None:
        Journal.open(database).close()
        execute(database, "UPDATE kontext_journal SET version = 99")
        with pytest.raises(JournalFault, match="a newer kontext"):
            at(database)

    def test_other_tables_of_the_same_names_are_left_alone(self, database: str) -> None:
        execute(database, "CREATE TABLE jobs (mine int)")
        with pytest.raises(JournalFault, match="other tables of the same names"):
            Journal.open(database)
        assert Journal.read(database) is None

    def test_what_its_user_may_not_do_is_said(self, database: str) -> None:
        execute(database, "DROP ROLE IF EXISTS guest")
        execute(database, "CREATE ROLE guest LOGIN")
        guest = database.replace("//kontext@", "//guest@")
        with pytest.raises(JournalFault, match="lacks the right to do that") as caught:
            Journal.open(guest)
        Journal.open(database).close()
        execute(database, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest")
        with reader(guest) as journal:
            assert journal.recent() == []
        with (
            Journal.open(guest) as journal,
            pytest.raises(JournalFault, match="lacks the right to do that"),
        ):
            journal.record(job())
        execute(database, "REVOKE USAGE ON SCHEMA public FROM public")
        for at in (Journal.open, Journal.read):
            with pytest.raises(JournalFault, match="may use no schema") as caught:
                at(guest)
            assert "GRANT USAGE" in str(caught.value.hint)
        execute(database, "DROP OWNED BY guest")
        execute(database, "DROP ROLE guest")

    def test_a_standby_takes_no_jobs(self, database: str) -> None:
        Journal.open(database).close()
        execute(
            database,
            f'ALTER ROLE CURRENT_USER IN DATABASE "{name_of(database)}"'
            " SET default_transaction_read_only = on",
        )
        with Journal.open(database) as journal, pytest.raises(JournalFault, match="standby"):
            journal.record(job())
        with reader(database) as journal:
            assert journal.recent() == []


def name_of(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


class TestLeases:
    def test_one_is_renewed_while_its_process_is_busy(self, database: str) -> None:
        """Nothing of that process runs but the thread that renews it."""
        url = f"{database}&lease=1"
        with Journal.open(url) as journal, reader(database) as other:
            sent = job(State.SUBMITTING)
            journal.record(sent)
            ((first,),) = execute(database, EXPIRES)
            until(lambda: execute(database, "SELECT now() > ?", first) == [(True,)])
            assert other.find(sent.id).state is State.SUBMITTING
            assert other.owned_elsewhere(sent.id)
        with reader(database) as other:
            assert execute(database, "SELECT * FROM owners") == []
            assert other.find(sent.id).state is State.UNKNOWN

    def test_a_dead_process_loses_it_by_itself(self, database: str) -> None:
        code = """
with Journal.open(place) as journal:
    mine = job("submitting")
    journal.record(mine)
    print(mine.id, flush=True)
    sys.stdin.read()
"""
        process = start(code, f"{database}&lease=1")
        sent = line(process)
        with reader(database) as other:
            assert other.owned_elsewhere(sent)
            process.kill()
            process.communicate()
            until(lambda: other.find(sent).state is State.UNKNOWN)

    @pytest.mark.skipif(sys.platform == "win32", reason="stops by signal")
    def test_a_stopped_process_submits_no_more_but_records_what_it_sent(
        self, database: str
    ) -> None:
        code = """
from kontext_cli.errors import JournalFault
with Journal.open(place) as journal:
    sent, fresh = job("submitting"), job("planned", batch="b", row="2")
    taken = job("planned", batch="b", row="1")
    journal.record(sent)
    journal.write([journal.taking(taken, None)])
    print(sent.id, taken.id, flush=True)
    sys.stdin.readline()
    sent.state, sent.request_id, taken.state = State.QUEUED, "r-1", State.SUBMITTING
    journal.record(sent)
    sent.state = State.SAVED
    journal.record(sent)
    print("recorded", flush=True)
    for each in (journal.recording(taken), journal.taking(fresh, None)):
        print(*journal.write([each]), flush=True)
"""
        process = start(code, f"{database}&lease=1")
        sent, taken = line(process).split()
        process.send_signal(signal.SIGSTOP)
        with Journal.open(database) as other:
            until(lambda: other.find(sent).state is State.UNKNOWN)
            assert not other.owned_elsewhere(taken)
            again = planned("1", attempt=2)
            assert other.write([other.taking(again, (taken, "planned"))]) == [True]
            process.send_signal(signal.SIGCONT)
            out, _ = process.communicate("go on\n")
            recorded, *refused = out.splitlines()
            assert recorded == "recorded"
            assert ["stood still for longer than 1 s" in each for each in refused] == [True, True]
            found = other.find(sent)
            assert (found.state, found.request_id) == (State.SAVED, "r-1")
            assert [each.id for each in other.of_row("b", "1")] == [again.id]
            assert other.of_row("b", "2") == []

    def test_one_that_ran_out_while_the_server_was_away_is_renewed(
        self, postgres: PostgresServer, database: str
    ) -> None:
        with Journal.open(f"{database}&lease=1") as journal:
            journal.record(job(State.SUBMITTING))
            postgres.stop()
            with pytest.raises(Away):
                journal.record(job(State.SUBMITTING))
            postgres.start()
            execute(database, "UPDATE owners SET expires = now()")
            again = job(State.SUBMITTING)
            clash = job(State.SUBMITTING, id=again.id)  # so that the first transaction is undone
            done = journal.write([journal.recording(each) for each in (again, clash)])
            assert done[0] is True
            assert isinstance(done[1], JournalFault)
            with reader(database) as other:
                assert other.find(again.id).state is State.SUBMITTING

    def test_a_submit_that_another_run_took_meanwhile_is_refused(self, database: str) -> None:
        with Journal.open(database) as journal, Journal.open(database) as other:
            mine, theirs = planned("1"), planned("1", attempt=2)
            assert take(journal, mine) == [True]
            expire(database, mine.id)
            assert other.write([other.taking(theirs, (mine.id, "planned"))]) == [True]
            execute(database, "UPDATE owners SET expires = now() + interval '1 minute'")
            mine.state = State.SUBMITTING
            with pytest.raises(JournalFault, match=f"a later job was made .* {theirs.id}"):
                journal.record(mine)
            assert [each.id for each in other.of_row("b", "1")] == [theirs.id]

    def test_a_request_id_replaces_no_other_one(self, database: str) -> None:
        with holder(database, "submitting") as (sent,):
            pass
        with Journal.open(database) as journal, Journal.open(database) as other:
            again = other.find(sent)
            assert other.claim(again)
            for state, request_id in ((State.SUBMITTING, None), (State.QUEUED, "r-2")):
                again.state, again.request_id = state, request_id
                other.record(again)
            late = journal.find(sent)
            late.request_id = "r-1"
            with pytest.raises(JournalFault, match="sent this job again"):
                journal.record(late)
            assert other.find(sent).request_id == "r-2"


def test_the_library_prints_nothing_of_its_own() -> None:
    noise = "import logging, kontext_cli.journal.server; logging.getLogger('psycopg').error('x')"
    ran = subprocess.run(
        [sys.executable, "-c", noise], capture_output=True, check=True, env=environment()
    )
    assert ran.stderr == b""


class TestLostConnections:
    @pytest.fixture
    def journal(self, database: str) -> Iterator[Journal]:
        with Journal.open(database) as opened:
            yield opened

    def test_after_a_restart_all_goes_on(self, postgres: PostgresServer, journal: Journal) -> None:
        kept = job(State.SUBMITTING)
        journal.record(kept)
        postgres.restart()
        kept.state = State.QUEUED
        journal.record(kept)
        postgres.restart()
        assert journal.find(kept.id).state is State.QUEUED
        postgres.restart()
        assert journal.of_row("b", "1") == []
        postgres.restart()
        assert journal.claim(kept)

    def test_while_it_is_away_each_write_says_so(
        self, postgres: PostgresServer, journal: Journal
    ) -> None:
        kept = job(State.QUEUED)
        journal.record(kept)
        postgres.stop()
        try:
            writes = [journal.recording(kept), journal.taking(planned("1"), None)]
            assert [type(each) for each in journal.write(writes)] == [Away, Away]
            with pytest.raises(Away):
                journal.recent()
        finally:
            postgres.start()
        assert journal.write(writes) == [True, True]

    def test_a_row_waits_until_it_is_back(
        self, postgres: PostgresServer, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kontext_cli.journal.writer.TRY_AGAIN", 0.01)
        notices: list[str] = []

        def notice(text: str) -> None:
            notices.append(text)
            if len(notices) == 1:
                postgres.start()

        async def take() -> bool:
            return await Scribe(journal, notice).take(planned("1"), None)

        postgres.stop()
        assert asyncio.run(take())
        waits, goes_on = notices
        assert "nothing is submitted until it is back" in waits
        assert goes_on == "the journal can be written again"

    def test_a_server_that_stands_still_is_not_waited_for(
        self, postgres: PostgresServer, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kontext_cli.journal.server._SILENCE", 0.2)
        kept = job(State.QUEUED)
        with Journal.open(f"{database}&connect_timeout=2") as journal:
            journal.record(kept)
            with postgres.frozen(), pytest.raises(Away):
                journal.record(kept)
            kept.state = State.RUNNING
            until(lambda: journal.write([journal.recording(kept)]) == [True])
            assert journal.find(kept.id).state is State.RUNNING

    def test_a_statement_that_takes_long_is_waited_for(
        self, database: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Here for a lock that another has."""
        kept = job(State.QUEUED)
        with Journal.open(database) as journal:
            journal.record(kept)
            monkeypatch.setattr("kontext_cli.journal.server._SILENCE", 0.1)
            psycopg: Any = pytest.importorskip("psycopg")
            with psycopg.connect(database) as db:
                db.execute("SELECT FROM jobs FOR UPDATE")
                kept.state = State.RUNNING
                thread = Thread(target=journal.record, args=(kept,))
                thread.start()
                until(lambda: execute(database, WAITS_FOR_LONG) == [(True,)])
                db.rollback()
                thread.join(PATIENCE)
            assert journal.find(kept.id).state is State.RUNNING

    @pytest.mark.parametrize("cut", ["before", "after"])
    def test_a_commit_that_is_not_known_to_succeed_has_no_effect_twice(
        self, postgres: PostgresServer, cut: Cut
    ) -> None:
        proxy = CuttingProxy(postgres.port)
        url = postgres.url(postgres.new_database(), port=proxy.port)
        with Journal.open(url) as journal, Journal.open(url) as other:
            first, second = planned("1"), planned("2")
            steps: list[tuple[Callable[[], object], object]] = [
                (lambda: take(journal, first, second, limit=0.08), [True, True]),
                (lambda: journal.record(first), None),
                (lambda: journal.claim(journal.find(first.id)), True),
            ]
            for step, result in steps:
                proxy.cut = cut
                assert step() == result
                assert proxy.cut is None
                first.state = State.SUBMITTING
            assert other.find(first.id).state is State.SUBMITTING
            assert take(other, planned("1"), planned("2")) == [False, False]
            assert execute(url, "SELECT reserved FROM budgets") == [(80_000,)]
            assert len(other.recent()) == 2
        proxy.close()


class TestBudgets:
    @pytest.fixture
    def journals(self, database: str) -> Iterator[list[Journal]]:
        """Several machines."""
        with ExitStack() as stack:
            yield [stack.enter_context(Journal.open(database)) for _ in range(3)]

    def test_it_is_one_for_all_machines(self, journals: list[Journal], database: str) -> None:
        for number in range(2):
            assert take(journals[number], planned(str(number)), limit=0.10) == [True]
        (fault,) = take(journals[2], planned("2"), limit=0.10)
        assert isinstance(fault, BudgetFault)
        assert (fault.exit_code, fault.billed) == (10, "no")
        assert "$0.10" in fault.message
        assert "$0.08" in fault.message
        assert take(journals[2], planned("2"), limit=0.12) == [True]
        assert take(journals[2], planned("2", batch="another"), limit=0.04) == [True]
        assert len(journals[0].recent()) == 4

    def test_what_others_spend_without_a_limit_counts(self, journals: list[Journal]) -> None:
        assert take(journals[0], planned("0"), planned("1")) == [True, True]
        (fault,) = take(journals[1], planned("2"), limit=0.10)
        assert isinstance(fault, BudgetFault)

    def test_of_a_group_those_are_taken_for_which_it_is_enough(
        self, journals: list[Journal]
    ) -> None:
        done = take(journals[0], *(planned(str(n)) for n in range(5)), limit=0.10)
        assert [type(each) for each in done] == [bool, bool, *[BudgetFault] * 3]

    def test_many_machines_at_once_never_pass_it(
        self, journals: list[Journal], database: str
    ) -> None:
        done: list[bool | JournalFault] = []

        def work(journal: Journal, number: int) -> None:
            for row in range(10):
                done.extend(take(journal, planned(f"{number}-{row}"), limit=0.50))

        threads = [Thread(target=work, args=each) for each in zip(journals, range(3), strict=True)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert done.count(True) == 12
        assert execute(database, "SELECT reserved FROM budgets") == [(480_000,)]

    def test_who_was_certainly_not_billed_gives_back(self, journals: list[Journal]) -> None:
        journal, other, _ = journals
        failed, dear = planned("0"), planned("1")
        assert take(journal, failed, dear, limit=0.08) == [True, True]
        for _ in range(2):  # once is enough
            failed.state, failed.error = State.FAILED, JobFailed("no", billed="no")
            journal.record(failed)
        assert take(other, planned("2"), limit=0.08) == [True]
        dear.state, dear.error = State.FAILED, JobFailed("no", billed="maybe")
        journal.record(dear)
        assert isinstance(take(other, planned("3"), limit=0.08)[0], BudgetFault)

    def test_what_a_provider_says_of_the_price_counts(self, journals: list[Journal]) -> None:
        journal = journals[0]
        kept = planned("0")
        take(journal, kept, limit=1)
        kept.state, kept.cost = State.SAVED, Cost(0.07, "provider")
        journal.record(kept)
        assert isinstance(take(journal, planned("1"), limit=0.10)[0], BudgetFault)
        assert take(journal, planned("1"), limit=0.11) == [True]

    def test_what_was_taken_and_never_sent_is_given_back(
        self, journals: list[Journal], database: str
    ) -> None:
        journal, other, _ = journals
        mine = planned("0")
        take(journal, mine, limit=0.04)
        expire(database, mine.id)
        again = other.taking(planned("0", attempt=2), (mine.id, "planned"), limit=0.04)
        assert other.write([again]) == [True]

    def test_what_a_dead_machine_had_not_sent_is_left_for_a_plan(
        self, journals: list[Journal], database: str
    ) -> None:
        journal, other, _ = journals
        sent, kept = planned("0"), planned("1")
        take(journal, sent, kept)
        sent.state = State.SUBMITTING
        journal.record(sent)
        assert other.reserved("b") == 0.08
        expire(database, kept.id)
        assert other.reserved("b") == 0.04

    def test_what_was_forgotten_stays_spent(self, journals: list[Journal]) -> None:
        journal = journals[0]
        kept = planned("0")
        take(journal, kept, limit=0.04)
        kept.state = State.SAVED
        journal.record(kept)
        assert journal.forget(states=[State.SAVED]) == 1
        assert isinstance(take(journal, planned("0"), limit=0.04)[0], BudgetFault)

    def test_it_begins_with_the_jobs_that_are_there(
        self, journals: list[Journal], database: str
    ) -> None:
        """As after `kontext journal copy`."""
        journal = journals[0]
        kinds = (
            planned("0"),
            job(State.SAVED, batch="b", row="1", sources=(Source("/home/a/\udcff.png", None),)),
            job(State.FAILED, batch="b", row="2", error=JobFailed("no", billed="no")),
            job(State.UNKNOWN, batch="b", row="3"),
            job(State.SAVED, batch="another", row="1"),
        )
        for each in kinds:
            journal.record(each)
        execute(database, "DELETE FROM budgets")
        assert take(journal, planned("4"), limit=1) == [True]
        found = execute(database, "SELECT batch, reserved FROM budgets")
        assert found == [("b", 120_000)]

    def test_without_a_price_there_is_no_limit(self, journals: list[Journal]) -> None:
        (fault,) = take(journals[0], planned("0", None), limit=1)
        assert isinstance(fault, BudgetFault)
        assert "the price is not known" in fault.message
        assert take(journals[0], planned("0", None)) == [True]


def test_rows_are_taken_in_the_same_order_by_all(database: str) -> None:
    """Else they would wait for each other."""
    with ExitStack() as stack:
        journals = [stack.enter_context(Journal.open(database)) for _ in range(4)]
        rows = [str(number) for number in range(200)]

        def group(journal: Journal, turned: bool) -> list[Write]:
            order = rows[::-1] if turned else rows
            return [journal.taking(planned(row), None) for row in order]

        done: list[list[bool | JournalFault]] = []
        threads = [
            Thread(target=lambda one=each, n=number: done.append(one.write(group(one, n % 2 == 0))))
            for number, each in enumerate(journals)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert sum(results.count(True) for results in done) == len(rows)
        assert sum(results.count(False) for results in done) == 3 * len(rows)


def test_a_reader_of_many_jobs_holds_few_of_them(database: str) -> None:
    with Journal.open(database) as journal:
        journal.write([journal.recording(planned(str(n))) for n in range(300)])
        found = journal.of_batch("b")
        assert next(found).row == "0"
        ((cursors,),) = [
            execute(
                database,
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE 'FETCH%'",
            )
        ]
        assert cursors == (1,)
        assert sum(1 for _ in found) == 299
