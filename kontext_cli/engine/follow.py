"""Follow a job through its provider's queue until its result is there."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import Protocol

from kontext_cli.engine.reading import read
from kontext_cli.errors import (
    Canceled,
    Expired,
    JobFailed,
    KontextError,
    Moderated,
    OutcomeUnknown,
    UnexpectedReply,
)
from kontext_cli.failpoint import reached
from kontext_cli.http.call import Reply
from kontext_cli.http.transport import Transport
from kontext_cli.job import Handle, Job, Progress, State
from kontext_cli.providers.base import Cancellation, Provider, Queue

_FIRST_POLL = 0.15
_LONGEST_POLL = 2.0
_POLL_GROWTH = 1.5
_LOOKS = (0.0, 0.3, 0.7)
"""Seconds before each question for a job that may not be there."""

Watch = Callable[[Job, Sequence[str]], None]
"""Called on each change of a job's state or position, and with each new log line of it."""


class Enter(Protocol):
    """Records a job's new state and position."""

    def __call__(self, job: Job, state: State, position: int | None = None) -> Awaitable[None]: ...


class Follower:
    """Polls or streams the status of jobs of one provider."""

    def __init__(
        self,
        provider: Provider,
        transport: Transport,
        *,
        enter: Enter,
        watch: Watch,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._provider = provider
        self._transport = transport
        self._enter = enter
        self._watch = watch
        self._sleep = sleep

    async def follow(self, job: Job) -> Progress:
        """Wait for the result: by the stream of the provider if it has one, else by polling."""
        reached("polling")
        result, seen = await self._streamed(job)
        return result or await self._polled(job, seen)

    async def load(self) -> int | None:
        """How many jobs the server has, whoever sent them; None where it does not say."""
        call = self._provider.load()
        if call is None:
            return None
        try:
            return read(self._provider.jobs_there, await self._transport.ask(call))
        except KontextError:
            return None

    async def ask(self, job: Job) -> Progress:
        """Poll once, and request the result of a job that is done."""
        return await self._result_if_done(job, await self._poll(job))

    async def find(self, job: Job) -> Progress | None:
        """Ask for a job of a chosen id whose submit got no answer; None where the provider does not
        have it.

        It is asked several times: what stands between us may still hold the request, so that it
        arrives after the question.
        """
        for wait in _LOOKS:
            await self._sleep(wait)
            with suppress(Expired):
                return await self.ask(job)
        return None

    async def outcome(self, job: Job) -> Progress:
        """Request the result of a job that is done. Raises KontextError where the job failed."""
        queue, handle = self._queue(job)
        return read(queue.outcome, await self._transport.ask(queue.result(handle)))

    async def cancel(self, job: Job) -> Cancellation:
        """Request the cancellation of a job. Raises KontextError."""
        queue, handle = self._queue(job)
        if queue.cancels_by_state:
            return await self._cancel_by_state(queue, job)
        return read(queue.canceled, await self._transport.ask(queue.cancel(handle)))

    async def _cancel_by_state(self, queue: Queue, job: Job) -> Cancellation:
        """Cancel a job as it stands: one that was waiting may have begun in the meantime, so that
        it is looked at again afterwards."""
        answer = None
        for _ in range(2):
            try:
                is_done = bool((await self.ask(job)).outputs)
            except Expired:
                return Cancellation.UNKNOWN if answer is None else Cancellation.REMOVED
            except (JobFailed, Canceled, Moderated):
                is_done = True
            if is_done:
                return answer or Cancellation.TOO_LATE
            _, handle = self._queue(job)
            answer = read(queue.canceled, await self._transport.ask(queue.cancel(handle)))
        return answer or Cancellation.UNKNOWN

    async def _streamed(self, job: Job) -> tuple[Progress | None, int]:
        """The result, by the provider's stream, and the number of log lines that it sent.

        None where there is no stream, or it ended early: then the job has to be polled.
        """
        queue, handle = self._queue(job)
        progress, seen, is_ahead = None, 0, False
        call = queue.stream(handle)
        if call is None:
            return None, 0
        async with aclosing(self._transport.listen(call)) as bodies:
            async for body in bodies:
                if not queue.is_about(handle, body):
                    continue
                progress = read(queue.status, body)
                await self._report(job, progress, 0)
                seen += len(progress.logs)
                if progress.done:
                    break
                if progress.state is State.RUNNING and not is_ahead:
                    is_ahead = True
                    await self._transport.open_ahead(queue.result(handle))
        if progress is None or not progress.done:
            return None, seen
        result = await self.outcome(job)
        return (result if result.outputs else None), seen

    async def _polled(self, job: Job, seen: int) -> Progress:
        """Poll until the result is there; ``seen`` log lines were reported already."""
        wait = _FIRST_POLL
        while True:
            await self._sleep(wait)
            wait = min(wait * _POLL_GROWTH, _LONGEST_POLL)
            reached("polling")
            progress = await self._poll(job)
            if not progress.outputs:
                await self._report(job, progress, seen)
                seen = max(seen, len(progress.logs))
                progress = await self._result_if_done(job, progress)
            elif news := progress.logs[seen:]:
                self._watch(job, news)
            if progress.outputs:
                return progress

    async def _poll(self, job: Job) -> Progress:
        queue, handle = self._queue(job)
        call = queue.poll(handle)
        reply = await self._transport.ask(call)
        if call.kind == "status" and not _is_trusted(queue, reply, handle):
            reply = await self._transport.ask(call, alone=True)
        progress = read(queue.progress, reply, handle)
        job.handle = progress.handle or handle
        return progress

    async def _result_if_done(self, job: Job, progress: Progress) -> Progress:
        """A queue reports failed jobs as done, too: only the result says how the job ended."""
        return await self.outcome(job) if progress.done and not progress.outputs else progress

    async def _report(self, job: Job, progress: Progress, seen: int) -> None:
        """Report what is new; the journal needs changes of the state only."""
        if progress.state != job.state:
            await self._enter(job, progress.state, progress.position)
        elif progress.position != job.position:
            job.position = progress.position
            self._watch(job, ())
        news = progress.logs[seen:]
        if news:
            self._watch(job, news)

    def _queue(self, job: Job) -> tuple[Queue, Handle]:
        """The queue and the handle of a job. Raises KontextError where it has none."""
        provider = self._provider.at(job.endpoint)
        if not isinstance(provider, Queue):
            raise OutcomeUnknown(
                f"{provider.name} returns images in its reply to the submit, and cannot be asked "
                "for them again; the job may have been billed"
            )
        if job.handle is None:
            raise UnexpectedReply(f"{provider.name} sent no id or URL to ask for the job with")
        return provider, job.handle


def _is_trusted(queue: Queue, reply: Reply, handle: Handle) -> bool:
    """False for a status that would end the job, or is of another one: on a shared connection, a
    surplus reply to an earlier request may have been taken for this one."""
    try:
        read(queue.progress, reply, handle)
    except KontextError:
        return False
    return queue.is_about(handle, reply.object)
