"""Batches planned, run, killed, stopped and run again in any order, against a ledger as the model.

Runs are whole: planner, batch, journal and engine as the command line puts them together. Death
strikes at a write to the journal or at a request, before or after it took effect.
"""

import asyncio
import io
import itertools
import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack, closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    precondition,
    rule,
)
from starlette.responses import JSONResponse

from kontext_cli.batch.decide import Rules, Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lane import Lane
from kontext_cli.batch.limits import Limits
from kontext_cli.batch.memory import Memory
from kontext_cli.batch.order import Order
from kontext_cli.batch.pace import Pace
from kontext_cli.batch.part import Part
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.pool import Pool, Server
from kontext_cli.batch.run import Batch
from kontext_cli.batch.sources import BatchSource
from kontext_cli.batch.tally import Tally
from kontext_cli.engine.budget import Budget
from kontext_cli.engine.engine import Engine
from kontext_cli.errors import Interrupted, JournalFault, OverBudget
from kontext_cli.files.delivery import file_delivery
from kontext_cli.files.saved import existing_file
from kontext_cli.http.transport import Transport
from kontext_cli.job import Job, State
from kontext_cli.journal import Journal
from kontext_cli.journal.file import FILE
from kontext_cli.journal.replies import Answers
from kontext_cli.journal.write import Write
from kontext_cli.journal.writer import Scribe
from kontext_cli.prompts import Row
from kontext_cli.providers import provider_class
from kontext_cli.providers.base import Provider
from kontext_cli.sandbox.app import Sandbox
from kontext_cli.settings.settings import known_provider
from runs import KEY, at_once
from soaking import SOAK, soaked
from world import quick_folder

NAME = "machine"
PRICE = 0.04
FAULTS = [
    *[""] * 4,
    "[fault:lost-reply] ",
    "[fault:reset] ",
    "[fault:html-502] ",
    "[fault:429*1] ",
    "[fault:poll-503] ",
    "[fault:truncated-media] ",
]
MODERATED = "[fault:refused] "


class Death(Exception):
    """The process is killed: from here on, nothing it does has any effect."""


class Fate:
    """What happens to a run: it is killed, or told to stop, at its n-th step."""

    def __init__(self, *, dies: int | None = None, stops: int | None = None) -> None:
        self._dies = dies
        self._stops = stops
        self.steps = 0
        self.stop: Callable[[], object] = lambda: None
        self.dead = False
        self.stopped = False

    def step(self) -> None:
        """One more write or request, before or after it took effect."""
        if self.dead:
            raise Death
        self.steps += 1
        if self.steps == self._stops:
            self.stop()
        if self.steps == self._dies:
            self.dead = True
            raise Death


class MortalJournal(Journal):
    """The journal of a run that may die as it writes; after that it writes no more."""

    fate: Fate

    def write(self, writes: Sequence[Write]) -> list[bool | JournalFault]:
        self.fate.step()
        written = super().write(writes)
        self.fate.step()
        return written

    def claim(self, job: Job) -> bool:
        self.fate.step()
        claimed = super().claim(job)
        self.fate.step()
        return claimed


class AtOnce(ThreadPoolExecutor):
    """Does what threads would do right where it is asked for, so that a run repeats itself."""

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class Wire:
    """The sandbox as one run sees it, up to its death; counts what that run was accepted for."""

    def __init__(
        self,
        sandbox: Sandbox,
        fate: Fate,
        polled: Callable[[str], None],
        refusals: Sequence[int] = (),
    ) -> None:
        """``polled`` is told the request id of each poll. ``refusals`` are the statuses with which
        fal answers the first submits; 0 lets one through."""
        self._sandbox = sandbox
        self._fate = fate
        self._polled = polled
        self._refusals = iter(refusals)
        self.accepted = 0
        self.late = 0
        """Submits that left after the run was told to stop."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self._fate.step()
        if scope["method"] == "POST":
            self.late += self._fate.stopped
            await self._submit(scope, receive, send)
        else:
            if "/requests/" in scope["path"]:
                self._polled(scope["path"].split("/requests/")[1].split("/")[0])
            await self._sandbox.app(scope, receive, send)
        self._fate.step()

    async def _submit(self, scope: Any, receive: Any, send: Any) -> None:
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        refusal = next(self._refusals, 0) if scope["path"].startswith("/fal/") else 0
        if refusal:
            await JSONResponse({"detail": "no"}, refusal)(scope, receive, send)
            return
        body = json.loads(b"".join(message.get("body", b"") for message in messages))
        prompt = body.get("input", body)["prompt"]
        rest = iter(messages)

        async def again() -> Any:
            return next(rest, {"type": "http.disconnect"})

        before = self._sandbox.ledger.accepted(prompt)
        await self._sandbox.app(scope, again, send)
        self.accepted += self._sandbox.ledger.accepted(prompt) - before


@dataclass
class Planned:
    """A run that has decided what to do and not begun; others may come between."""

    entries: Sequence[Entry]
    planner: Planner
    journal: MortalJournal
    rules: Rules
    cap: float | None
    waits: bool
    wire: Wire
    tally: Tally
    told: list[Job] = field(default_factory=list)


class Batches(RuleBasedStateMachine):
    """One prompts file, one output folder, one provider or a list of them."""

    tried: tuple[str, ...] = ("fal",)
    planned = Bundle("planned")

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self.folder = self._open.enter_context(quick_folder())
        ticks = itertools.count()
        # time passes whenever somebody looks at the clock
        self.sandbox = Sandbox(plain=True, latency=0.02, clock=lambda: next(ticks) * 0.002)
        self.providers: dict[str, Provider] = {
            name: provider_class(known_provider(name))(f"http://sandbox.localhost/{name}")
            for name in self.tried
        }
        self.numbers = itertools.count(1)
        self.rows: list[dict[str, str]] = []
        self.granted: defaultdict[str, set[int]] = defaultdict(set)
        self.edited: set[Path] = set()
        self.polled_in_haste: list[str] = []

    # what the user does

    @initialize(count=st.integers(1, 6))
    def begin(self, count: int) -> None:
        for _ in range(count):
            self.insert(0, "")

    @precondition(lambda self: len(self.rows) < 10)
    @rule(place=st.integers(0, 9), fault=st.sampled_from([*FAULTS, MODERATED]))
    def insert(self, place: int, fault: str) -> None:
        number = next(self.numbers)
        self.rows.insert(place, {"id": f"r{number}", "prompt": f"{fault}image {number}"})

    @precondition(lambda self: len(self.rows) > 1)
    @rule(place=st.integers(0, 9))
    def remove(self, place: int) -> None:
        self.rows.pop(place % len(self.rows))

    @precondition(lambda self: self.rows)
    @rule(place=st.integers(0, 9), fault=st.sampled_from(FAULTS))
    def change(self, place: int, fault: str) -> None:
        prompt = f"{fault}image {next(self.numbers)}"
        place %= len(self.rows)
        self.rows[place] = {**self.rows[place], "prompt": prompt}

    @rule(which=st.integers(0, 9), edit=st.booleans())
    def touch_a_file(self, which: int, edit: bool) -> None:
        saved = sorted(self.folder.glob("out/*.jpg"))
        if saved:
            path = saved[which % len(saved)]
            path.unlink()
            if edit:
                path.write_bytes(b"mine")
                self.edited.add(path)

    # what the program does

    @rule(
        target=planned,
        cap=st.none() | st.integers(0, 8).map(lambda images: images * PRICE + 0.01),
        rules=st.builds(Rules, make_saved=st.just(False), resubmit_unknown=st.booleans()),
        only=st.none() | st.sets(st.integers(1, 10), max_size=4),
        waits=st.sampled_from([True, True, False]),
        dies=st.none() | st.integers(1, 60),
        stops=st.none() | st.integers(1, 60),
        refusals=st.lists(st.sampled_from([0, 402, 429, *[503] * 2]), max_size=20),
    )
    def plan(
        self,
        cap: float | None,
        rules: Rules,
        only: set[int] | None,
        waits: bool,
        dies: int | None,
        stops: int | None,
        refusals: list[int],
    ) -> Planned | None:
        fate = Fate(dies=dies, stops=stops)
        planned = self.decide(fate, rules=rules, cap=cap, only=only, waits=waits, refusals=refusals)
        try:
            Budget(cap).check([each.cost for each in planned.entries if each.step is Step.MAKE])
        except OverBudget:
            planned.journal.close()
            return None
        return planned

    @rule(one=consumes(planned), jobs=st.integers(1, 6))
    def run(self, one: Planned | None, jobs: int) -> None:
        self.run_all([one], jobs)

    @rule(one=consumes(planned), other=consumes(planned), jobs=st.integers(1, 6))
    def run_two(self, one: Planned | None, other: Planned | None, jobs: int) -> None:
        self.run_all([one, other], jobs)

    def decide(
        self,
        fate: Fate,
        *,
        rules: Rules = Rules(),  # noqa: B008  # it is frozen
        cap: float | None = None,
        only: set[int] | None = None,
        waits: bool = True,
        refusals: Sequence[int] = (),
    ) -> Planned:
        """A run up to where it would begin."""
        journal = MortalJournal.open(self.folder / "state")
        self._open.callback(journal.close)
        journal.fate = fate
        planner = Planner(
            Order(
                batch=NAME,
                operation="generate",
                defaults={"provider": ",".join(self.tried), "model": "kontext-pro"},
                images=(),
                bases={"": self.folder},
                folder=self.folder / "out",
                template="{index:02}-{slug}",
                id_template="{index:02}-{slug}",
                exists="error",
                rules=rules,
            ),
            open_provider=self.providers.__getitem__,
            stdin=io.BytesIO,
            made=self.memory(journal).files,
        )
        rows = [Row(n, n, row) for n, row in enumerate(self.rows, start=1)]
        source = BatchSource(rows=rows, faults=(), names=("p.jsonl",), identity=(), bases={})
        known = self.memory(journal).lookup()
        entries = planner.entries(source, Part(rows), known)
        chosen = [e for e in entries if only is None or e.row.index in only]
        wire = Wire(self.sandbox, fate, self.note_poll, refusals if self.tried[1:] else ())
        tally = Tally(len(chosen), waits=waits)
        return Planned(chosen, planner, journal, rules, cap, waits, wire, tally)

    def memory(self, journal: Journal) -> Memory:
        return Memory(journal, Answers(self.folder / "state"), NAME)

    def run_all(self, runs: Sequence[Planned | None], jobs: int) -> None:
        begun = [run for run in runs if run is not None]

        async def work() -> None:
            asyncio.get_running_loop().set_default_executor(AtOnce(1))
            await asyncio.gather(*(self.work(run, jobs) for run in begun))

        asyncio.run(work())
        for run in begun:
            run.journal.close()
            if not run.journal.fate.dead:
                self.check_told(run)
            if run.cap is not None:
                assert run.wire.accepted * PRICE <= run.cap
            assert run.wire.late == 0
        assert self.polled_in_haste == []
        self.check_paid_once()
        self.check_every_job_is_known()

    async def work(self, run: Planned, jobs: int) -> None:
        """What the command line does with a plan."""

        def tell(job: Job, _entry: Entry) -> None:
            run.told.append(job)
            run.tally.count(job)

        scribe = Scribe(run.journal)
        entries = {entry.key: entry for entry in run.entries}

        async def take(job: Job, seen: tuple[str, str] | None) -> bool:
            """A row may be sent again on the user's word, or back to what it was before."""
            reason = entries[job.row or ""].reason
            resubmitted = reason == "unknown" and run.rules.resubmit_unknown
            if resubmitted or reason.startswith("changed"):
                self.granted[str(job.request["prompt"])].add(job.attempt)
            return await scribe.take(job, seen)

        batch = Batch(
            run.planner,
            run.journal,
            self.memory(run.journal),
            claim=take,
            delivery=partial(file_delivery, proven=set()),
            limits=Limits(60.0, waits=run.waits),
            budget=Budget(run.cap),
            report=tell,
            spend=run.tally.spend,
            on_stop=lambda _why: None,
            notice=lambda _text: None,
        )
        loop = asyncio.get_running_loop()

        def stop() -> None:
            run.journal.fate.stopped = True
            batch.interrupt(Interrupted("interrupted", signal_number=2))

        run.journal.fate.stop = lambda: loop.call_soon_threadsafe(stop)
        ticks = itertools.count(step=100)

        def clock() -> float:
            return float(next(ticks))

        lanes = {
            name: Lane(
                [entry for entry in run.entries if entry.at == name],
                Pool([Server(self.providers[name], Pace(jobs, clock=clock), clock=clock)]),
                stop=partial(batch.stop_provider, name),
            )
            for name in self.tried
        }
        try:
            for entry in run.entries:
                if entry.step in (Step.SKIP, Step.HOLD):
                    tell(self.memory(run.journal).job_of(entry), entry)
            async with AsyncExitStack() as stack:
                engines = {
                    lane.pool.servers[0]: Engine(
                        self.providers[name],
                        await stack.enter_async_context(self.transport(name, run, lane)),
                        record=scribe.record,
                        watch=lambda job, _logs: batch.watch(job),
                        sleep=at_once,
                    )
                    for name, lane in lanes.items()
                }
                await batch.run(lanes, engines)
                await scribe.settle()
        except* Death:
            pass

    def transport(self, name: str, run: Planned, lane: Lane) -> Transport:
        provider = self.providers[name]
        return Transport(
            name,
            provider.key_bases,
            provider.headers(KEY),
            app=run.wire,
            throttled=lane.pool.servers[0].pace.throttled,
            sleep=at_once,
        )

    # what has to hold

    def note_poll(self, request_id: str) -> None:
        """Nobody asks for a job whose id is not on the disk yet."""
        with closing(sqlite3.connect(self.folder / "state" / FILE)) as db:
            found = db.execute("SELECT 1 FROM jobs WHERE request_id = ?", (request_id,)).fetchone()
        if found is None:
            self.polled_in_haste.append(request_id)

    def check_paid_once(self) -> None:
        for entry in self.sandbox.ledger.entries:
            accepted = self.sandbox.ledger.accepted(entry.prompt)
            assert accepted <= 1 + len(self.granted[entry.prompt]), entry.prompt

    def check_every_job_is_known(self) -> None:
        """What was accepted has its id in the journal, or is known as of unknown outcome."""
        with Journal.open(self.folder / "state") as journal:
            jobs = journal.recent(limit=10_000)
        ids = {job.request_id for job in jobs}
        unknown = {job.request["prompt"] for job in jobs if job.state is State.UNKNOWN}
        for entry in self.sandbox.ledger.entries:
            assert entry.request_id in ids or entry.prompt in unknown, entry.prompt

    def check_told(self, run: Planned) -> None:
        record = run.tally.record()
        assert sum(count for name, count in record.items() if name != "total") == len(run.entries)
        errors = [job.error for job in run.told if job.error]
        assert [error.message for error in errors if error.exit_code == 1] == []
        assert run.tally.cost.usd is not None
        assert round(run.wire.accepted * PRICE, 6) <= run.tally.cost.usd
        if run.cap is not None:
            assert run.tally.cost.usd <= run.cap

    def teardown(self) -> None:
        try:
            self.finish()
        finally:
            self._open.close()

    def finish(self) -> None:
        """Two more runs, of which nothing comes in the way, bring home all that can be had."""
        for _ in range(2):
            self.run_all([self.decide(Fate())], 3)
        with Journal.open(self.folder / "state") as journal:
            last = {job.row: job for job in journal.of_batch(NAME)}
        for row in self.rows:
            job = last[f"id:{row['id']}"]
            assert job.request["prompt"] == row["prompt"] or job.state is State.UNKNOWN
            if job.request_id is None:
                assert job.state is State.UNKNOWN
            elif MODERATED in row["prompt"]:
                assert job.state is State.MODERATED
            else:
                assert job.state is State.SAVED
                (file,) = job.files
                assert file.path in self.edited or existing_file(file.path).sha256 == file.sha256
        assert list(self.folder.glob("out/.kontext-*")) == []


class BatchesOfSeveral(Batches):
    """Rows whose first provider may refuse them, and which go to the next one then."""

    tried = ("fal", "replicate")


USUAL = settings(
    max_examples=soaked(12, 5000),
    stateful_step_count=soaked(20, 30),
    derandomize=not SOAK,
    deadline=None,
    print_blob=True,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
TestBatches = Batches.TestCase
TestBatches.settings = USUAL
TestBatchesOfSeveral = BatchesOfSeveral.TestCase
TestBatchesOfSeveral.settings = USUAL


def meet(fate: Fate) -> None:
    """Have the first run of a small batch meet its fate; what has to hold is seen to."""
    machine = Batches()
    try:
        for fault in ("", "[fault:429*1] ", "[fault:truncated-media] "):
            machine.insert(9, fault)
        machine.run_all([machine.decide(fate)], 2)
    finally:
        machine.teardown()


def every_step() -> range:
    """The steps of that run; some of them, in the short form."""
    fate = Fate()
    meet(fate)
    return range(1, fate.steps + 1, soaked(11, 1))


def test_a_batch_killed_at_each_of_its_steps() -> None:
    for step in every_step():
        meet(Fate(dies=step))


def test_a_batch_stopped_at_each_of_its_steps() -> None:
    for step in every_step():
        meet(Fate(stops=step))


def test_a_row_whose_job_id_is_taken_gets_another_one() -> None:
    """Two processes that begin in the same moment can draw the same."""
    machine = Batches()
    try:
        machine.begin(2)
        machine.run_all([machine.decide(Fate(), only={1})], 2)
        run = machine.decide(Fate(), only={2})
        with Journal.open(machine.folder / "state") as journal:
            run.entries[0].drawn_id = journal.recent()[0].id
        machine.run_all([run], 2)
        assert run.wire.accepted == 1
    finally:
        machine.teardown()


def test_a_cap_holds_for_what_is_decided_on_the_way() -> None:
    """Rows that changed while their jobs were under way are collected first, then made anew."""
    machine = Batches()
    try:
        machine.begin(4)
        machine.run_all([machine.decide(Fate(), waits=False)], 2)
        for place in range(4):
            machine.change(place, "")
        run = machine.decide(Fate(), cap=1.5 * PRICE)
        machine.run_all([run], 2)
        assert run.wire.accepted == 1
    finally:
        machine.teardown()
