"""One job, from submit to file: the straight line that every command walks a part of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

from kontext_cli.delivery import Delivery
from kontext_cli.errors import (
    KontextError,
    Moderated,
    OutcomeUnknown,
    ProviderError,
    StillRunning,
    UnexpectedReply,
    Unreachable,
)
from kontext_cli.inline import inline_picture
from kontext_cli.job import Cost, File, Handle, Job, Output, Progress, State
from kontext_cli.outputs import PartFile, Picture
from kontext_cli.providers.base import Provider
from kontext_cli.providers.call import Call, Reply
from kontext_cli.providers.failure import failure
from kontext_cli.providers.queue import QueueProvider
from kontext_cli.providers.storage import Storage
from kontext_cli.retry import was_refused
from kontext_cli.transport import Submission, Transport
from kontext_cli.upload import InlineImage, inline_images, too_large, upload

P = ParamSpec("P")
R = TypeVar("R")
Watch = Callable[[Job, Sequence[str]], None]
"""Told of a job on each change of its state or position, with the log lines that are new."""

_FIRST_POLL = 0.15
_LONGEST_POLL = 2.0
_POLL_GROWTH = 1.5
_BLUNT = (KeyError, IndexError, TypeError, ValueError, AttributeError)


class Engine:
    """Runs jobs against one provider."""

    def __init__(
        self,
        provider: Provider,
        transport: Transport,
        watch: Watch = lambda _job, _logs: None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._provider = provider
        self._transport = transport
        self._watch = watch
        self._sleep = sleep

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
        try:
            progress = await self._result(job, call, timeout)
            self._note_result(job, progress)
            await self._collect(job, progress.outputs, delivery, keep_flagged=keep_flagged)
            self._enter(job, State.SAVED)
        except KontextError as error:
            self._end(job, error)
        finally:
            job.finished_at = datetime.now(UTC)

    async def _result(self, job: Job, call: Call, timeout: float) -> Progress:
        call = await self._uploaded(job, call, timeout)
        submission = Submission()
        try:
            async with asyncio.timeout(timeout):
                progress = await self._submit(job, call, submission)
                return await self._follow(job, progress)
        except TimeoutError:
            raise self._out_of_time(job, submission, timeout) from None
        except asyncio.CancelledError:
            if job.state is State.SUBMITTING and submission.sent:
                job.error = self._cut_short("it was interrupted")
                self._enter(job, State.UNKNOWN)
            raise

    async def _submit(self, job: Job, call: Call, submission: Submission) -> Progress:
        self._enter(job, State.SUBMITTING)
        blocking = self._provider.blocking
        reply = await self._transport.submit(call, submission, blocking=blocking)
        if reply.status == 413 and self._provider.uploads and (inline := inline_images(call)):
            submission.sent = False
            call = await self._upload(job, call, inline)
            reply = await self._transport.submit(call, submission, blocking=blocking)
        if not reply.ok:
            raise self._not_accepted(reply, blocking=blocking)
        try:
            return read(self._provider.accepted, reply, job.endpoint)
        except UnexpectedReply as error:
            raise OutcomeUnknown(
                f"{error.message}: it may have been accepted and may have been billed",
                billed="maybe",
            ) from error

    async def _uploaded(self, job: Job, call: Call, timeout: float) -> Call:
        """The call without the images that are too large to go inline."""
        large = too_large(call, self._provider.inline_bytes)
        try:
            async with asyncio.timeout(timeout):
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

    async def _follow(self, job: Job, progress: Progress) -> Progress:
        provider = self._provider
        handle = progress.handle
        seen = 0
        wait = _FIRST_POLL
        while not progress.outputs:
            if handle is None or not isinstance(provider, QueueProvider):
                raise UnexpectedReply(f"{provider.name} answered without pictures")
            job.request_id = handle.request_id
            self._tell(job, progress, seen)
            seen = max(seen, len(progress.logs))
            if progress.done:
                reply = await self._transport.ask(provider.result(handle))
                progress = read(provider.outcome, reply)
            if progress.outputs:
                break
            await self._sleep(wait)
            wait = min(wait * _POLL_GROWTH, _LONGEST_POLL)
            progress, handle = await self._poll(provider, handle)
        return progress

    async def _poll(self, provider: QueueProvider, handle: Handle) -> tuple[Progress, Handle]:
        reply = await self._transport.ask(provider.poll(handle))
        progress = read(provider.progress, reply, handle)
        return progress, progress.handle or handle

    async def _collect(
        self, job: Job, outputs: Sequence[Output], delivery: Delivery, *, keep_flagged: bool
    ) -> None:
        """Save every picture that may be saved, side by side; one that fails stops no other."""
        numbered = list(enumerate(outputs, start=1))
        wanted = [(n, output) for n, output in numbered if keep_flagged or not output.flagged]
        saving = [self._save(output, delivery, number) for number, output in wanted]
        ended = await asyncio.gather(*saving, return_exceptions=True)
        job.files = tuple(file for file in ended if isinstance(file, File))
        for each in ended:
            if isinstance(each, BaseException):
                raise each
        if len(wanted) < len(numbered):
            raise self._flagged(len(numbered) - len(wanted), len(numbered))

    async def _save(self, output: Output, delivery: Delivery, number: int) -> File | None:
        with PartFile.create(delivery.folder(number)) as part:

            async def check(announced: int | None) -> Picture:
                return await asyncio.to_thread(part.verify, announced or output.bytes)

            inline = inline_picture(output)
            if inline is not None:
                part.write(inline)
                picture = await check(None)
            else:
                picture = await self._transport.download(output.url or "", part, check)
            return await asyncio.to_thread(delivery.deliver, part, picture, number)

    def _end(self, job: Job, error: KontextError) -> None:
        """Note how the job ended. What was accepted may cost, whatever went wrong on our side."""
        if job.state is State.READY:
            error.billed = "yes"
        elif job.request_id and not isinstance(error, ProviderError | Moderated):
            error.billed = "maybe"
        job.error = error
        if error.state:
            self._enter(job, State(error.state))
        elif job.state in (State.PLANNED, State.SUBMITTING):
            self._enter(job, State.FAILED)

    def _tell(self, job: Job, progress: Progress, seen: int) -> None:
        news = progress.logs[seen:]
        if (progress.state, progress.position) != (job.state, job.position):
            job.position = progress.position
            job.state = progress.state
            self._watch(job, ())
        if news:
            self._watch(job, news)

    def _enter(self, job: Job, state: State) -> None:
        job.state = state
        job.position = None
        self._watch(job, ())

    def _note_result(self, job: Job, progress: Progress) -> None:
        job.reply = progress.reply
        if progress.seed is not None:
            job.seed = progress.seed
        if progress.usd is not None:
            job.cost = Cost(progress.usd, "provider")
        self._enter(job, State.READY)

    def _not_accepted(self, reply: Reply, *, blocking: bool) -> KontextError:
        if was_refused(reply, blocking=blocking):
            return read(failure, self._provider, reply, submitted=False)
        return self._cut_short(f"{self._provider.name} answered {reply.status}")

    def _cut_short(self, how: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"the outcome of the submit is unknown ({how}): "
            "it may have been accepted and may have been billed",
            hint=f"look at {self._provider.name}'s own list of requests before sending it again",
            billed="maybe",
        )

    def _out_of_time(self, job: Job, submission: Submission, timeout: float) -> KontextError:
        name = self._provider.name
        if job.state is not State.SUBMITTING:
            return StillRunning(
                f"{name} is still at it after {timeout:g} s; the job goes on there",
                hint="give it longer with --timeout",
                billed="maybe",
            )
        if submission.sent:
            return self._cut_short(f"no answer within {timeout:g} s")
        return Unreachable(f"{name} could not be reached within {timeout:g} s")

    def _flagged(self, flagged: int, all_of_them: int) -> Moderated:
        what = "the picture" if all_of_them == 1 else f"{flagged} of {all_of_them} pictures"
        return Moderated(
            f"{self._provider.name} flagged {what} as unsafe; not saved",
            hint="change the prompt, or save it all the same with --keep-flagged",
            billed="yes",
        )


def read(adapter: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Let an adapter read a reply; a form it does not know becomes UnexpectedReply."""
    try:
        return adapter(*args, **kwargs)
    except _BLUNT as error:
        raise UnexpectedReply(
            "the provider answered in a form this version does not know"
        ) from error
