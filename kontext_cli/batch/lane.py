"""The rows of a batch at one provider: one limit, and downloads before new submits."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.pool import Pool, Server
from kontext_cli.errors import (
    JobFailed,
    KeyFault,
    KontextError,
    OutcomeUnknown,
    TooManyFailures,
    Unreachable,
)
from kontext_cli.job import ACCEPTED, Job, State

_MOST_IDENTICAL = 5
"""Identical refusals, without a success, after which the request itself is considered wrong."""
_PROVEN = ACCEPTED | {State.SAVED}

Work = Callable[["Lane", Entry], Awaitable[None]]


class Lane:
    """The queue of one provider: rows to collect, then to make, then those of another run.

    No more are in flight than its servers allow. The first submit is sent alone, so that a rejected
    key costs one request; in a pool it is the first at each server. A lane is closed when more
    submits would fail.
    """

    def __init__(
        self,
        entries: Sequence[Entry],
        pool: Pool,
        *,
        stop: Callable[[KontextError], None],
        notice: Callable[[str], None] = lambda _text: None,
    ) -> None:
        """``stop`` is called with the reason when more submits would fail, and ``notice`` when a
        row goes to another server."""
        self.pool = pool
        self._notice = notice
        self.passes_on = any(entry.shared.then for entry in entries)
        """Whether rows that it cannot submit have another provider."""
        self._group: asyncio.TaskGroup | None = None
        self._work: Work | None = None
        self._workers = 0
        self.closed = False
        """Nothing more is submitted; jobs in flight are still downloaded."""
        self.stopped_by: KontextError | None = None
        """Why more submits would fail, if that closed it."""
        self._stop = stop
        by_step = {step: [each for each in entries if each.step is step] for step in Step}
        self._collects = deque(by_step[Step.COLLECT])
        self._makes = deque(by_step[Step.MAKE])
        self._later = deque(by_step[Step.WAIT])
        self._proven = not pool.is_one
        self._probe: asyncio.Event | None = None
        self._prober: asyncio.Task[Any] | None = None
        self._succeeded = 0
        self._refusals: Counter[str] = Counter()

    def start(self, group: asyncio.TaskGroup, work: Work) -> None:
        """Do the work for every entry, concurrently, by tasks of a group."""
        self._group, self._work = group, work
        count = len(self._collects) + len(self._makes) + len(self._later)
        for _ in range(min(count, self.pool.most)):
            self._add_worker()

    def requeue(self, entry: Entry) -> None:
        """Put an entry at the end of its queue, from a task of the group."""
        {Step.COLLECT: self._collects, Step.MAKE: self._makes}.get(entry.step, self._later).append(
            entry
        )
        self.passes_on = self.passes_on or entry.shared.then is not None
        if self._workers < self.pool.most:
            self._add_worker()

    def take_makes(self) -> list[Entry]:
        """Remove the entries that wait to be made."""
        waiting = [*self._makes]
        self._makes.clear()
        return waiting

    async def server(self) -> Server | None:
        """Wait for a server that a job may be submitted to; None if the lane is closed.

        Until one was accepted, they are sent one at a time.
        """
        while not self._proven and self._probe is not None:
            await self._probe.wait()
        if not self._proven and not self.closed:
            self._probe, self._prober = asyncio.Event(), asyncio.current_task()
        return await self.pool.enter()

    def release(self, server: Server | None) -> None:
        """To be called when the row of this task has ended, whether it was submitted or not."""
        if server is not None:
            server.leave()
        if self._prober is asyncio.current_task():
            self._end_probe(proven=self._proven)

    def watch(self, job: Job) -> None:
        """To be called when a job has changed: once the first submit is accepted, others follow."""
        if job.state not in _PROVEN:
            return
        if self._prober is asyncio.current_task():
            self._end_probe(proven=True)
        server = self.pool.find(job.server)
        if not server.is_proven and not server.is_away:
            server.accepted()

    def submitted(self, job: Job, server: Server) -> None:
        """To be called when a job that was submitted to a server has ended."""
        error = job.error
        answered = job.request_id is not None or not isinstance(error, KeyFault | Unreachable)
        self._end_probe(proven=answered)
        if error is None:
            self._succeeded += 1
        if error is not None and self._is_trouble(job, error, server):
            server.failed(error)
            if self.pool.is_down:
                self.stop(self.pool.trouble())
            return
        if answered:
            server.accepted()
            server.pace.succeeded()
        if isinstance(error, JobFailed) and error.status is not None and error.status < 500:
            self._count_refusal(error)

    def _is_trouble(self, job: Job, error: KontextError, server: Server) -> bool:
        """Whether a job says of its server that it takes none. In a pool, one that loses jobs does,
        and one whose first answer is a refusal: others may be right where it is wrong."""
        if job.request_id is not None or job.outputs:
            return False
        if self.pool.is_one or isinstance(error, Unreachable):
            return isinstance(error, Unreachable)
        is_refusal = isinstance(error, JobFailed | KeyFault) and error.billed == "no"
        return isinstance(error, OutcomeUnknown) or (is_refusal and not server.is_proven)

    def tries_again(self, entry: Entry, job: Job, server: Server) -> bool:
        """Queue a row again that a server of a pool certainly did not accept, unless all of them
        refuse it."""
        error = job.error
        if self.pool.is_one or self.closed or error is None or server.trouble is not error:
            return False
        if error.billed != "no":
            return False
        if not isinstance(error, Unreachable):
            server.refused.add(entry.key)
            if all(entry.key in each.refused for each in self.pool.servers):
                return False
        if not server.is_told:
            server.is_told = True
            self._notice(f"{error.message}; trying another server")
        entry.again(job)
        self.requeue(entry)
        return True

    def _count_refusal(self, error: JobFailed) -> None:
        self._refusals[error.message] += 1
        if not self._succeeded and self._refusals[error.message] >= _MOST_IDENTICAL:
            self.stop(
                TooManyFailures(
                    f"{_MOST_IDENTICAL} identical refusals and no success: {error.message}",
                    hint="fix what all rows have in common, and run it again",
                    exit_code=error.exit_code,
                )
            )

    def stop(self, why: KontextError) -> None:
        """Close the lane, and report why."""
        if not self.closed:
            self.stopped_by = why
            self.close()
            self._stop(why)

    def close(self) -> None:
        """Submit nothing more."""
        self.closed = True
        self.pool.close()
        self._end_probe(proven=self._proven)

    def clear(self) -> None:
        """Start nothing more, not even downloads."""
        self.close()
        for queue in (self._collects, self._makes, self._later):
            queue.clear()

    def _add_worker(self) -> None:
        if self._group is not None and self._work is not None:
            self._workers += 1
            self._group.create_task(self._work_off(self._work))

    async def _work_off(self, work: Work) -> None:
        try:
            while entry := self._next():
                await work(self, entry)
        finally:
            self._workers -= 1

    def _next(self) -> Entry | None:
        """The next entry: downloads first, because links expire."""
        for queue in (self._collects, self._makes, self._later):
            if queue and not (self.closed and queue is self._makes):
                return queue.popleft()
        return None

    def _end_probe(self, *, proven: bool) -> None:
        self._proven = self._proven or proven
        if self._probe is not None:
            self._probe.set()
            self._probe = self._prober = None
