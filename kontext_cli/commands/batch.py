"""`generate` and `edit` for many rows: plan all of them, then run those that need it."""

import asyncio
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import Any, BinaryIO

from kontext_cli.batch.decide import Rules, Step
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lane import Lane
from kontext_cli.batch.limits import Limits
from kontext_cli.batch.memory import Memory
from kontext_cli.batch.order import Order
from kontext_cli.batch.part import Part
from kontext_cli.batch.planner import Planner
from kontext_cli.batch.run import Batch
from kontext_cli.batch.schedulers import scheduled_shard
from kontext_cli.batch.sources import BatchSource, batch_id, rows_of_files, rows_of_images
from kontext_cli.batch.tally import Tally
from kontext_cli.commands.batch_flags import check_batch, check_batch_is_named
from kontext_cli.commands.batch_keys import WORK, BatchKeys, providers_of
from kontext_cli.commands.batch_lock import BatchLock
from kontext_cli.commands.flags import Flags
from kontext_cli.commands.garbage import no_collection
from kontext_cli.commands.generate import differences
from kontext_cli.commands.pools import engines_of, open_pool
from kontext_cli.commands.rerun import command_again
from kontext_cli.commands.session import Session
from kontext_cli.commands.viewing import set_up_previews
from kontext_cli.engine.budget import Budget
from kontext_cli.errors import Interrupted, KontextError, UsageError
from kontext_cli.files.delivery import file_delivery
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.place import absolute, typed_place
from kontext_cli.job import Job
from kontext_cli.journal import Journal
from kontext_cli.journal.replies import Answers
from kontext_cli.providers import Name
from kontext_cli.settings.settings import Settings, known_provider
from kontext_cli.terminal.batch_report import BatchReport
from kontext_cli.terminal.dry_run import row_lines, row_record
from kontext_cli.terminal.input import piped_image, read_prompt, typed_bytes
from kontext_cli.terminal.open import open_batch_report
from kontext_cli.terminal.records import summary_record
from kontext_cli.terminal.result import Result


def run_batch(flags: Flags, source: BatchSource | None = None) -> Result:
    """Run `generate` or `edit` for many rows: those of ``source``, else of files or images.

    Raises KontextError for any fault that is found before anything is sent.
    """
    scheduled = scheduled_shard(flags.shard or "", os.environ)
    if scheduled is not None:
        flags = flags.with_shard(str(scheduled))
    check_batch(flags)
    tally = Tally(0, waits=not flags.no_wait)
    report = open_batch_report(
        tally,
        batch="",
        as_json=flags.json,
        quiet=flags.quiet,
        plain=flags.debug,
    )
    with Session(report, debug=flags.debug) as session:
        if scheduled is not None:
            report.notice(f"shard {scheduled}, from {scheduled.variable}")
        if session.shares_journal:
            check_batch_is_named(flags)
        set_up_previews(session, flags.preview, as_json=flags.json, quiet=flags.quiet, small=True)
        return _Run(flags, session, report, tally).run(source)


class _Run:
    """One batch from its flags to its result."""

    def __init__(self, flags: Flags, session: Session, report: BatchReport, tally: Tally) -> None:
        self._flags = flags
        self._session = session
        self._report = report
        self._tally = tally
        folder = typed_place(session.settings.output_dir(flags.output_dir))
        self._keys = BatchKeys(flags, session.settings, report.notice)
        self._folder = absolute(folder)
        report.show_relative = not folder.is_absolute()

    def run(self, source: BatchSource | None = None) -> Result:
        """Plan all rows, and run them unless it is a dry run."""
        if source is not None:
            self._source = source
        destination_of(self._folder).prove(self._folder)
        if self._lock is not None:
            self._flags = self._lock.without_defaults(self._flags)
        budget = self._budget()  # first: what others take meanwhile would count twice
        with no_collection():
            entries = self._planned()
        self._tally.total = len(entries)
        if self._flags.shard is not None and not entries:
            self._report.notice(f"none of the rows is in shard {self._flags.shard}")
        ids = (entry.row.others.get("id") or "" for entry in entries)
        self._report.expect(max(map(len, ids), default=0))
        of_lock = self._lock.notices(entries) if self._lock else ()
        for notice in [*self._planner.notices, *of_lock]:
            self._report.notice(notice)
        budget.check([entry.cost for entry in entries if entry.step is Step.MAKE])
        if self._flags.dry_run:
            return self._dry_run(entries)
        self._keys.check(entries, usual=self._usual)
        return self._do(entries, budget)

    @cached_property
    def _source(self) -> BatchSource:
        flags = self._flags
        if flags.prompts_files:
            return rows_of_files(flags.prompts_files, self._stdin)
        identity = ("each", self._prompt)
        return rows_of_images(self._prompt, flags.images, made=lambda: self._made(identity))

    @cached_property
    def _prompt(self) -> str:
        """The prompt for all images."""
        return read_prompt(self._flags.prompt, self._flags.operation, quiet=self._flags.quiet)

    @cached_property
    def _providers(self) -> tuple[Name, ...]:
        """The provider of rows that do not set one, or several that are tried in order."""
        return self._session.settings.providers(
            self._flags.provider, needs_key=False, usual=self._usual
        )

    @property
    def _usual(self) -> str | None:
        return self._lock.provider if self._lock else None

    @cached_property
    def _settings(self) -> Settings:
        found = self._session.settings
        return self._lock.routed(found) if self._lock else found

    @cached_property
    def _lock(self) -> BatchLock | None:
        return BatchLock.of(self._flags, self._folder, notice=self._report.notice)

    @cached_property
    def _batch(self) -> str:
        name = self._flags.batch or batch_id(self._source.identity, self._folder)
        self._report.batch = name
        return name

    @cached_property
    def _journal(self) -> Journal | None:
        """The journal; for `--dry-run` read-only, and None if it does not exist."""
        if self._flags.dry_run:
            return self._session.journal_to_read
        return self._session.journal

    @cached_property
    def _memory(self) -> Memory:
        return self._memory_of(self._batch, self._journal)

    def _memory_of(self, batch: str, journal: Journal | None) -> Memory:
        locked = self._lock.locked if self._lock else None
        return Memory(journal, Answers(self._session.state_folder), batch, locked)

    @cached_property
    def _defaults(self) -> Mapping[str, Any]:
        """What rows inherit that do not set it."""
        flags, settings, providers = self._flags, self._settings, ",".join(self._providers)
        usual = self._lock.model(providers) if self._lock else None
        defaults: dict[str, Any] = {
            **{name: each for name, each in flags.options.items() if each is not None},
            "provider": providers,
            "model": settings.model(flags.model, self._providers[0], flags.operation, usual=usual),
            "keep_flagged": flags.keep_flagged,
            "metadata": settings.metadata(flags.metadata),
            "sidecar": flags.sidecar,
        }
        if flags.each:
            defaults["prompt"] = self._prompt
        return defaults

    @cached_property
    def _planner(self) -> Planner:
        flags, source = self._flags, self._source
        width = len(str(len(source.rows)))
        default_name = "{stem}-edit" if flags.each else f"{{index:0{width}}}-{{slug}}"
        order = Order(
            batch=self._batch,
            operation=flags.operation,
            defaults=self._defaults,
            images=() if flags.each else flags.images,
            bases=source.bases,
            folder=self._folder,
            template=flags.name or default_name,
            id_template=flags.name or "{id}",
            exists=flags.when_taken,
            rules=Rules(
                make_saved=flags.force,
                keep_edited=self._lock is not None and not flags.forces_rows,
                retry_failed=flags.retry_failed,
                resubmit_unknown=flags.on_unknown == "resubmit",
            ),
            by_image=flags.each,
            waits=not flags.no_wait,
        )
        return Planner(
            order,
            open_provider=lambda name: self._settings.open(known_provider(name)),
            stdin=self._stdin_again,
            made=self._memory.files,
            locked=self._lock.locked if self._lock else None,
        )

    @cached_property
    def _stdin_content(self) -> bytes:
        return piped_image().read()

    def _stdin(self) -> BinaryIO:
        return typed_bytes("the prompts", quiet=self._flags.quiet)

    def _stdin_again(self) -> BinaryIO:
        """Standard input as an image, for every row that uses it."""
        return io.BytesIO(self._stdin_content)

    def _made(self, identity: Sequence[str]) -> set[Path]:
        """The files that the batch made in earlier runs."""
        batch = self._flags.batch or batch_id(identity, self._folder)
        return {path.resolve() for path in self._memory_of(batch, self._journal).files()}

    def _planned(self) -> list[Entry]:
        """The rows of this run, planned. Raises one KontextError with the errors in all rows."""
        with ExitStack() as stack:
            if self._lock is not None:
                stack.enter_context(self._lock.hashes)
                self._lock.begin(self._defaults, self._settings, is_new=self._memory.is_new)
            source, planner, part = self._source, self._planner, self._part
            return planner.entries(source, part, self._memory.lookup())

    @cached_property
    def _part(self) -> Part:
        """The rows of this run; all of them if the files have errors, which are reported first."""
        flags, rows = self._flags, self._source.rows
        try:
            return Part(rows, only=flags.only, shard=flags.shard, limit=flags.limit)
        except UsageError:
            if not self._source.faults:
                raise
            return Part(rows)

    def _dry_run(self, entries: Sequence[Entry]) -> Result:
        for entry in entries:
            if entry.step is Step.MAKE:
                self._tally.spend(entry.cost)
        text = row_lines(
            entries,
            lambda: self._rows(entries),
            folder=str(self._folder),
            cost=self._tally.cost,
        )
        return Result(text=text, records=self._records(entries))

    def _rows(self, entries: Sequence[Entry]) -> Iterator[tuple[Entry, Job]]:
        """Each row with its job, which is read when it is printed: after the session.

        Without `--json`, a row that is skipped has the job that it asks for.
        """
        with ExitStack() as stack:
            journal = Journal.read(self._session.journal_location)
            if journal is not None:
                stack.enter_context(journal)
            memory = self._memory_of(self._batch, journal)
            for entry in entries:
                if entry.step is Step.MAKE or self._needs_no_job(entry):
                    yield entry, self._planner.job(entry)
                else:
                    job = memory.job_of(entry)
                    self._tally.count(job)
                    yield entry, job

    def _records(self, entries: Sequence[Entry]) -> Iterator[Mapping[str, object]]:
        for entry, job in self._rows(entries):
            yield row_record(entry, job)
        yield summary_record(self._batch, self._tally, exit_code=0)

    def _do(self, entries: Sequence[Entry], budget: Budget) -> Result:
        batch = Batch(
            self._planner,
            self._session.journal,
            self._memory,
            claim=partial(
                self._session.scribe.take,
                seconds=self._flags.timeout,
                limit=self._flags.max_cost,
            ),
            delivery=partial(file_delivery, proven=set(), scratch=self._session.state_folder),
            limits=Limits(
                self._flags.timeout,
                1 if self._flags.fail_fast else self._flags.max_failures,
                waits=not self._flags.no_wait,
            ),
            budget=budget,
            report=self._report_row,
            spend=self._tally.spend,
            on_stop=self._report.stopping,
            notice=self._report.notice,
        )
        for entry in entries:
            if self._needs_no_job(entry):
                self._tally.skip()
                self._report.skipped(entry.paths, entry.reason)
            elif entry.step not in WORK:
                self._report_row(self._memory.job_of(entry), entry)
        lanes = self._lanes(entries, batch)
        self._session.run_batch(
            lambda: self._work(batch, lanes),
            lambda number: batch.interrupt(Interrupted("interrupted", signal_number=number)),
        )
        fault = self._written()
        return self._report.summary(batch.stop or fault, rerun=command_again(self._flags))

    def _budget(self) -> Budget:
        """The budget of the run; where machines share the journal, what is left of that of the
        batch."""
        journal, limit = self._journal, self._flags.max_cost
        if limit is None or journal is None:
            return Budget(limit)
        return Budget(limit, journal.reserved(self._batch))

    def _written(self) -> KontextError | None:
        """Write what the lock does not have yet; the error if that is not possible."""
        try:
            if self._lock is not None:
                self._lock.write()
        except KontextError as fault:
            self._report.failed(fault)
            return fault
        return None

    def _needs_no_job(self, entry: Entry) -> bool:
        """Whether a row is reported by its files: to read all of its job takes long."""
        is_skipped = entry.step is Step.SKIP and not self._flags.json
        return is_skipped and (self._lock is None or self._lock.knows(entry))

    def _lanes(self, entries: Sequence[Entry], batch: Batch) -> dict[str, Lane]:
        """The rows of each provider, with its limit of jobs in flight."""
        lanes = {
            name: Lane(
                [entry for entry in entries if entry.at == name],
                open_pool(known_provider(name), self._settings, self._flags.jobs),
                stop=partial(batch.stop_provider, name),
                notice=self._report.notice,
            )
            for name in providers_of(entries)
        }
        for name, lane in lanes.items():
            if not self._keys.is_usable(self._planner.provider(name)):
                lane.close()
        return lanes

    async def _work(self, batch: Batch, lanes: dict[str, Lane]) -> None:
        pools = [
            lane.pool
            for name, lane in lanes.items()
            if self._keys.is_usable(self._planner.provider(name))
        ]
        async with engines_of(pools, self._session, self._watch(batch)) as engines:
            keeping = asyncio.ensure_future(self._lock.keep_writing()) if self._lock else None
            try:
                await batch.run(lanes, engines)
            finally:
                if keeping is not None:
                    keeping.cancel()

    def _watch(self, batch: Batch) -> Callable[[Job, Sequence[str]], None]:
        def watch(job: Job, logs: Sequence[str]) -> None:
            self._report.watch(job, logs)
            batch.watch(job)

        return watch

    def _report_row(self, job: Job, entry: Entry) -> None:
        self._tally.count(job)
        if self._lock is not None:
            self._lock.keep(entry, job)
        row = entry.row
        line, file = (row.line or None, row.file) if self._source.names else (None, None)
        self._report.ended(job, line=line, file=file, reason=entry.reason)
        if not job.skipped:
            for text in differences(job):
                self._report.notice(text)
