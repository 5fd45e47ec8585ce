"""One job, from submit to file: the straight line that every command walks a part of."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

from kontext_cli.engine.collect import collect
from kontext_cli.engine.endings import bill, cut_short, still_running, way_on
from kontext_cli.engine.recorder import Record, Recorder
from kontext_cli.engine.upload import InlineImage, inline_images, too_large, upload
from kontext_cli.errors import (
    Expired,
    JournalFault,
    KontextError,
    OutcomeUnknown,
    RequestIdTaken,
    UnexpectedReply,
    Unreachable,
)
from kontext_cli.failpoint import reached
from kontext_cli.files.delivery import Delivery
from kontext_cli.http.attempts import retries
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.deadlines import GRACE, Deadline
from kontext_cli.http.retry import was_refused
from kontext_cli.http.transport import Submission, Transport
from kontext_cli.images.decoding import get_ready
from kontext_cli.job import OPEN, Cost, Handle, Job, Progress, State
from kontext_cli.journal.replies import Answers
from kontext_cli.providers.base import Cancellation, Provider, Queue, Storage
from kontext_cli.providers.failure import failure

P = ParamSpec("P")
R = TypeVar("R")
Watch = Callable[[Job, Sequence[str]], None]
"""Told of a job on each change of its state or position, with the log lines that are new."""

_FIRST_POLL = 0.15
_LONGEST_POLL = 2.0
_POLL_GROWTH = 1.5
_LONGEST_TIMEOUT = 1e9
"""Seconds; what `--timeout` gives beyond that is too much for a date."""
_BLUNT = (KeyError, IndexError, TypeError, ValueError, AttributeError)


class Engine:
    """Runs jobs against one provider, and leaves a record at every step."""

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
        """``answers`` keeps what a blocking provider says, before anything is made of it;
        ``notice`` is told what goes wrong on this side and stops no job."""
        self._provider = provider
        self._transport = transport
        self._recorder = Recorder(record, self._tell_once)
        self._answers = answers
        self._watch = watch
        self._notice = notice
        self._noticed: set[str] = set()
        self._sleep = sleep
        self._submissions: dict[str, Submission] = {}

    async def run(
        self,
        job: Job,
        call: Call,
        delivery: Delivery,
        *,
        timeout: float,
        keep_flagged: bool = False,
    ) -> None:
        """Submit ``call`` and bring home what it makes; ``job`` tells how it ended.

        Waits ``timeout`` seconds for the pictures to be made. A KontextError ends up in
        ``job.error``; cancellation leaves the job in the state it was in, ``unknown`` where its
        submit was cut short.
        """

        async def work() -> None:
            began = time.monotonic()
            await self._submit(job, call, timeout)
            rest = timeout - (time.monotonic() - began)
            rest = rest if rest > 0 else GRACE  # the submit was late: the process was stopped
            await self._bring_home(job, delivery, rest, keep_flagged=keep_flagged)

        await self._to_its_end(job, work())

    async def submit(self, job: Job, call: Call, *, timeout: float) -> None:
        """Hand the job over and leave it there."""
        await self._to_its_end(job, self._submit(job, call, timeout))
        if job.error is None and self._recorder.lacks(job):
            job.error = JournalFault("the job was accepted, but is not in the journal")
            job.error.billed = bill(job, job.error)
            job.error.hint = way_on(job, job.error, recorded=False)

    async def fetch(
        self, job: Job, delivery: Delivery, *, timeout: float, keep_flagged: bool = False
    ) -> None:
        """Go on with a job that was accepted, from wherever it is."""
        job.error = None
        if job.state is State.SAVED:
            job.state = State.READY
        self._watch(job, ())
        work = self._bring_home(job, delivery, timeout, keep_flagged=keep_flagged)
        await self._to_its_end(job, work)

    async def follow(self, job: Job, *, timeout: float) -> None:
        """Wait until a job's result is there, and leave it there."""
        self._watch(job, ())
        await self._to_its_end(job, self._wait(job, timeout))

    def leave_record(self, job: Job) -> None:
        """Write nothing of a job that is only asked about: the run that owns it does."""
        self._recorder.leave(job)

    async def ask(self, job: Job) -> None:
        """Ask the provider where a job is, its result included, and write that down."""

        async def work() -> None:
            progress = await self._result_if_done(job, await self._poll(job))
            if progress.outputs:
                await self._note_result(job, progress)
            else:
                await self._enter(job, progress.state, progress.position)

        await self._to_its_end(job, work())

    def is_being_sent(self, job: Job) -> bool:
        """Whether a submit is on its way, so that only its answer tells what became of it."""
        submission = self._submissions.get(job.id)
        return submission is not None and submission.sent

    def end_submits(self) -> None:
        """Send no submit a second time from here on, however it is answered."""
        self._transport.is_closing = True

    async def cancel(self, job: Job) -> Cancellation:
        """Ask the provider to call a job off. Raises KontextError."""
        provider, handle = self._queue(job)
        return read(provider.canceled, await self._transport.ask(provider.cancel(handle)))

    async def _to_its_end(self, job: Job, work: Awaitable[None]) -> None:
        before = retries.set(lambda line: self._watch(job, [line]))
        try:
            await work
        except KontextError as error:
            await self._end(job, error)
        finally:
            retries.reset(before)
            await self._settle(job)

    async def _submit(self, job: Job, call: Call, timeout: float) -> None:
        """Send the job and note what came of it: a handle, or the pictures themselves."""
        if self._provider.blocking and self._answers:
            self._answers.prepare()
        call = await self._uploaded(job, call, timeout)
        submission = self._submissions[job.id] = Submission()
        job.answer_by = datetime.now(UTC) + timedelta(seconds=min(timeout, _LONGEST_TIMEOUT))
        try:
            await self._enter(job, State.SUBMITTING)
            async with Deadline(timeout):
                reply = await self._submitted(job, call, submission)
        except TimeoutError:
            raise self._out_of_time(submission, timeout) from None
        except asyncio.CancelledError:
            await self._interrupt(job, submission)
            raise
        finally:
            del self._submissions[job.id]
        reached("replied")
        if not reply.ok:
            raise self._not_accepted(reply)
        await self._accept(job, reply)

    async def _submitted(self, job: Job, call: Call, submission: Submission) -> Reply:
        blocking = self._provider.blocking
        reply = await self._transport.submit(call, submission, blocking=blocking)
        if (
            reply.status == 413
            and isinstance(self._provider, Storage)
            and (inline := inline_images(call))
        ):
            submission.sent = False
            call = await self._upload(job, call, inline)
            reply = await self._transport.submit(call, submission, blocking=blocking)
        return reply

    async def _accept(self, job: Job, reply: Reply) -> None:
        if self._provider.blocking and self._answers:
            self._keep_answer(job, self._answers, reply)
        progress = self._read_answer(reply, job)
        if progress.outputs:
            await self._note_result(job, progress)
            return
        job.handle = progress.handle
        job.request_id = progress.handle.request_id if progress.handle else None
        await self._enter(job, progress.state, progress.position)

    def _read_answer(self, reply: Reply, job: Job) -> Progress:
        """Read the 2xx answer to a submit, now or as it was kept."""
        try:
            return read(self._provider.accepted, reply, job.endpoint)
        except UnexpectedReply as error:
            raise OutcomeUnknown(
                f"{error.message}: it may have been accepted and may have been billed",
                billed="maybe",
            ) from error

    def _keep_answer(self, job: Job, answers: Answers, reply: Reply) -> None:
        try:
            answers.keep(job.id, reply, self._provider.kept_headers)
        except JournalFault as fault:
            self._tell_once(fault.message)

    async def _bring_home(
        self, job: Job, delivery: Delivery, timeout: float, *, keep_flagged: bool
    ) -> None:
        """Wait for the pictures and save them; a dead link is worth asking for the result again."""
        asyncio.get_running_loop().run_in_executor(None, get_ready)
        if not job.outputs:
            await self._wait(job, timeout)
        try:
            await self._save(job, delivery, keep_flagged=keep_flagged)
        except Expired:
            if job.handle is None:
                raise
            await self._note_result(job, await self._outcome(job))
            await self._save(job, delivery, keep_flagged=keep_flagged)
        await self._enter(job, State.SAVED)

    async def _save(self, job: Job, delivery: Delivery, *, keep_flagged: bool) -> None:
        reached("downloading")
        await collect(
            job,
            job.outputs,
            delivery,
            self._transport,
            keep_flagged=keep_flagged,
            saved=self._recorder.keep,
        )

    async def _wait(self, job: Job, timeout: float) -> None:
        """Follow a job until its result is there."""
        kept = self._answers.find(job.id) if self._answers and self._provider.blocking else None
        if kept is not None:
            await self._note_result(job, self._read_answer(kept, job))
            return
        try:
            async with Deadline(timeout):
                result = await self._follow(job)
        except TimeoutError:
            raise still_running(self._provider.name, timeout) from None
        await self._note_result(job, result)

    async def _follow(self, job: Job) -> Progress:
        """Wait for the result: told of each change where the provider streams, else by asking."""
        reached("polling")
        result, seen = await self._streamed(job)
        return result or await self._polled(job, seen)

    async def _streamed(self, job: Job) -> tuple[Progress | None, int]:
        """The result, by what the provider tells by itself, and how many log lines it told.

        None where it does not stream, or no longer: then it is asked.
        """
        provider, handle = self._queue(job)
        progress, seen = None, 0
        call = provider.stream(handle)
        if call is None:
            return None, 0
        async with aclosing(self._transport.listen(call)) as bodies:
            async for body in bodies:
                if not provider.is_about(handle, body):
                    continue
                progress = read(provider.status, body)
                await self._tell(job, progress, 0)
                seen += len(progress.logs)
                if progress.done:
                    break
        if progress is None or not progress.done:
            return None, seen
        result = await self._outcome(job)
        return (result if result.outputs else None), seen

    async def _polled(self, job: Job, seen: int) -> Progress:
        """Ask until the result is there; ``seen`` log lines were told already."""
        wait = _FIRST_POLL
        while True:
            await self._sleep(wait)
            wait = min(wait * _POLL_GROWTH, _LONGEST_POLL)
            reached("polling")
            progress = await self._poll(job)
            if not progress.outputs:
                await self._tell(job, progress, seen)
                seen = max(seen, len(progress.logs))
                progress = await self._result_if_done(job, progress)
            if progress.outputs:
                return progress

    async def _poll(self, job: Job) -> Progress:
        provider, handle = self._queue(job)
        call = provider.poll(handle)
        reply = await self._transport.ask(call)
        if call.kind == "status" and not _may_be_believed(provider, reply, handle):
            reply = await self._transport.ask(call, alone=True)
        progress = read(provider.progress, reply, handle)
        job.handle = progress.handle or handle
        return progress

    async def _result_if_done(self, job: Job, progress: Progress) -> Progress:
        """A queue that calls a job done leaves it to the result how it ended."""
        return await self._outcome(job) if progress.done and not progress.outputs else progress

    async def _outcome(self, job: Job) -> Progress:
        provider, handle = self._queue(job)
        return read(provider.outcome, await self._transport.ask(provider.result(handle)))

    def _queue(self, job: Job) -> tuple[Queue, Handle]:
        """The provider and the handle of a job that can be asked about."""
        provider = self._provider
        if not isinstance(provider, Queue):
            raise OutcomeUnknown(
                f"{provider.name} answers once and cannot be asked again; "
                "the job may have been billed",
                billed="maybe",
            )
        if job.handle is None:
            raise UnexpectedReply(f"{provider.name} sent no way to ask for the job")
        return provider, job.handle

    async def _uploaded(self, job: Job, call: Call, timeout: float) -> Call:
        """The call without the images that are too large to go inline."""
        large = too_large(call, self._provider.inline_bytes)
        try:
            async with Deadline(timeout):
                return await self._upload(job, call, large)
        except TimeoutError:
            name = self._provider.name
            raise Unreachable(f"the upload to {name} took more than {timeout:g} s") from None

    async def _upload(self, job: Job, call: Call, images: Sequence[InlineImage]) -> Call:
        if not images or not isinstance(self._provider, Storage):
            return call
        return await upload(
            call,
            images,
            self._provider,
            self._transport,
            tell=lambda line: self._watch(job, [line]),
        )

    async def _tell(self, job: Job, progress: Progress, seen: int) -> None:
        """Pass on what is new; only another state is worth a record."""
        if progress.state != job.state:
            await self._enter(job, progress.state, progress.position)
        elif progress.position != job.position:
            job.position = progress.position
            self._watch(job, ())
        news = progress.logs[seen:]
        if news:
            self._watch(job, news)

    async def _enter(self, job: Job, state: State, position: int | None = None) -> None:
        job.state = state
        job.position = position
        if state not in OPEN:
            job.finished_at = datetime.now(UTC)
        await self._recorder.keep(job)
        self._watch(job, ())

    async def _settle(self, job: Job) -> None:
        """Have the journal agree with a job that we are done with, and drop its kept answer."""
        if not await self._recorder.settle(job) or self._answers is None:
            return
        has_ended = job.state is State.SAVED or (job.error is not None and job.error.state)
        if has_ended and job.state is not State.UNKNOWN:
            self._answers.drop(job.id)

    def _tell_once(self, text: str) -> None:
        """What is wrong with the disk is so for every job."""
        if text not in self._noticed:
            self._noticed.add(text)
            self._notice(text)

    async def _note_result(self, job: Job, progress: Progress) -> None:
        job.reply = progress.reply
        job.outputs = progress.outputs
        if progress.seed is not None:
            job.seed = progress.seed
        if progress.usd is not None:
            job.cost = Cost(progress.usd, "provider")
        await self._enter(job, State.READY)

    async def _end(self, job: Job, error: KontextError) -> None:
        """Note how the job ended, or that it goes on without us."""
        if isinstance(error, RequestIdTaken):  # whatever was learned is of another job
            job.handle = job.request_id = None
            job.outputs, job.reply = (), {}
            error = self._not_its_own(error)
        job.error = error
        error.billed = bill(job, error)
        error.hint = way_on(job, error, recorded=not self._recorder.lacks(job))
        if error.state:
            await self._enter(job, State(error.state))
        elif job.state in (State.PLANNED, State.SUBMITTING):
            await self._enter(job, State.FAILED)
        else:
            await self._recorder.keep(job)

    async def _interrupt(self, job: Job, submission: Submission) -> None:
        """A submit cut short: whether its bytes left decides what can be said of it."""
        if submission.sent:
            job.error = cut_short("it was interrupted")
            job.error.hint = way_on(job, job.error, recorded=True)
            await self._enter(job, State.UNKNOWN)
        else:
            await self._enter(job, State.CANCELED)

    def _not_accepted(self, reply: Reply) -> KontextError:
        if was_refused(reply, blocking=self._provider.blocking):
            return read(failure, self._provider, reply, submitted=False)
        return cut_short(f"{self._provider.name} answered {reply.status}")

    def _not_its_own(self, taken: RequestIdTaken) -> KontextError:
        return OutcomeUnknown(
            f"{self._provider.name} answered with the request id of another job ({taken}): "
            "this one may have been accepted and may have been billed",
            billed="maybe",
        )

    def _out_of_time(self, submission: Submission, timeout: float) -> KontextError:
        if submission.sent:
            return cut_short(f"no answer within {timeout:g} s")
        return Unreachable(f"{self._provider.name} could not be reached within {timeout:g} s")


def _may_be_believed(provider: Queue, reply: Reply, handle: Handle) -> bool:
    """Whether a status that came on a shared connection is of this job, and ends nothing."""
    try:
        read(provider.progress, reply, handle)
    except KontextError:
        return False
    return provider.is_about(handle, reply.object)


def read(adapter: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Let an adapter read a reply; a form it does not know becomes UnexpectedReply."""
    try:
        return adapter(*args, **kwargs)
    except _BLUNT as error:
        raise UnexpectedReply(
            "the provider answered in a form this version does not know"
        ) from error
