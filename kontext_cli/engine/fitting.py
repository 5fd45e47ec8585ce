"""Fits submits to a server that is asked what it is, and learned from its refusals."""

import asyncio

from kontext_cli.engine.reading import read
from kontext_cli.errors import Unreachable, UnsupportedOption
from kontext_cli.http.call import Call, Reply
from kontext_cli.http.deadlines import Deadline
from kontext_cli.http.retry import was_refused
from kontext_cli.http.transport import Transport
from kontext_cli.job import Job
from kontext_cli.providers.base import Adaptive
from kontext_cli.providers.prepare import Draft
from kontext_cli.words import flag, listed


class Fitting:
    """What is known of one server, for all jobs of this process."""

    def __init__(self, provider: Adaptive, transport: Transport) -> None:
        self._provider = provider
        self._transport = transport
        self._asking = asyncio.Lock()

    async def ask_once(self) -> None:
        """Ask the server what it is, once. Raises KontextError; nothing was submitted then."""
        async with self._asking:
            if not self._provider.is_known:
                reply = await self._transport.ask(self._provider.inquiry())
                read(self._provider.learn, reply)

    async def fit(self, job: Job, draft: Draft, timeout: float) -> Draft:
        """The draft as the server takes it, which is asked what it is, and waited for so many
        seconds."""
        try:
            async with Deadline(timeout):
                await self.ask_once()
        except TimeoutError:
            name = self._provider.title
            raise Unreachable(f"{name} did not answer within {timeout:g} s") from None
        return self._fitted(job, draft)

    def after_refusal(self, job: Job, draft: Draft, sent: Call, reply: Reply) -> Draft | None:
        """The draft to send after the answer to a call; None where that is no refusal, or nothing
        else can be sent. What another job has learned meanwhile counts."""
        if not was_refused(reply, blocking=True) or reply.status == 429:
            return None
        self._provider.learn_refusal(reply)
        fitted = self._fitted(job, draft)
        return None if fitted.call() == sent else fitted

    def _fitted(self, job: Job, draft: Draft) -> Draft:
        """The draft without what the server does not take, which the job then is without as well.

        Raises UnsupportedOption for what the user asked for; a format is that of the bytes, and
        its lack is reported when they are saved.
        """
        lacking = self._provider.lacking(draft.options)
        asked = sorted(lacking - {*draft.chosen, "output_format"})
        if asked:
            names = listed([f"`{flag(name)}`" for name in asked])
            raise UnsupportedOption(
                f"the server of {job.provider} does not take {names}",
                hint="leave it out, or set the server's `dialect` in config.toml",
            )
        if "seed" in lacking:
            job.seed = None
        job.request = {name: each for name, each in job.request.items() if name not in lacking}
        return draft.without(lacking)
