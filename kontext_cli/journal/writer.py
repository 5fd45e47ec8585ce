"""Group commits: writes that arrive while a commit is under way share the next one."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from kontext_cli.errors import JournalFault
from kontext_cli.job import Job, State
from kontext_cli.journal.faults import Away
from kontext_cli.journal.journal import Journal
from kontext_cli.journal.write import Seen, Write

T = TypeVar("T")

TRY_AGAIN = 1.0
"""Seconds between attempts while the database is away."""
_PATIENCE = 600.0
"""Seconds for which they go on: the default of `--timeout`."""


async def patiently(attempt: Callable[[], Awaitable[T]], seconds: float = _PATIENCE) -> T:
    """Do something again that needs the journal, while its database is away.

    Raises Away if it is so for longer.
    """
    ends_at = time.monotonic() + seconds
    while True:
        try:
            return await attempt()
        except Away:
            if time.monotonic() >= ends_at:
                raise
        await asyncio.sleep(TRY_AGAIN)


class Scribe:
    """Writes jobs in flight to the journal, off the event loop."""

    def __init__(
        self, journal: Journal, notice: Callable[[str], None] = lambda _text: None
    ) -> None:
        """``notice`` is called where jobs wait for a database that is away."""
        self._journal = journal
        self._notice = notice
        self._is_away = False
        self._waiting: list[tuple[Write, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settle(self) -> None:
        """Wait until all pending writes are on the disk, or failed."""
        if self._writing is not None:
            await self._writing

    async def record(self, job: Job) -> None:
        """Write a job as it is now to the disk. Raises JournalFault.

        One that is about to be sent waits for a database that is away, for as long as it may be
        waited for. One that was sent does not.
        """
        write = self._journal.recording(job)
        if job.state is State.SUBMITTING:
            await self._write_patiently(write, seconds_left(job))
        else:
            await self._write(write)

    async def take(
        self, job: Job, seen: Seen, *, seconds: float = _PATIENCE, limit: float | None = None
    ) -> bool:
        """Make the next attempt at a row of a batch ours; False where another run was first, or
        the one before is no longer as it was ``seen``. Raises JournalFault.

        Waits that long for a database that is away. ``limit`` is that of `Journal.taking`, with its
        BudgetFault.
        """
        return await self._write_patiently(self._journal.taking(job, seen, limit=limit), seconds)

    async def _write_patiently(self, write: Write, seconds: float) -> bool:
        async def attempt() -> bool:
            try:
                written = await self._write(write)
            except Away as fault:
                if not self._is_away:
                    self._notice(f"{fault.message}; nothing is submitted until it is back")
                self._is_away = True
                raise
            if self._is_away:
                self._notice("the journal can be written again")
            self._is_away = False
            return written

        return await patiently(attempt, seconds)

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


def seconds_left(job: Job) -> float:
    """How long a job may still be waited for, by its `--timeout`."""
    if job.answer_by is None:
        return 0.0
    return (job.answer_by - datetime.now(UTC)).total_seconds()
