"""Plans a batch: turns its rows into entries, with what a run does for each. Nothing is sent or
written here, and what earlier runs did is passed in."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from kontext_cli.batch.decide import SAVED_ELSEWHERE, Known, Step, decide
from kontext_cli.batch.earlier import Earlier, of_job
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.faults import Faults
from kontext_cli.batch.locked import Locked
from kontext_cli.batch.naming import Naming
from kontext_cli.batch.order import Order
from kontext_cli.batch.part import Part
from kontext_cli.batch.requests import Requests, RowRequest
from kontext_cli.batch.sources import BatchSource, real_name
from kontext_cli.engine.plan import Plan
from kontext_cli.errors import KontextError, NameTaken
from kontext_cli.files.place import place
from kontext_cli.files.saved import condition
from kontext_cli.job import ROW_ID, Job, Target
from kontext_cli.prompts import Row
from kontext_cli.providers.base import Provider

_STAND_IN = "x"
"""For a prompt that is missing or wrong, when the other values of its row are checked."""

_UNKNOWN_IMAGE = "restore the lock, if it had this; or use `--exists number` or `skip`"

Lookup = Callable[[Entry], Known | None]
"""What is known of a row from earlier runs."""


class Planner:
    """Plans the rows of one batch."""

    def __init__(
        self,
        order: Order,
        *,
        open_provider: Callable[[str], Provider],
        stdin: Callable[[], BinaryIO],
        made: Callable[[], Iterable[Path]] = tuple,
        locked: Locked | None = None,
        sha256_of: Callable[[str], str] | None = None,
    ) -> None:
        """``open_provider`` raises UsageError for an unknown name; ``made`` returns the files that
        the batch made in earlier runs, and ``locked`` knows those of its lock. ``sha256_of`` hashes
        an input image that is not to be sent."""
        self._order = order
        self._locked = locked
        self._stdin = stdin
        self._requests = Requests(
            order, open_provider=open_provider, stdin=stdin, sha256_of=sha256_of
        )
        self._naming = Naming(order, made)
        self._equal: dict[str, int] = {}
        self.notices: list[str] = []

    def provider(self, name: str) -> Provider:
        """The provider of that name, opened once."""
        return self._requests.provider(name)

    def entries(self, source: BatchSource, part: Part, known: Lookup) -> list[Entry]:
        """The rows of a run, each with what is to be done for it.

        All rows are validated, including those outside the run. Raises one KontextError with the
        errors in all rows.
        """
        faults = Faults(source)
        self._check_faulty(source.faulty, faults)
        entries = []
        for row in self._requests.ahead(source.rows, partial(self._may_be_taken, part)):
            try:
                entry = self._chosen(row, part)
                if entry is None:
                    continue
                self.decide(entry, known(entry))
                if entry.step is Step.MAKE and entry.images:
                    self._requests.check_images(entry.request)
            except KontextError as error:
                faults.add(row, error)
            else:
                entries.append(entry)
        faults.raise_all()
        self.notices += _saved_elsewhere(entries)
        return entries

    def input_files(self, source: BatchSource) -> Iterator[str]:
        """The input images of all rows that are files."""
        for row in source.rows:
            yield from self._requests.files(row)

    def undecided(self, source: BatchSource) -> list[Entry]:
        """All rows, validated: nothing is decided for them, and their files have no names.

        Raises one KontextError with the errors in all rows.
        """
        faults, everything = Faults(source), Part(source.rows)
        self._check_faulty(source.faulty, faults)
        entries = []
        for row in self._requests.ahead(source.rows, lambda _row: True):
            try:
                entry = self._chosen(row, everything)
            except KontextError as error:
                faults.add(row, error)
            else:
                entries += [entry] if entry else []
        faults.raise_all()
        return entries

    def _check_faulty(self, rows: Iterable[Row], faults: Faults) -> None:
        """Add what is wrong with the other values of rows that have a fault already."""
        for row in rows:
            if self._order.operation == "edit" and not self._has_images(row):
                continue  # its images may be the fault
            prompt = row.prompt or self._order.defaults.get("prompt") or _STAND_IN
            whole = Row(row.line, row.index, {**row.others, "prompt": prompt}, row.file)
            try:
                self._requests.of(whole, with_images=False)
            except KontextError as error:
                faults.add(row, error)

    def _has_images(self, row: Row) -> bool:
        return bool(row.others.get("images") or self._order.images)

    def decide(self, entry: Entry, known: Known | None) -> None:
        """Decide what is done for a row of which ``known`` is known, and name its files.

        Raises KontextError.
        """
        entry.seen = known.seen if known else None
        rules = self._order.rules
        known = known.for_digest(entry.digest) if known else None
        known = known.if_edited() if known and rules.keep_edited else known
        decision = decide(known, entry.digest, rules, keep_flagged=entry.keep_flagged)
        entry.step, entry.reason = decision.step, decision.reason
        entry.job_id = known.job_id if known else None
        entry.locked = known.locked if known else None
        entry.attempt = known.attempt + 1 if known else 1
        collects = known is not None and entry.step is Step.COLLECT
        entry.at = known.provider if known and collects else entry.provider
        entry.paths = known.paths if known and entry.step is Step.SKIP else ()
        # A job may be submitted at once, or where collecting the missing file fails.
        if entry.step is Step.MAKE or entry.reason == "file missing":
            self._name_files(entry, self._earlier(known) if known else None)
        elif "output" in entry.row.others:
            self._naming.reserve(entry)

    def plan(self, entry: Entry) -> Plan:
        """The job of a row, ready to be sent. Raises InputFault for an image that has changed."""
        entry.draw()
        job = self.job(entry)
        return Plan(job, entry.request.draft(job.seed, self._stdin), None)

    def job(self, entry: Entry) -> Job:
        """The job that a row asks for, to report on it; it is not sent."""
        job = entry.job(self._order.batch)
        job.target = Target(
            tuple(map(place, entry.paths)),
            overwrite=self._order.exists == "overwrite" and not self._replaces_own(entry),
            keep_flagged=entry.keep_flagged,
            replaces=entry.replaces,
            metadata=self._order.of_row(entry.row, "metadata") or "off",
            sidecar=bool(self._order.of_row(entry.row, "sidecar")),
        )
        return job

    def _may_be_taken(self, part: Part, row: Row) -> bool:
        """Whether the digest of a row may be needed, and with it its input images."""
        key = self._own_key(row)
        return not part.is_over and (self._counts(key) or part.may_take(row, str(key)))

    def _chosen(self, row: Row, part: Part) -> Entry | None:
        """The entry of a row that is part of the run; all others are only validated.

        Raises KontextError.
        """
        key = self._own_key(row)
        counts = self._counts(key)
        is_over = part.is_over
        takes = not is_over and (key is None or part.takes(row, key))
        if is_over or not (takes or counts):
            request = self._requests.of(row, with_images=False)
            self._reserve_if_shared(self._entry(row, request, key))
            return None
        request = self._requests.of(row)
        digest = request.digest()
        entry = self._entry(row, request, key, digest, self._equal_before(digest) if counts else 0)
        if not takes or (key is None and not part.takes(row, entry.key)):
            self._reserve_if_shared(entry)
            return None
        return entry

    def _entry(
        self, row: Row, request: RowRequest, key: str | None, digest: str = "", equal: int = 0
    ) -> Entry:
        return Entry(
            row=row,
            shared=request.shared,
            prompt=request.prompt,
            given_seed=request.seed,
            images=request.images,
            own_key=key,
            digest=digest,
            equal=equal,
            at=request.shared.provider.name,
            keep_flagged=bool(self._order.of_row(row, "keep_flagged")),
        )

    def _counts(self, key: str | None) -> bool:
        """Whether it counts for rows with this key how many equal ones stand before them."""
        return key is None or (self._locked is not None and self._order.by_image)

    def _own_key(self, row: Row) -> str | None:
        """The key of a row that has an id or an image of its own, else None: such a row is
        identified by its digest and the number of equal rows before it."""
        if "id" in row.others:
            return f"{ROW_ID}{row.others['id']}"
        if self._order.by_image:
            return f"image:{real_name(row.others['images'][0])}"
        return None

    def _equal_before(self, digest: str) -> int:
        """The number of rows with this digest before."""
        before = self._equal.get(digest, 0)
        self._equal[digest] = before + 1
        return before

    def _reserve_if_shared(self, entry: Entry) -> None:
        """Reserve the names of a row outside the run, if rows of the run can have the same."""
        if self._naming.may_share(entry.row):
            self._naming.reserve(entry)

    def _earlier(self, known: Known) -> Earlier | None:
        """What an earlier run made of a row, as far as it is known."""
        if known.locked is not None and self._locked is not None:
            return self._locked.earlier(known.locked)
        job = known.read()
        return None if job is None else of_job(job)

    def _replaces_own(self, entry: Entry) -> bool:
        """Whether a row of a batch with a lock replaces files of its own, as they were made."""
        return self._locked is not None and bool(entry.replaces)

    def _name_files(self, entry: Entry, earlier: Earlier | None) -> None:
        """Name the files of a row, and find those of an ``earlier`` run that they replace."""
        if earlier is not None:
            untouched = [file for file in earlier.files if condition(file) == "untouched"]
            entry.replaces = tuple(
                file._replace(path=self._naming.here(file.path)) for file in untouched
            )
            if entry.reason == "changed":
                found = earlier.changes(entry, self.job(entry))
                entry.reason = f"changed: {', '.join(found)}"
        try:
            names = self._naming.name(entry)
        except NameTaken as fault:
            if self._locked is None:
                raise
            raise fault.replace(hint=_UNKNOWN_IMAGE) from fault.__cause__
        if names.skip:
            entry.step, entry.reason, entry.job_id = Step.SKIP, "there already", None
        self.notices += names.notices
        entry.paths = names.files


def _saved_elsewhere(entries: Iterable[Entry]) -> Iterator[str]:
    """A notice of rows whose files are on the disks of other machines."""
    count = sum(entry.reason == SAVED_ELSEWHERE for entry in entries)
    if count:
        yield (
            f"{count} row{' was' if count == 1 else 's were'} saved on another machine, whose files"
            " are not here: skipped; --force makes them again"
        )
