"""A batch under way: every row to its end, or until there is reason to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kontext_cli.batch.decide import Rules, Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lane import Lane
from kontext_cli.batch.memory import Memory
from kontext_cli.batch.planner import Planner
from kontext_cli.engine.budget import Budget
from kontext_cli.engine.endings import elsewhere, for_job
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.plan import Plan
from kontext_cli.errors import (
    BadMedia,
    Bug,
    InputFault,
    Interrupted,
    JournalFault,
    KeyFault,
    KontextError,
    StorageFault,
    TooManyFailures,
    Unreachable,
)
from kontext_cli.files.delivery import file_delivery
from kontext_cli.files.saved import condition
from kontext_cli.job import ACCEPTED, Cost, Job, State, new_id
from kontext_cli.journal import Journal

DRAIN_SECONDS = 10.0
"""How long submits that are under way may take to be answered when a signal comes."""
_TRIES = 3

Take = Callable[[Job, tuple[str, str] | None], Awaitable[bool]]
Tell = Callable[[Job, Entry], None]
"""Told of each row as it ends."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch stops, and how long it waits: seconds for a job, failures for all of it."""

    timeout: float
    most_failures: int | None = None
    waits: bool = True
    """False: leave the jobs at the provider."""


class Batch:
    """Runs the planned rows of a batch, at one or several providers."""

    def __init__(
        self,
        planner: Planner,
        journal: Journal,
        memory: Memory,
        *,
        take: Take,
        rules: Rules,
        limits: Limits,
        budget: Budget,
        tell: Tell,
        spend: Callable[[Cost], None],
        stopping: Callable[[KontextError], None],
    ) -> None:
        """``take`` makes a row ours in the journal, False where another run was first. ``spend`` is
        told what each job comes to, ``stopping`` why no more are submitted."""
        self._planner = planner
        self._journal = journal
        self._memory = memory
        self._take = take
        self._rules = rules
        self._limits = limits
        self._budget = budget
        self._tell = tell
        self._spend = spend
        self._stopping = stopping
        self._lanes: dict[str, Lane] = {}
        self._engines: Mapping[str, Engine] = {}
        self._under_way: dict[asyncio.Task[None], Job | None] = {}
        self._failures = 0
        self._proven: set[Path] = set()
        self._lost: set[tuple[str, tuple[str, str] | None]] = set()
        self.stop: KontextError | None = None
        """Why no further jobs were submitted, None where all were."""

    async def run(self, lanes: Mapping[str, Lane], engines: Mapping[str, Engine]) -> None:
        """Do all rows of all providers, side by side."""
        self._lanes = dict(lanes)
        self._engines = engines
        if self.stop is not None:  # interrupted before anything began
            return
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*(lane.run(self._row) for lane in lanes.values()))

    def stop_submitting(self, why: KontextError) -> None:
        """Let no further submit out, at any provider; jobs in flight go on."""
        if not all(lane.closed for lane in self._lanes.values()):
            for lane in self._lanes.values():
                lane.close()
            self.note_stop(why)

    def note_stop(self, why: KontextError) -> None:
        """Tell why submits have ended, once."""
        if self.stop is None:
            self.stop = why
            self._stopping(why)

    def wind_down(self, why: KontextError) -> None:
        """End soon: wait for answers to submits under way, and leave the rest to another run."""
        for lane in self._lanes.values():
            lane.abandon()
        self.note_stop(why)
        for engine in self._engines.values():
            engine.end_submits()
        for task, job in self._under_way.items():
            if job is None or not self._engines[job.provider].is_being_sent(job):
                task.cancel()
        asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._cancel_all)

    def watch(self, job: Job) -> None:
        """Follow a job of ours."""
        self._lanes[job.provider].watch(job)
        if isinstance(self.stop, Interrupted) and job.state in ACCEPTED:
            for task, each in self._under_way.items():
                if each is job:
                    task.cancel()

    def _cancel_all(self) -> None:
        for task in self._under_way:
            task.cancel()

    async def _row(self, lane: Lane, entry: Entry) -> None:
        """One row to its end; whatever goes wrong with it stops no other by itself."""
        task = asyncio.ensure_future(self._carry(lane, entry))
        self._under_way[task] = None
        try:
            await task
        finally:
            del self._under_way[task]

    async def _carry(self, lane: Lane, entry: Entry) -> None:
        try:
            job = await self._do(lane, entry)
        except asyncio.CancelledError:
            self._cut_short(entry)
            raise
        except KontextError as error:
            job = self._not_begun(entry, error)
        except Exception as error:
            job = self._not_begun(entry, Bug.of(error))
        if job is not None:
            self._end(lane, entry, job)

    async def _do(self, lane: Lane, entry: Entry) -> Job | None:
        """What is to be done for a row; None where it goes back into the queue, or stays there."""
        if entry.step is Step.WAIT:
            self._planner.settle(entry, self._memory.row(entry.key), self._rules)
        if self._was_saved_meanwhile(entry):  # also while we looked again
            self._planner.settle(entry, self._memory.row(entry.key), self._rules)
        if entry.step in (Step.SKIP, Step.HOLD, Step.WAIT):
            return self._memory.job_of(entry, self._planner.job)
        if entry.step is Step.COLLECT:
            job = await self._collect(entry)
            if not self._must_be_made(entry, job):
                return None if self._again(lane, entry, job) else job
        return await self._make(self._lanes[entry.provider], entry)

    def _was_saved_meanwhile(self, entry: Entry) -> bool:
        """Whether the run that had a job was done with it, and gone, just after we looked."""
        if entry.step is not Step.COLLECT or entry.job_id is None:
            return False
        saved = entry.job_id, State.SAVED.value
        return entry.seen != saved and self._journal.find(entry.job_id).state is State.SAVED

    async def _collect(self, entry: Entry) -> Job:
        """Bring home a job of an earlier run, or of this one; one whose file is missing and whose
        links are dead stays as it was, and is to be made anew."""
        job = self._journal.find(entry.job_id or "")
        job.index = entry.row.index
        target = job.target
        if target is None or not (self._limits.waits or job.state is State.SAVED):
            job.error = None
            return job
        self._under_way[_this_task()] = job
        if not self._journal.claim(job):
            return elsewhere(job)
        files = job.files
        job.files = tuple(file for file in files if condition(file) != "missing")
        await self._engines[job.provider].fetch(
            job,
            file_delivery(target, self._proven),
            timeout=self._limits.timeout,
            keep_flagged=entry.keep_flagged or target.keep_flagged,
        )
        if job.state is State.EXPIRED and entry.reason == "file missing":
            job.state, job.files, job.error = State.SAVED, files, None
            self._journal.record(job)
            entry.step, entry.attempt = Step.MAKE, job.attempt + 1
            entry.seen = job.id, job.state.value
        return job

    def _must_be_made(self, entry: Entry, job: Job) -> bool:
        """Whether what was collected is not what the row wants now: gone, or another picture."""
        if entry.step is Step.COLLECT and job.state is State.SAVED and job.digest != entry.digest:
            _retire(job)
            self._planner.settle(entry, self._memory.row(entry.key), self._rules)
        return entry.step is Step.MAKE

    async def _make(self, lane: Lane, entry: Entry) -> Job | None:
        """Submit a new job for a row; None where the row stays planned or goes to the end."""
        try:
            return await self._submit(lane, entry) if await lane.may_submit() else None
        finally:
            lane.settled()

    async def _submit(self, lane: Lane, entry: Entry) -> Job | None:
        plan = await self._plan(entry)
        if lane.closed:
            return None
        job, draft, target = plan.job, plan.draft, plan.job.target
        if target is None:
            raise AssertionError("a job of a batch was planned without files")
        delivery = file_delivery(target, self._proven)
        if not self._budget.reserve(job.cost):
            self.stop_submitting(self._budget.exhausted())
            return None
        if not await self._take(job, entry.seen):
            self._budget.settle(job.cost, None)
            self._check_was_seen(entry)
            entry.step = Step.WAIT
            lane.again(entry)
            return None
        self._under_way[_this_task()] = job
        reserved = job.cost
        engine = self._engines[job.provider]
        if self._limits.waits:
            await engine.run(
                job,
                draft,
                delivery,
                timeout=self._limits.timeout,
                keep_flagged=target.keep_flagged,
            )
        else:
            await engine.submit(job, draft, timeout=self._limits.timeout)
        self._account(job, reserved)
        lane.submitted(job)
        return None if self._again(lane, entry, job) else job

    def _check_was_seen(self, entry: Entry) -> None:
        """Where a row was lost to what looks the same when we look again, we cannot read it."""
        lost = entry.key, entry.seen
        if lost in self._lost:
            raise JournalFault(
                "the journal has a job of this row that cannot be read, and may have been billed",
                hint="look at the provider's own list of requests, then `kontext forget` that job",
                billed="maybe",
            )
        self._lost.add(lost)

    async def _plan(self, entry: Entry) -> Plan:
        """The call of a row; reading images takes a thread."""
        if self._planner.has_images(entry.row):
            return await asyncio.to_thread(self._planner.plan, entry)
        return self._planner.plan(entry)

    def _account(self, job: Job, reserved: Cost) -> None:
        """Note what a submit came to: nothing where it was certainly not billed."""
        spent = None if job.error is not None and job.error.billed == "no" else job.cost
        self._budget.settle(reserved, spent)
        if spent is not None:
            self._spend(spent)

    def _again(self, lane: Lane, entry: Entry, job: Job) -> bool:
        """Whether a job that met a failure of the moment goes to the end of the queue."""
        if lane.closed or not isinstance(job.error, Unreachable | BadMedia):
            return False
        entry.tries += 1
        if entry.tries >= _TRIES:
            return False
        if job.state in ACCEPTED:
            entry.step, entry.job_id = Step.COLLECT, job.id
        elif job.request_id is None and job.error.billed == "no":
            entry.step, entry.attempt, entry.id = Step.MAKE, job.attempt + 1, new_id()
            entry.seen = job.id, job.state.value
        else:
            return False
        lane.again(entry)
        return True

    def _end(self, lane: Lane, entry: Entry, job: Job) -> None:
        """Tell how a row ended, and see whether the batch should."""
        error = job.error
        if isinstance(error, KeyFault):
            self._put_back(job)
            lane.stop(error)
        elif isinstance(error, Unreachable) and isinstance(self.stop, Interrupted):
            self._put_back(job)
        elif isinstance(error, StorageFault) and not isinstance(error, InputFault):
            self.stop_submitting(error)
        if job.state is State.SAVED and not job.skipped:
            _retire(job)
        self._tell(job, entry)
        if error is not None and entry.step not in (Step.HOLD, Step.WAIT):
            self._count_failure()

    def _put_back(self, job: Job) -> None:
        """A job that was refused for its key, or cut off by a signal, is still to be done."""
        if job.request_id is None and not job.outputs and job.state is State.FAILED:
            self._plan_again(job)

    def _plan_again(self, job: Job) -> None:
        job.state, job.finished_at = State.PLANNED, None
        with suppress(JournalFault):
            self._journal.record(job)

    def _count_failure(self) -> None:
        self._failures += 1
        most = self._limits.most_failures
        if most is not None and self._failures >= most:
            self.stop_submitting(
                TooManyFailures(f"{self._failures} failed, and no more than that were to be borne")
            )

    def _cut_short(self, entry: Entry) -> None:
        """Tell of a job that a signal interrupted; one that was not sent is planned again."""
        job = self._under_way[_this_task()]
        if job is None or job.state is State.PLANNED:
            return
        if job.state is State.CANCELED:
            self._plan_again(job)
            return
        if entry.step is Step.MAKE:
            self._spend(job.cost)
        if job.error is None and isinstance(self.stop, Interrupted):
            job.error = self.stop.replace(
                f"interrupted; the job goes on at {job.provider}",
                hint="run the batch again to collect it",
                billed="maybe",
            )
        self._tell(job, entry)

    def _not_begun(self, entry: Entry, error: KontextError) -> Job:
        job = self._under_way[_this_task()] or self._planner.job(entry)
        if entry.step is Step.COLLECT and error.billed == "no":
            error = error.replace(billed="maybe")  # it was submitted before
        job.error = for_job(error, job)
        if job.state is State.PLANNED:
            job.state = State.FAILED
        return job


def _retire(job: Job) -> None:
    """Remove what the row made before, where its new picture has another name."""
    now = {file.path for file in job.files}
    for file in job.target.replaces if job.target else ():
        if file.path not in now and condition(file) == "untouched":
            with suppress(OSError):
                file.path.unlink()


def _this_task() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    if task is None:
        raise AssertionError("a row is always done in a task")
    return task
