"""The rows of a batch at one provider: one limit, and downloads before new submits."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from kontext_cli.batch.decide import Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.pace import Pace
from kontext_cli.errors import (
    JobFailed,
    KeyFault,
    KontextError,
    TooManyFailures,
    Unreachable,
)
from kontext_cli.job import ACCEPTED, Job, State

_MOST_IDENTICAL = 5
"""Identical refusals, without a success, after which the request itself is considered wrong."""
_MOST_UNREACHED = 5
"""Consecutive submits without a connection, beyond those in flight, after which the provider is
considered down."""
_PROVEN = ACCEPTED | {State.SAVED}

Work = Callable[["Lane", Entry], Awaitable[None]]


class Lane:
    """The queue of one provider: rows to collect, then to make, then those of another run.

    No more are in flight than its pace allows. The first submit is sent alone, so that a rejected
    key costs one request. A lane is closed when more submits would fail.
    """

    def __init__(
        self, entries: Sequence[Entry], pace: Pace, *, stop: Callable[[KontextError], None]
    ) -> None:
        """``stop`` is called with the reason when more submits would fail."""
        self.pace = pace
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
        self._proven = False
        self._probe: asyncio.Event | None = None
        self._prober: asyncio.Task[Any] | None = None
        self._shut = asyncio.Event()
        self._succeeded = 0
        self._refusals: Counter[str] = Counter()
        self._unreached = 0

    def start(self, group: asyncio.TaskGroup, work: Work) -> None:
        """Do the work for every entry, concurrently, by tasks of a group."""
        self._group, self._work = group, work
        count = len(self._collects) + len(self._makes) + len(self._later)
        for _ in range(min(count, self.pace.most)):
            self._add_worker()

    def requeue(self, entry: Entry) -> None:
        """Put an entry at the end of its queue, from a task of the group."""
        {Step.COLLECT: self._collects, Step.MAKE: self._makes}.get(entry.step, self._later).append(
            entry
        )
        self.passes_on = self.passes_on or entry.shared.then is not None
        if self._workers < self.pace.most:
            self._add_worker()

    def take_makes(self) -> list[Entry]:
        """Remove the entries that wait to be made."""
        waiting = [*self._makes]
        self._makes.clear()
        return waiting

    async def may_submit(self) -> bool:
        """Wait until a submit may be sent; False if the lane is closed.

        Until one was accepted, they are sent one at a time.
        """
        while not self._proven and self._probe is not None:
            await self._probe.wait()
        if not self._proven and not self.closed:
            self._probe, self._prober = asyncio.Event(), asyncio.current_task()
        while not self.closed and (wait := self.pace.wait):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._shut.wait(), wait)
        return not self.closed

    def release(self) -> None:
        """To be called when the row of this task has ended, whether it was submitted or not."""
        if self._prober is asyncio.current_task():
            self._end_probe(proven=self._proven)

    def watch(self, job: Job) -> None:
        """To be called when a job has changed: once the first submit is accepted, others follow."""
        if self._prober is asyncio.current_task() and job.state in _PROVEN:
            self._end_probe(proven=True)

    def submitted(self, job: Job) -> None:
        """To be called when a submitted job has ended."""
        error = job.error
        answered = job.request_id is not None or not isinstance(error, KeyFault | Unreachable)
        self._end_probe(proven=answered)
        if error is None:
            self._succeeded += 1
        if answered:
            self._unreached = 0
            self.pace.succeeded()
        elif isinstance(error, Unreachable):
            self._count_unreached(error)
        if isinstance(error, JobFailed) and error.status is not None and error.status < 500:
            self._count_refusal(error)

    def _count_unreached(self, error: Unreachable) -> None:
        self._unreached += 1
        if self._unreached >= _MOST_UNREACHED + self.pace.most:
            self.stop(error)

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
        self._shut.set()
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
            while True:
                await self.pace.enter()
                try:
                    entry = self._next()
                    if entry is None:
                        return
                    await work(self, entry)
                finally:
                    self.pace.leave()
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
