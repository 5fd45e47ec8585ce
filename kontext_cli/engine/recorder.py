"""Record jobs in flight, with retries for as long as the journal cannot be written."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kontext_cli.engine.endings import by_request_id, unrecorded
from kontext_cli.errors import JournalFault, RequestIdTaken
from kontext_cli.job import Job, State
from kontext_cli.journal.faults import Away
from kontext_cli.journal.writer import patiently, seconds_left

Record = Callable[[Job], Awaitable[None]]
"""Writes the current state of a job to the journal; returns when it is on the disk."""

RECORD_AGAIN = 1.0
"""Seconds between attempts to record a job that the journal refused."""


class Recorder:
    """Records an engine's jobs in the journal. No job is submitted without a record; one that is
    paid for continues without."""

    def __init__(self, record: Record, notice: Callable[[str], None]) -> None:
        """``notice`` receives a warning for each record that failed."""
        self._record = record
        self._notice = notice
        self._missing: dict[str, asyncio.Task[None]] = {}
        self._left: set[str] = set()
        self._unsent: set[str] = set()
        self._holders: dict[str, str] = {}
        self._taken: dict[str, RequestIdTaken] = {}

    def leave(self, job: Job) -> None:
        """Do not record a job, because the process that owns it does."""
        self._left.add(job.id)

    def lacks(self, job: Job) -> bool:
        """Whether the journal lacks the current state of a job."""
        return job.id in self._missing

    async def keep(self, job: Job) -> None:
        """Record a job; a job that was sent already is retried in the background.

        Then the command that fetches the job without a record is printed. Raises JournalFault for
        a job that is about to be sent, and RequestIdTaken for one with the request id of another
        job, which a later call may be the first to find out.
        """
        if job.id in self._taken:
            raise self._taken.pop(job.id)
        is_sent = job.state is not State.SUBMITTING
        if job.id in self._left:
            return
        if job.id in self._unsent and is_sent:  # it failed, and nothing is lost with that
            with suppress(JournalFault):
                await self._record(job)
            return
        if is_sent and self.lacks(job):
            if job.state is State.READY:  # no image of another job is downloaded
                await self._try_again_now(job)
            return
        try:
            await self._record(job)
        except asyncio.CancelledError:  # the journal does not answer
            if job.request_id and job.request_id not in self._holders:
                self._notice(
                    f"job {job.id} continues, but its request id may not be in the journal: "
                    f"{by_request_id(job)}"
                )
            raise
        except JournalFault as fault:
            if not is_sent:
                self._unsent.add(job.id)
                raise
            if isinstance(fault, RequestIdTaken):
                raise
            self._check_request_id(job)
            self._missing[job.id] = asyncio.ensure_future(self._again(job))
            self._notice(fault.message)
            if job.request_id:
                self._notice(
                    f"job {job.id} continues, but its request id is not in the journal yet; if "
                    f"this run is killed: {by_request_id(job)}"
                )
        else:
            self._unsent.discard(job.id)
            self._hold_request_id(job)

    async def settle(self, job: Job) -> bool:
        """Retry a missing record a last time; False if it failed again.

        A database that is away is waited for until the `--timeout` of the job, unless its task is
        being canceled; then that is the error of a job that has no other.
        """
        again = self._missing.get(job.id)
        if again is None:
            return True
        again.cancel()
        try:
            seconds = 0.0 if _is_being_canceled() else seconds_left(job)
            await patiently(lambda: self._record(job), seconds)
        except JournalFault as fault:
            if isinstance(fault, Away) and job.error is None:
                job.error = unrecorded(job, fault)
            else:
                why = fault.message
                self._notice(f"job {job.id} is {job.state}, but not in the journal: {why}")
            return False
        except asyncio.CancelledError:
            self._notice(f"job {job.id} is {job.state}, but not in the journal")
            raise
        self._missing.pop(job.id, None)
        return True

    async def _again(self, job: Job) -> None:
        """Retry until the job is recorded, or turns out to have the request id of another job."""
        while self.lacks(job):
            await asyncio.sleep(RECORD_AGAIN)
            try:
                await self._try_again(job)
            except RequestIdTaken as taken:
                self._taken[job.id] = taken
                return
        await self.keep(job)  # it may have changed meanwhile

    async def _try_again_now(self, job: Job) -> None:
        """Try while the background may be trying as well: only one of them raises."""
        try:
            await self._try_again(job)
        except RequestIdTaken:
            self._taken.pop(job.id, None)
            raise

    async def _try_again(self, job: Job) -> None:
        """Retry a missing record once. Raises RequestIdTaken."""
        try:
            await self._record(job)
        except RequestIdTaken:
            self._lacks_no_longer(job)
            raise
        except JournalFault:
            return
        self._lacks_no_longer(job)

    def _lacks_no_longer(self, job: Job) -> None:
        again = self._missing.pop(job.id, None)
        if again is not None and again is not asyncio.current_task():
            again.cancel()

    def _check_request_id(self, job: Job) -> None:
        """Without the journal, check for the request id among the jobs of this process."""
        if (holder := self._hold_request_id(job)) != job.id:
            raise RequestIdTaken(f"job {holder} has the request id already")

    def _hold_request_id(self, job: Job) -> str:
        """The first job that had the request id of this one."""
        return self._holders.setdefault(job.request_id, job.id) if job.request_id else job.id


def _is_being_canceled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
