"""Runs one job, from its submit to its files; every command runs a part of this."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from kontext_cli.engine.chosen import call_of, chosen_handle
from kontext_cli.engine.endings import (
    at_end,
    cut_short,
    is_unsettled,
    not_accepted,
    not_its_own,
    out_of_time,
    still_running,
    unknown_since,
)
from kontext_cli.engine.fitting import Fitting
from kontext_cli.engine.follow import Follower, Watch
from kontext_cli.engine.reading import read
from kontext_cli.engine.recorder import Record, Recorder
from kontext_cli.errors import (
    Expired,
    JournalFault,
    KontextError,
    OutcomeUnknown,
    ProviderError,
    RequestIdTaken,
    UnexpectedReply,
    Unreachable,
)
from kontext_cli.failpoint import reached
from kontext_cli.files.delivery import Delivery
from kontext_cli.http.attempts import retries
from kontext_cli.http.call import Reply
from kontext_cli.http.deadlines import Deadline, time_left
from kontext_cli.http.retry import was_refused
from kontext_cli.http.transport import Submission, Transport
from kontext_cli.job import OPEN, Cost, Job, Note, Progress, State
from kontext_cli.journal.replies import Answers
from kontext_cli.providers.base import Adaptive, Cancellation, Provider, Storage
from kontext_cli.providers.failure import refusal
from kontext_cli.providers.prepare import Draft

_LONGEST_TIMEOUT = 1e9
"""Seconds; a longer `--timeout` does not fit a date."""


class Engine:
    """Runs jobs at one provider, and records each step in the journal."""

    def __init__(
        self,
        provider: Provider,
        transport: Transport,
        *,
        record: Record,
        answers: Answers | None = None,
        watch: Watch = lambda _job, _logs: None,
        notice: Callable[[str], None] = lambda _text: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """``answers`` stores the replies of a blocking provider before they are read; ``notice``
        receives warnings about local faults that stop no job."""
        self._provider = provider
        self._transport = transport
        self._recorder = Recorder(record, self._notice_once)
        self._answers = answers
        self._watch = watch
        self._notice = notice
        self._noticed: set[str] = set()
        self._submissions: dict[str, Submission] = {}
        self._fitting = Fitting(provider, transport) if isinstance(provider, Adaptive) else None
        self._follower = Follower(provider, transport, enter=self._enter, watch=watch, sleep=sleep)

    async def run(
        self,
        job: Job,
        draft: Draft,
        delivery: Delivery,
        *,
        timeout: float,
        keep_flagged: bool = False,
    ) -> None:
        """Submit ``draft``, wait for the images and save them; the outcome is set in ``job``.

        Waits at most ``timeout`` seconds for the images to be made. A KontextError is stored in
        ``job.error``; cancellation leaves the job in the state it was in, or ``unknown`` where
        its submit was interrupted.
        """

        async def work() -> None:
            began = time.monotonic()
            await self._submit(job, draft, timeout)
            took = time.monotonic() - began
            await self._wait_and_save(job, delivery, timeout, took, keep_flagged=keep_flagged)

        await self._supervise(job, work())

    async def submit(self, job: Job, draft: Draft, *, timeout: float) -> None:
        """Submit the job without waiting for its result."""
        await self._supervise(job, self._submit(job, draft, timeout))
        if job.error is None and self._recorder.lacks(job):
            fault = JournalFault("the job was accepted, but is not in the journal")
            job.error = at_end(fault, job, recorded=False)

    async def fetch(
        self, job: Job, delivery: Delivery, *, timeout: float, keep_flagged: bool = False
    ) -> None:
        """Wait for a job that was accepted, and save its images."""
        job.error = None
        if job.state is State.SAVED:
            job.state = State.READY
        self._watch(job, ())
        work = self._wait_and_save(job, delivery, timeout, keep_flagged=keep_flagged)
        await self._supervise(job, work)

    async def follow(self, job: Job, *, timeout: float) -> None:
        """Wait until a job's result is there, without saving its images."""
        self._watch(job, ())
        await self._supervise(job, self._wait(job, timeout))

    def leave_record(self, job: Job) -> None:
        """Do not record a job that is only polled: the process that owns it does."""
        self._recorder.leave(job)

    async def ask(self, job: Job) -> None:
        """Poll once, with the result of a job that is done, and record the progress."""

        async def work() -> None:
            if is_unsettled(job):
                await self._look_for(job, unknown_since(job))
            else:
                await self._note_progress(job, await self._follower.ask(job))

        await self._supervise(job, work())

    async def load(self) -> int | None:
        """How many jobs the server has, whoever sent them; None where it does not say."""
        return await self._follower.load()

    def is_being_sent(self, job: Job) -> bool:
        """Whether a submit may have been received, so that only its answer decides the outcome."""
        submission = self._submissions.get(job.id)
        return submission is not None and submission.sent

    def submit_once(self) -> None:
        """From now on, send no submit a second time."""
        self._transport.submits_once = True

    async def cancel(self, job: Job) -> Cancellation:
        """Ask the provider to cancel a job. Raises KontextError."""
        return await self._follower.cancel(job)

    async def _supervise(self, job: Job, work: Awaitable[None]) -> None:
        before = retries.set(partial(self._tell, job))
        try:
            await work
        except KontextError as error:
            await self._end(job, error)
        finally:
            retries.reset(before)
            await self._settle(job)

    async def _submit(self, job: Job, draft: Draft, timeout: float) -> None:
        """Send the job and record what was returned: a handle, or the images themselves."""
        if self._blocks(job) and self._answers:
            self._answers.prepare()
        draft = await self._uploaded(job, draft, timeout)
        if self._fitting is not None:
            draft = await self._fitting.fit(job, draft, timeout)
        job.handle = chosen_handle(self._provider, job)
        try:
            await self._send(job, draft, timeout)
        except OutcomeUnknown as lost:
            if job.handle is None:
                raise
            await self._look_for(job, lost)

    async def _send(self, job: Job, draft: Draft, timeout: float) -> None:
        """Send the job once, and read the answer."""
        submission = Submission(on_the_way=lambda: self._watch(job, ()))
        self._submissions[job.id] = submission
        job.server = self._provider.server
        job.answer_by = datetime.now(UTC) + timedelta(seconds=min(timeout, _LONGEST_TIMEOUT))
        try:
            await self._enter(job, State.SUBMITTING)
            async with Deadline(timeout):
                reply = await self._submitted(job, draft, submission)
        except TimeoutError:
            raise out_of_time(self._provider.title, timeout, sent=submission.sent) from None
        except asyncio.CancelledError:
            await self._interrupt(job, submission)
            raise
        finally:
            del self._submissions[job.id]
        reached("replied")
        if not reply.ok:
            raise self._not_accepted(job, reply)
        await self._accept(job, reply)

    async def _submitted(self, job: Job, draft: Draft, submission: Submission) -> Reply:
        blocking = self._blocks(job)
        call = call_of(job, draft)
        reply = await self._transport.submit(call, submission, blocking=blocking)
        while self._fitting and (fitted := self._fitting.after_refusal(job, draft, call, reply)):
            draft, submission.sent, call = fitted, False, fitted.call()
            reply = await self._transport.submit(call, submission, blocking=blocking)
        local = draft.local_images
        if reply.status == 413 and isinstance(draft.provider, Storage) and local:
            from kontext_cli.engine.upload import upload

            submission.sent = False
            draft = await upload(draft, local, self._transport, partial(self._tell, job))
            call = call_of(job, draft)
            reply = await self._transport.submit(call, submission, blocking=blocking)
        return reply

    async def _look_for(self, job: Job, lost: KontextError) -> None:
        """Continue with a job of a chosen id whose answer was ``lost``. Raises ``lost`` where the
        provider cannot be asked, and Unreachable where it does not have the job."""
        may_be_forgotten = job.state is State.UNKNOWN
        job.error, job.state = at_end(lost, job), State.UNKNOWN  # until it is known
        try:
            progress = await self._follower.find(job)
        except (Unreachable, UnexpectedReply) as error:
            raise lost.replace(f"{lost.message}; it cannot be asked: {error}") from None
        except ProviderError:
            self._note_accepted(job)
            raise
        if progress is None:
            job.handle, job.state = None, State.SUBMITTING
            raise not_accepted(job, or_forgotten=may_be_forgotten)
        job.error = None
        self._note_accepted(job)
        await self._note_progress(job, progress)

    async def _accept(self, job: Job, reply: Reply) -> None:
        if self._blocks(job) and self._answers:
            self._store_answer(job, self._answers, reply)
        progress = self._read_answer(reply, job)
        if not progress.outputs:
            if progress.usd is not None:
                job.cost = Cost(progress.usd, "provider")
            job.handle = progress.handle
            self._note_accepted(job)
        await self._note_progress(job, progress)

    def _note_accepted(self, job: Job) -> None:
        job.request_id = job.handle.request_id if job.handle else None

    def _read_answer(self, reply: Reply, job: Job) -> Progress:
        """Read the 2xx answer to a submit, fresh or stored."""
        try:
            return read(self._provider.accepted, reply, job.endpoint)
        except UnexpectedReply as error:
            how = f"{error.message}: it may have been accepted and billed"
            raise OutcomeUnknown(how) from error

    def _store_answer(self, job: Job, answers: Answers, reply: Reply) -> None:
        try:
            answers.keep(job.id, reply, self._provider.kept_headers)
        except JournalFault as fault:
            self._notice_once(fault.message)

    async def _wait_and_save(
        self, job: Job, delivery: Delivery, timeout: float, took: float = 0, *, keep_flagged: bool
    ) -> None:
        """Wait for the images and save them; for a dead link, request the result once more."""
        from kontext_cli.images.decoding import get_ready

        asyncio.get_running_loop().run_in_executor(None, get_ready)
        if not job.outputs:
            await self._wait(job, timeout, took)
        try:
            await self._save(job, delivery, keep_flagged=keep_flagged)
        except Expired:
            if job.handle is None:
                raise
            again = await self._follower.outcome(job)
            if not again.outputs:
                raise
            await self._note_result(job, again)
            await self._save(job, delivery, keep_flagged=keep_flagged)
        await self._enter(job, State.SAVED)

    async def _save(self, job: Job, delivery: Delivery, *, keep_flagged: bool) -> None:
        from kontext_cli.engine.collect import collect

        reached("downloading")
        await collect(
            job,
            job.outputs,
            delivery,
            self._transport,
            keep_flagged=keep_flagged,
            saved=self._recorder.keep,
            notice=self._notice_once,
        )

    async def _wait(self, job: Job, timeout: float, took: float = 0) -> None:
        """Wait for the result, or read the stored answer of a blocking provider. The submit
        ``took`` so many seconds of the ``timeout``."""
        kept = self._answers.find(job.id) if self._answers and self._blocks(job) else None
        if kept is not None:
            await self._note_result(job, self._read_answer(kept, job))
            return
        if is_unsettled(job):
            await self._look_for(job, unknown_since(job))
            if job.outputs:
                return
        try:
            async with Deadline(time_left(timeout, took)):
                result = await self._follower.follow(job)
        except TimeoutError:
            raise still_running(self._provider.title, timeout) from None
        await self._note_result(job, result)

    async def _uploaded(self, job: Job, draft: Draft, timeout: float) -> Draft:
        """The draft after the upload of the images that are too large to be sent inline."""
        if not draft.local_images or not isinstance(draft.provider, Storage):
            return draft
        from kontext_cli.engine.upload import upload_large

        told = partial(self._tell, job)
        return await upload_large(draft, self._transport, told, timeout=timeout)

    def _tell(self, job: Job, line: str) -> None:
        self._watch(job, [Note(line)])

    async def _enter(self, job: Job, state: State, position: int | None = None) -> None:
        job.state = state
        job.position = position
        if state not in OPEN:
            job.finished_at = datetime.now(UTC)
        await self._recorder.keep(job)
        self._watch(job, ())

    async def _settle(self, job: Job) -> None:
        """Record the final state of a job, and delete its stored answer."""
        if not await self._recorder.settle(job) or self._answers is None:
            return
        has_ended = job.state is State.SAVED or (job.error is not None and job.error.state)
        if has_ended and job.state is not State.UNKNOWN:
            self._answers.drop(job.id)

    def _notice_once(self, text: str) -> None:
        """Print a warning once, though it concerns every job."""
        if text not in self._noticed:
            self._noticed.add(text)
            self._notice(text)

    async def _note_progress(self, job: Job, progress: Progress) -> None:
        if progress.outputs:
            await self._note_result(job, progress)
        else:
            await self._enter(job, progress.state, progress.position)

    async def _note_result(self, job: Job, progress: Progress) -> None:
        job.reply = progress.reply
        job.outputs = progress.outputs
        if progress.seed is not None:
            job.seed = progress.seed
        if progress.usd is not None:
            job.cost = Cost(progress.usd, "provider")
        await self._enter(job, State.READY)

    async def _end(self, job: Job, error: KontextError) -> None:
        """Record the error that ended the job, or the wait for it."""
        if isinstance(error, RequestIdTaken):  # the data received is of another job
            job.handle = job.request_id = None
            job.outputs, job.reply = (), {}
            error = not_its_own(job, error)
        job.error = at_end(error, job, recorded=not self._recorder.lacks(job))
        if error.state:
            await self._enter(job, State(error.state))
        elif job.state in (State.PLANNED, State.SUBMITTING):
            await self._enter(job, State.FAILED)
        else:
            await self._recorder.keep(job)

    async def _interrupt(self, job: Job, submission: Submission) -> None:
        """Record an interrupted submit: unknown if its bytes may have been sent, else canceled."""
        if submission.sent:
            job.error = at_end(cut_short("it was interrupted"), job)
            await self._enter(job, State.UNKNOWN)
        else:
            await self._enter(job, State.CANCELED)

    def _blocks(self, job: Job) -> bool:
        """Whether the answer to the submit is the result: a router has hosts of both kinds."""
        return self._provider.at(job.endpoint).blocking

    def _not_accepted(self, job: Job, reply: Reply) -> KontextError:
        if was_refused(reply, blocking=self._blocks(job)):
            return read(refusal, self._provider, reply)
        return cut_short(f"{self._provider.title} answered {reply.status}")
