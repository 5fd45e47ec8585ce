"""The records of jobs in flight: tried again for as long as the journal cannot be written."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from kontext_cli.errors import JournalFault, RequestIdTaken
from kontext_cli.job import Job, State
from kontext_cli.outcome import by_request_id

Record = Callable[[Job], Awaitable[None]]
"""Writes a job as it is now into the journal, and has it on the disk before it returns."""

RECORD_AGAIN = 1.0
"""Seconds between attempts to record a job that the journal refused."""


class Recorder:
    """Keeps the journal of what an engine does. Nothing is sent without a record; what is paid for
    goes on without one."""

    def __init__(self, record: Record, notice: Callable[[str], None]) -> None:
        """``notice`` is told what the journal refused."""
        self._record = record
        self._notice = notice
        self._missing: dict[str, asyncio.Task[None]] = {}
        self._left: set[str] = set()

    def leave(self, job: Job) -> None:
        """Write nothing of a job, because the run that owns it does."""
        self._left.add(job.id)

    def lacks(self, job: Job) -> bool:
        """Whether the journal does not have a job as it is now."""
        return job.id in self._missing

    async def keep(self, job: Job) -> None:
        """Record a job. Raises JournalFault where it is about to be sent, or has the request id of
        another job; else it is tried again in the background, and the command that fetches the job
        without a record is printed."""
        is_sent = job.state is not State.SUBMITTING
        if job.id in self._left or (is_sent and self.lacks(job)):
            return
        try:
            await self._record(job)
        except JournalFault as fault:
            if not is_sent or isinstance(fault, RequestIdTaken):
                raise
            self._missing[job.id] = asyncio.ensure_future(self._again(job))
            self._notice(fault.message)
            if job.request_id:
                self._notice(
                    f"job {job.id} goes on, but the journal does not have it as it is now; if this"
                    f" run is killed: {by_request_id(job)}"
                )

    async def settle(self, job: Job) -> bool:
        """Try a last time where a record is missing; False where it still is."""
        again = self._missing.get(job.id)
        if again is None:
            return True
        again.cancel()
        try:
            await self._record(job)
        except JournalFault as fault:
            self._notice(f"job {job.id} is {job.state}, but not in the journal: {fault.message}")
            return False
        self._missing.pop(job.id, None)
        return True

    async def _again(self, job: Job) -> None:
        """Try until the journal takes a job as it is then."""
        while self.lacks(job):
            await asyncio.sleep(RECORD_AGAIN)
            with suppress(JournalFault):
                await self._record(job)
                del self._missing[job.id]
        await self.keep(job)  # it may have changed meanwhile
