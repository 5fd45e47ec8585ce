"""What a command that works on jobs needs: settings, journal, engine, and signal handling."""

import asyncio
import gc
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import cached_property, partial
from types import TracebackType
from typing import Any, Self

from kontext_cli.commands.provider_of_job import provider_of_job
from kontext_cli.commands.signals import run_until_signal
from kontext_cli.engine.endings import bill_so_far, for_job
from kontext_cli.engine.engine import Engine
from kontext_cli.engine.follow import Watch
from kontext_cli.errors import (
    Billed,
    BrokenProvider,
    Interrupted,
    KeyFault,
    KontextError,
    UsageError,
)
from kontext_cli.files.delivery import Delivery, StreamDelivery, file_delivery, open_special
from kontext_cli.files.disk import is_special
from kontext_cli.files.origin import origin_here
from kontext_cli.files.place import is_object
from kontext_cli.http.transport import Transport
from kontext_cli.job import Job, Origin, State, Target
from kontext_cli.journal import Journal
from kontext_cli.journal.replies import Answers
from kontext_cli.journal.store import run_times
from kontext_cli.journal.writer import Scribe
from kontext_cli.options import Metadata
from kontext_cli.providers.base import Provider
from kontext_cli.settings.paths import journal_location, state_dir
from kontext_cli.settings.settings import Settings, known_provider
from kontext_cli.terminal.input import stdout_bytes
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.report import Report

SANDBOX_SECONDS = 0.3
"""Seconds that a sandbox job takes in this process: enough to see the queue move."""
_AT_ONCE = 8
"""Jobs that are polled concurrently; each has a connection, and file descriptors are limited."""

Work = Callable[[], Coroutine[Any, Any, None]]
"""Starts the work of a command."""


class Session:
    """One run of a command. A context manager: the journal is closed at its end."""

    def __init__(self, report: Report, *, debug: bool = False) -> None:
        """Raises UsageError for mistakes in the config file."""
        self.report = report
        self.settings = Settings.load(os.environ)
        self._debug = debug
        self.state_folder = state_dir(os.environ)
        self.journal_location = journal_location(os.environ)
        report.past_run_times = partial(run_times, self.journal_location)
        self._streams = ExitStack()

    def __enter__(self) -> Self:
        if not gc.isenabled():  # it was off while the program was imported
            gc.freeze()
            gc.enable()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.report.close()
        self._streams.close()
        for journal in (self.__dict__.get("journal"), self.__dict__.get("journal_to_read")):
            if journal is not None:
                journal.close()

    @cached_property
    def journal(self) -> Journal:
        """The journal, opened at the first use; the state folder is there from then on.

        Raises JournalFault, and UsageError for a database that cannot be used.
        """
        journal = Journal.open(self.journal_location, log=self.report.notice, origin=self._origin)
        if self.shares_journal:
            Answers(self.state_folder).prepare()
        return journal

    @cached_property
    def journal_to_read(self) -> Journal | None:
        """The journal, read-only; None if it does not exist. Raises JournalFault."""
        return Journal.read(self.journal_location, log=self.report.notice, origin=self._origin)

    @property
    def shares_journal(self) -> bool:
        """Whether other machines use the journal, too."""
        return isinstance(self.journal_location, str)

    @cached_property
    def _origin(self) -> Origin | None:
        """This machine, where others share the journal. Raises JournalFault."""
        return origin_here(self.state_folder) if self.shares_journal else None

    @cached_property
    def scribe(self) -> Scribe:
        """The writer of the journal while jobs are in flight."""
        return Scribe(self.journal, self.report.notice)

    def delivery(self, target: Target | None, *, metadata: Metadata = "off") -> Delivery:
        """The delivery of a job's images to their target; None is standard output, where they
        carry ``metadata``.

        Images that do not go to a file are verified in the state folder.
        Raises OutputFault or JournalFault.
        """
        if target is None:
            _ = self.journal
            return StreamDelivery(stdout_bytes(), self.state_folder, metadata=metadata)
        path = next(filter(is_special, target.paths), None)
        if path is None:
            if any(map(is_object, target.paths)):
                _ = self.journal  # which creates the folder
            return file_delivery(target, scratch=self.state_folder)
        _ = self.journal
        stream = self._streams.enter_context(open_special(path))
        return StreamDelivery(stream, self.state_folder, path=path, metadata=target.metadata)

    @asynccontextmanager
    async def engine(
        self,
        provider: Provider,
        *,
        watch: Watch | None = None,
        throttled: Callable[[float | None], None] = lambda _wait: None,
    ) -> AsyncIterator[Engine]:
        """An engine for one provider; it reports its jobs to ``watch``, else to the report.

        ``throttled`` is called when the provider is too busy. Raises MissingKey.
        """
        async with self._transport(provider, throttled) as transport:
            try:
                yield Engine(
                    provider,
                    transport,
                    record=self.scribe.record,
                    answers=Answers(self.state_folder),
                    watch=watch or self.report.watch,
                    notice=self.report.notice,
                )
            finally:
                await self.scribe.settle()

    async def for_each(
        self, jobs: Sequence[Job], work: Callable[[Engine, Job], Awaitable[None]]
    ) -> None:
        """Do the work for each job, a few at a time; jobs at one server share an engine.

        A fault of a provider's key or connection ends only the jobs of that provider.
        """
        limit = asyncio.Semaphore(_AT_ONCE)

        async def limited(engine: Engine, job: Job) -> None:
            async with limit:
                await work(engine, job)

        at: defaultdict[tuple[str, str | None, str | None], list[Job]] = defaultdict(list)
        for job in jobs:
            at[job.provider, job.server, job.package].append(job)
        await asyncio.gather(*(self._at_server(own, limited) for own in at.values()))

    async def _at_server(
        self, jobs: Sequence[Job], work: Callable[[Engine, Job], Awaitable[None]]
    ) -> None:
        try:
            provider = provider_of_job(jobs[0], self.settings)
            async with self.engine(provider) as engine:
                await asyncio.gather(*(work(engine, job) for job in jobs))
        except (KeyFault, UsageError, BrokenProvider) as fault:
            for job in jobs:
                job.error = for_job(fault, job)

    def find_keys(self, jobs: Iterable[Job]) -> None:
        """Find the keys for the providers of jobs before anything is drawn: a command that prints
        one may ask for a passphrase on the terminal. Faults are raised when a key is used."""
        for name, server in dict.fromkeys((job.provider, job.server) for job in jobs):
            with suppress(KontextError):
                self.settings.require_key(known_provider(name), server)

    def run(self, work: Work, jobs: Sequence[Job]) -> None:
        """Run the work to its end or to the first signal, which becomes the error of open jobs."""
        _ = self.journal  # a journal fault is found before anything is sent
        try:
            signal_number = run_until_signal(lambda: self._with_view(work), last=self.report.leave)
        finally:
            self.report.close()
        if signal_number is not None:
            for job in jobs:
                if job.state is not State.SAVED and (job.error is None or job.state in _CUT_SHORT):
                    job.error = _interrupted(job, signal_number)

    def run_batch(self, work: Work, wind_down: Callable[[int], None]) -> None:
        """Run the work to its end; the first signal calls ``wind_down``, which ends it early."""
        try:
            run_until_signal(lambda: self._with_view(work), wind_down, last=self.report.leave)
        finally:
            self.report.close()

    async def _with_view(self, work: Work) -> None:
        """Do the work while the view is refreshed."""
        refreshing = asyncio.ensure_future(self._refresh())
        try:
            await work()
        finally:
            refreshing.cancel()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(self.report.refresh_seconds)
            self.report.refresh()

    def _transport(
        self, provider: Provider, throttled: Callable[[float | None], None]
    ) -> Transport:
        key = self.settings.require_key(known_provider(provider.name), provider.base_url)
        app = None
        if provider.offline:
            from kontext_cli.sandbox.app import Sandbox

            app = Sandbox(latency=SANDBOX_SECONDS, folder=self.state_folder / "sandbox").app
            key = "sandbox"
        return Transport(
            provider.title,
            provider.key_bases,
            provider.headers(key) if key else {},
            app=app,
            if_unreachable=provider.if_unreachable,
            throttled=throttled,
            trace=to_stderr if self._debug else None,
        )


_CUT_SHORT = (State.UNKNOWN, State.CANCELED)


def _interrupted(job: Job, signal_number: int) -> Interrupted:
    hint: str | None = f"kontext fetch {job.id}"
    billed: Billed = "maybe"
    if job.state is State.UNKNOWN:
        what = "the submit was in progress: it may have been accepted, and may have been billed"
        hint = job.error.hint if job.error else None
    elif job.request_id or job.outputs:
        what, billed = f"the job continues at {job.provider}", bill_so_far(job)
    else:
        what, hint, billed = "nothing was accepted", None, "no"
    return Interrupted(
        f"interrupted; {what}", signal_number=signal_number, hint=hint, billed=billed
    )
