"""The jobs of a batch at one provider: under one limit, collected before new ones are sent."""

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

_ALIKE = 5
"""Refusals with the same words, and no success, after which the request itself is at fault."""
_UNREACHED = 5
"""Submits in a row that did not get through, beyond those in flight, after which the provider is
down."""
_TAKEN = ACCEPTED | {State.SAVED}

Work = Callable[["Lane", Entry], Awaitable[None]]


class Lane:
    """The queue of one provider: what to collect, then what to make, then what others are at.

    No more than the pace allows are in flight. The first submit goes alone, so that a refused key
    costs one request; a provider that will not have more of them closes the lane.
    """

    def __init__(
        self, entries: Sequence[Entry], pace: Pace, *, stop: Callable[[KontextError], None]
    ) -> None:
        """``stop`` is told when there is no use in further submits."""
        self.pace = pace
        self.closed = False
        """No further submits; what was submitted is still collected."""
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

    async def run(self, work: Work) -> None:
        """Do the work for every entry, side by side."""
        count = len(self._collects) + len(self._makes) + len(self._later)
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(count, self.pace.most)):
                workers.create_task(self._walk(work))

    def again(self, entry: Entry) -> None:
        """Put an entry at the end of its queue."""
        {Step.COLLECT: self._collects, Step.MAKE: self._makes}.get(entry.step, self._later).append(
            entry
        )

    async def may_submit(self) -> bool:
        """Wait until a submit may go out; False where none may any more.

        Until one was accepted they go one at a time.
        """
        while not self._proven and self._probe is not None:
            await self._probe.wait()
        if not self._proven and not self.closed:
            self._probe, self._prober = asyncio.Event(), asyncio.current_task()
        while not self.closed and (wait := self.pace.wait):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._shut.wait(), wait)
        return not self.closed

    def settled(self) -> None:
        """The row of this task is over; if its submit was to go alone, it may never have left."""
        if self._prober is asyncio.current_task():
            self._end_probe(proven=self._proven)

    def watch(self, job: Job) -> None:
        """Follow a job: where the submit that went alone is accepted, the lane is open."""
        if self._prober is asyncio.current_task() and job.state in _TAKEN:
            self._end_probe(proven=True)

    def submitted(self, job: Job) -> None:
        """Take note of how a submit, and the job, ended."""
        error = job.error
        hopeless = isinstance(error, KeyFault | Unreachable) and job.request_id is None
        self._end_probe(proven=not hopeless)
        if error is None:
            self._succeeded += 1
        if not hopeless:
            self._unreached = 0
            self.pace.succeeded()
        if isinstance(error, Unreachable) and hopeless:
            self._count_unreached(error)
        elif isinstance(error, JobFailed) and error.status is not None and error.status < 500:
            self._count_refusal(error)

    def _count_unreached(self, error: Unreachable) -> None:
        self._unreached += 1
        if self._unreached >= _UNREACHED + self.pace.most:
            self.stop(error)

    def _count_refusal(self, error: JobFailed) -> None:
        self._refusals[error.message] += 1
        if not self._succeeded and self._refusals[error.message] >= _ALIKE:
            self.stop(
                TooManyFailures(
                    f"{_ALIKE} jobs were refused alike and none succeeded: {error.message}",
                    hint="mend what all rows have in common, and run it again",
                    exit_code=error.exit_code,
                )
            )

    def stop(self, why: KontextError) -> None:
        """Let no further submit out, and tell why."""
        if not self.closed:
            self.close()
            self._stop(why)

    def close(self) -> None:
        """Let no further submit out."""
        self.closed = True
        self._shut.set()
        self._end_probe(proven=self._proven)

    def abandon(self) -> None:
        """Begin nothing more at all."""
        self.close()
        for queue in (self._collects, self._makes, self._later):
            queue.clear()

    async def _walk(self, work: Work) -> None:
        while True:
            await self.pace.enter()
            try:
                entry = self._next()
                if entry is None:
                    return
                await work(self, entry)
            finally:
                self.pace.leave()

    def _next(self) -> Entry | None:
        """Links die, so what is made is collected before anything new is asked for."""
        for queue in (self._collects, self._makes, self._later):
            if queue and not (self.closed and queue is self._makes):
                return queue.popleft()
        return None

    def _end_probe(self, *, proven: bool) -> None:
        self._proven = self._proven or proven
        if self._probe is not None:
            self._probe.set()
            self._probe = self._prober = None
