"""Runs the planned rows of a batch until all have ended, or there is a reason to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.failover import Failover
from kontext_cli.batch.in_flight import InFlight
from kontext_cli.batch.lane import Lane
from kontext_cli.batch.limits import Limits
from kontext_cli.batch.memory import Memory
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.pool import Server
from kontext_cli.engine.budget import Budget
from kontext_cli.engine.endings import elsewhere, for_job, out_of_reach, was_not_taken
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.plan import Plan
from kontext_cli.errors import (
    BadMedia,
    BudgetFault,
    Bug,
    InputFault,
    Interrupted,
    JobIdTaken,
    JournalFault,
    KeyFault,
    KontextError,
    StorageFault,
    TooManyFailures,
    Unreachable,
)
from kontext_cli.files.delivery import Delivery, remove_replaced
from kontext_cli.files.origin import moved_here
from kontext_cli.files.saved import condition
from kontext_cli.job import ACCEPTED, Cost, Job, State, Target
from kontext_cli.journal import Journal
from kontext_cli.journal.writer import patiently

DRAIN_SECONDS = 10.0
"""How long to wait after a signal for responses to submits that are being sent."""
_MOST_TRIES = 3

Claim = Callable[[Job, tuple[str, str] | None], Awaitable[bool]]
ReportRow = Callable[[Job, Entry], None]


class Batch:
    """Runs the planned rows of a batch, at one or several providers."""

    def __init__(
        self,
        planner: Planner,
        journal: Journal,
        memory: Memory,
        *,
        claim: Claim,
        delivery: Callable[[Target], Delivery],
        limits: Limits,
        budget: Budget,
        report: ReportRow,
        spend: Callable[[Cost], None],
        on_stop: Callable[[KontextError], None],
        notice: Callable[[str], None],
    ) -> None:
        """``claim`` makes a row ours in the journal, False if another run was first. ``delivery``
        raises OutputFault where a job's files cannot be written. ``report`` is called with each row
        that ends, ``spend`` with the cost of each job, ``on_stop`` once, when no more jobs are
        submitted, and ``notice`` when rows go to another provider."""
        self._planner = planner
        self._journal = journal
        self._memory = memory
        self._claim = claim
        self._delivery = delivery
        self._limits = limits
        self._budget = budget
        self._report = report
        self._spend = spend
        self._on_stop = on_stop
        self._lanes: dict[str, Lane] = {}
        self._failover = Failover(self._lanes, notice, stop=self.set_stop)
        self._engines: Mapping[Server, Engine] = {}
        self._in_flight: dict[asyncio.Task[None], InFlight] = {}
        self._failures = 0
        self.stop: KontextError | None = None
        """Why no further jobs were submitted; None if all were."""

    async def run(self, lanes: Mapping[str, Lane], engines: Mapping[Server, Engine]) -> None:
        """Run the rows of all providers concurrently; ``engines`` are those of the servers that
        can be used."""
        self._lanes.update(lanes)
        self._engines = engines
        if self.stop is not None:  # interrupted before anything began
            return
        with suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as group:
                for lane in lanes.values():
                    lane.start(group, self._run_row)

    def stop_submitting(self, why: KontextError) -> None:
        """Submit nothing more, at any provider; jobs in flight continue."""
        if not all(lane.closed for lane in self._lanes.values()):
            for lane in self._lanes.values():
                lane.close()
            self.set_stop(why)

    def stop_provider(self, name: str, why: KontextError) -> None:
        """Submit nothing more to one provider; the batch stops if that leaves rows without one."""
        self._failover.close(self._lanes[name], why)

    def set_stop(self, why: KontextError) -> None:
        """Store and report why nothing more is submitted; only the first reason counts."""
        self._failover.ended = True
        if self.stop is None:
            self.stop = why
            self._on_stop(why)

    def interrupt(self, why: KontextError) -> None:
        """End soon: wait only for responses to submits that are being sent."""
        for lane in self._lanes.values():
            lane.clear()
        self.set_stop(why)
        for engine in self._engines.values():
            engine.submit_once()
        for task, row in self._in_flight.items():
            if not any(row.job and each.is_being_sent(row.job) for each in self._engines.values()):
                task.cancel()
        asyncio.get_running_loop().call_later(DRAIN_SECONDS, self._cancel_all)

    def watch(self, job: Job) -> None:
        """To be called when a job of this run has changed."""
        self._lanes[job.provider].watch(job)
        if isinstance(self.stop, Interrupted) and job.state in ACCEPTED:
            for task, row in self._in_flight.items():
                if row.job is job:
                    task.cancel()

    def _cancel_all(self) -> None:
        for task in self._in_flight:
            task.cancel()

    async def _run_row(self, lane: Lane, entry: Entry) -> None:
        """Run one row; an error in it does not stop the others."""
        row = InFlight(entry, lane)
        task = asyncio.ensure_future(self._run_and_report(row))
        self._in_flight[task] = row
        try:
            await task
        finally:
            del self._in_flight[task]

    async def _run_and_report(self, row: InFlight) -> None:
        try:
            job = await patiently(partial(self._job, row), self._limits.timeout)
        except asyncio.CancelledError:
            self._report_interrupted(row)
            raise
        except BudgetFault as fault:  # spent by other machines: the row stays planned
            self.stop_submitting(fault)
            return
        except KontextError as error:
            job = self._failed(row, error)
        except Exception as error:
            job = self._failed(row, Bug.of(error))
        if job is not None:
            self._end(row, job)

    async def _job(self, row: InFlight) -> Job | None:
        """Do what is to be done for a row; None if it is queued again, or stays planned."""
        entry = row.entry
        if entry.step is Step.WAIT:
            self._decide(entry)
        if self._was_saved_meanwhile(entry):  # also while we looked again
            self._decide(entry)
        if entry.step in (Step.SKIP, Step.HOLD, Step.WAIT):
            return self._memory.job_of(entry)
        if entry.step is Step.COLLECT:
            job = await self._collect(row)
            if not self._must_be_made(entry, job):
                return None if self._requeue(row, job) else job
        row.lane = self._lanes[entry.provider]
        server: Server | None = None
        try:
            server = await row.lane.server()
            if server is not None:
                return await self._submit(row, server)
            self._failover.leave(row.lane, entry)
            return None
        finally:
            row.lane.release(server)

    def _decide(self, entry: Entry) -> None:
        """Decide about a row again, by what is known of it now."""
        self._planner.decide(entry, self._memory.known(entry))

    def _was_saved_meanwhile(self, entry: Entry) -> bool:
        """Whether another run saved the job and exited just after the row was looked up."""
        if entry.step is not Step.COLLECT or entry.job_id is None:
            return False
        saved = entry.job_id, State.SAVED.value
        return entry.seen != saved and self._journal.find(entry.job_id).state is State.SAVED

    async def _collect(self, row: InFlight) -> Job:
        """Download the images of a job that was submitted before.

        Where a saved file is missing and its links expired, the job stays; its row is made anew.
        """
        entry = row.entry
        job = self._journal.find(entry.job_id or "")
        job.index = entry.row.index
        if job.target is None or not (self._limits.waits or job.state is State.SAVED):
            job.error = None
            return job
        job.target = target = moved_here(job.target, self._journal.origin)
        row.job = job
        server = self._server_of(job)
        if server is None:
            return out_of_reach(job)
        if not self._journal.claim(job):
            return elsewhere(job)
        files = job.files
        job.files = tuple(file for file in files if condition(file) != "missing")
        with server.visit():
            await self._engines[server].fetch(
                job,
                self._delivery(target),
                timeout=self._limits.timeout,
                keep_flagged=entry.keep_flagged or target.keep_flagged,
            )
        if job.state is State.EXPIRED and entry.reason == "file missing":
            job.state, job.files, job.error = State.SAVED, files, None
            self._journal.record(job)
            entry.step, entry.attempt = Step.MAKE, job.attempt + 1
            entry.seen = job.id, job.state.value
        return job

    def _server_of(self, job: Job) -> Server | None:
        """The server of a submitted job; None if this run does not use its provider."""
        lane = self._lanes.get(job.provider)
        server = lane.pool.find(job.server) if lane else None
        return server if server in self._engines else None

    def _must_be_made(self, entry: Entry, job: Job) -> bool:
        """Whether a job is not what the row asks for now: not accepted, gone, or another image."""
        if entry.step is Step.COLLECT and job.state is State.SAVED and job.digest != entry.digest:
            _remove_replaced(job)
            self._decide(entry)
        if entry.step is Step.COLLECT and was_not_taken(job):
            self._decide(entry)
        return entry.step is Step.MAKE

    async def _submit(self, row: InFlight, server: Server) -> Job | None:
        """Submit a new job for a row; None if the row is queued again, or stays planned."""
        entry, lane = row.entry, row.lane
        plan = await self._plan(entry)
        if lane.closed:
            self._failover.leave(lane, entry)
            return None
        job, draft, target = plan.job, plan.draft.at(server.provider), plan.job.target
        if target is None:
            raise AssertionError("a job of a batch was planned without files")
        delivery = self._delivery(target)
        if not self._budget.reserve(job.cost):
            self.stop_submitting(self._budget.exhausted())
            return None
        try:
            is_ours = await self._claim(job, entry.seen)
        except JobIdTaken:
            self._budget.settle(job.cost, None)
            entry.drawn_id = None
            lane.requeue(entry)
            return None
        if not is_ours:
            self._budget.settle(job.cost, None)
            self._memory.check_is_readable(entry)
            entry.step = Step.WAIT
            lane.requeue(entry)
            return None
        row.job, reserved = job, job.cost
        engine, timeout = self._engines[server], self._limits.timeout
        if self._limits.waits:
            keep_flagged = target.keep_flagged
            await engine.run(job, draft, delivery, timeout=timeout, keep_flagged=keep_flagged)
        else:
            await engine.submit(job, draft, timeout=timeout)
        self._account(job, reserved)
        lane.submitted(job, server)
        if lane.tries_again(entry, job, server):
            return None
        if was_not_taken(job) and self._failover.pass_on(entry, job.error):
            entry.attempt, entry.seen = job.attempt + 1, (job.id, job.state.value)
            if isinstance(job.error, KeyFault):
                lane.stop(job.error)
            return None
        return None if self._requeue(row, job) else job

    async def _plan(self, entry: Entry) -> Plan:
        """The job and the call of a row; images are read in a thread."""
        if entry.request.images:
            return await asyncio.to_thread(self._planner.plan, entry)
        return self._planner.plan(entry)

    def _account(self, job: Job, reserved: Cost) -> None:
        """Add the cost of a submit: nothing if it was certainly not billed."""
        spent = None if job.error is not None and job.error.billed == "no" else job.cost
        self._budget.settle(reserved, spent)
        if spent is not None:
            self._spend(spent)

    def _requeue(self, row: InFlight, job: Job) -> bool:
        """Queue a row again after a temporary failure; False if it has ended."""
        entry = row.entry
        if row.lane.closed or not isinstance(job.error, Unreachable | BadMedia):
            return False
        entry.tries += 1
        if entry.tries >= _MOST_TRIES:
            return False
        if job.state in ACCEPTED:
            entry.step, entry.job_id = Step.COLLECT, job.id
        elif job.request_id is None and job.error.billed == "no":
            entry.again(job)
        else:
            return False
        row.lane.requeue(entry)
        return True

    def _end(self, row: InFlight, job: Job) -> None:
        """Report the end of a row, and stop the batch if its error concerns other rows."""
        error = job.error
        if isinstance(error, KeyFault):
            self._replan(job)
            self._lanes.get(job.provider, row.lane).stop(error)
            if row.entry.step is not Step.COLLECT:  # others may go to their next provider
                self.set_stop(error)
        elif isinstance(error, Unreachable) and self._is_over(row.lane):
            self._replan(job)
        elif isinstance(error, StorageFault) and not isinstance(error, InputFault):
            self.stop_submitting(error)
        if job.state is State.SAVED and not job.skipped:
            _remove_replaced(job)
        self._report(job, row.entry)
        if error is not None and row.entry.step not in (Step.HOLD, Step.WAIT):
            self._count_failure()

    def _is_over(self, lane: Lane) -> bool:
        """Whether rows that were not accepted are for the next run: after a signal, or when all
        servers of a pool are down."""
        return isinstance(self.stop, Interrupted) or (not lane.pool.is_one and lane.pool.is_down)

    def _replan(self, job: Job) -> None:
        """Set a job to planned again that was not accepted."""
        if job.request_id is None and not job.outputs and job.state is State.FAILED:
            self._set_planned(job)

    def _set_planned(self, job: Job) -> None:
        job.state, job.finished_at = State.PLANNED, None
        with suppress(JournalFault):
            self._journal.record(job)

    def _count_failure(self) -> None:
        self._failures += 1
        most = self._limits.most_failures
        if most is not None and self._failures >= most:
            failed = "1 job failed" if self._failures == 1 else f"{self._failures} jobs failed"
            self.stop_submitting(TooManyFailures(f"{failed}, which is the limit"))

    def _report_interrupted(self, row: InFlight) -> None:
        """Report a job that a signal interrupted; one that was not sent is planned again."""
        job = row.job
        if job is None or job.state is State.PLANNED:
            return
        if job.state is State.CANCELED:
            self._set_planned(job)
            return
        if row.entry.step is Step.MAKE:
            self._spend(job.cost)
        if job.error is None and isinstance(self.stop, Interrupted):
            job.error = self.stop.replace(
                f"interrupted; the job continues at {job.provider}",
                hint="run the batch again to download its image",
                billed="maybe",
            )
        self._report(job, row.entry)

    def _failed(self, row: InFlight, error: KontextError) -> Job:
        """The job of a row that ended with an error outside of its request."""
        job = row.job or self._planner.job(row.entry)
        if row.entry.step is Step.COLLECT and error.billed == "no":
            error = error.replace(billed="maybe")  # it was submitted by an earlier run
        job.error = for_job(error, job)
        if job.state is State.PLANNED:
            job.state = State.FAILED
        return job


def _remove_replaced(job: Job) -> None:
    """Remove the earlier images of the row, unless the new ones have the same names."""
    remove_replaced(job.target.replaces if job.target else (), job.files)
