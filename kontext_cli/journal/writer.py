"""Group commits: writes that arrive while a commit is under way share the next one."""

import asyncio

from kontext_cli.errors import JournalFault
from kontext_cli.job import Job
from kontext_cli.journal.journal import Journal, Seen, Write


class Scribe:
    """Writes jobs in flight to the journal, off the event loop."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: list[tuple[Write, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Wait until all pending writes are on the disk, or failed."""
        if self._writing is not None:
            await self._writing

    async def record(self, job: Job) -> None:
        """Write a job as it is now to the disk. Raises JournalFault."""
        await self._write(self._journal.recording(job))

    async def take(self, job: Job, seen: Seen) -> bool:
        """Make the next attempt at a row of a batch ours; False where another run was first, or
        the one before is no longer as it was ``seen``. Raises JournalFault.
        """
        return await self._write(self._journal.taking(job, seen))

    async def _write(self, write: Write) -> bool:
        written: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((write, written))
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write_all())
        return await written

    async def _write_all(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            writes = [write for write, _ in waiting]
            try:
                results = await asyncio.to_thread(self._journal.write, writes)
            except Exception as error:
                _fail(waiting, error)
                continue
            for (_, written), result in zip(waiting, results, strict=True):
                if written.done():
                    continue
                if isinstance(result, JournalFault):
                    written.set_exception(result)
                else:
                    written.set_result(result)
        self._writing = None


def _fail(waiting: list[tuple[Write, asyncio.Future[bool]]], error: Exception) -> None:
    for _, written in waiting:
        if not written.done():
            written.set_exception(error)
