"""Turns the rows of a batch into entries: what each asks for, and what a run does with it. Nothing
here sends or writes, and what earlier runs did is given."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from kontext_cli.batch.decide import Known, Rules, Step, decide
from kontext_cli.batch.entry import Entry, Order
from kontext_cli.batch.forms import RowRequest
from kontext_cli.batch.naming import Naming
from kontext_cli.batch.requests import Requests
from kontext_cli.batch.sources import Part, real_name
from kontext_cli.engine.plan import Plan
from kontext_cli.errors import InputFault
from kontext_cli.files.saved import condition
from kontext_cli.job import ROW_ID, Job, Target, new_id
from kontext_cli.prompts import Row
from kontext_cli.providers.base import Provider
from kontext_cli.request import chosen_seed


class Planner:
    """Plans the rows of one batch."""

    def __init__(
        self,
        order: Order,
        *,
        open_provider: Callable[[str], Provider],
        stdin: Callable[[], BinaryIO],
        made: Callable[[], Iterable[Path]] = tuple,
    ) -> None:
        """``open_provider`` raises UsageError for an unknown name; ``made`` has the files that the
        batch made in earlier runs."""
        self._order = order
        self._stdin = stdin
        self._requests = Requests(order, open_provider=open_provider, stdin=stdin)
        self._naming = Naming(order, made)
        self._equal: dict[str, int] = {}
        self.notices: list[str] = []

    def provider(self, name: str) -> Provider:
        """The provider of that name, opened once."""
        return self._requests.provider(name)

    def check_images(self, entry: Entry) -> None:
        """See that the input images of a row are images. Raises InputFault or UsageError."""
        self._requests.check_images(entry)

    def has_images(self, row: Row) -> bool:
        """Whether a row has input images."""
        return bool(row.values.get("images") or self._order.images)

    def prompt(self, row: Row) -> str:
        """The prompt of a row: its own, or the one for all rows."""
        return str(self._requests.value(row, "prompt", ""))

    def chosen(self, row: Row, part: Part) -> Entry | None:
        """The entry of a row that is part of the run; all others are only checked.

        Raises KontextError.
        """
        key = self._own_key(row)
        if part.is_over or (key is not None and not part.takes(row, key)):
            self._check(row)
            return None
        asked = self._requests.of(row)
        digest = asked.digest()
        if key is not None:
            return self._entry(row, asked, key, digest)
        key = self._key_by_digest(digest)
        if part.takes(row, key):
            return self._entry(row, asked, key, digest)
        if self._naming.may_share(row):
            self._reserve_names(self._entry(row, asked, key, digest), asked)
        return None

    def entry(self, row: Row) -> Entry:
        """The entry of a row, whatever part it belongs to. Raises KontextError."""
        asked = self._requests.of(row)
        digest = asked.digest()
        return self._entry(row, asked, self._own_key(row) or self._key_by_digest(digest), digest)

    def settle(self, entry: Entry, known: Known | None, rules: Rules) -> None:
        """Decide what is done for a row of which ``known`` is known, and name its files.

        Raises KontextError.
        """
        entry.seen = (known.job_id, known.state.value) if known else None
        known = known.for_digest(entry.digest) if known else None
        decision = decide(known, entry.digest, rules, keep_flagged=entry.keep_flagged)
        entry.step, entry.reason = decision.step, decision.reason
        entry.job_id = known.job_id if known else None
        entry.attempt = known.attempt + 1 if known else 1
        collects = known is not None and entry.step is Step.COLLECT
        entry.at = known.provider if known and collects else entry.provider
        if known is not None and entry.step is Step.SKIP:
            entry.saved = known.job
        # A job may be submitted at once, or where collecting the missing file fails.
        if entry.step is Step.MAKE or entry.reason == "file missing":
            self._prepare(entry, known.job if known else None)
        elif "output" in entry.row.values:
            self._reserve_names(entry, self._requests.of_entry(entry))

    def plan(self, entry: Entry) -> Plan:
        """The job of a row, ready to be sent. Raises InputFault for an image that has changed."""
        plan = self._requests.of_entry(entry).plan(entry.seed, self._stdin)
        if plan.job.digest != entry.digest:
            raise InputFault("an input image was changed while the batch ran", hint="run it again")
        self._place(plan.job, entry)
        plan.job.target = Target(
            tuple(map(Path, entry.paths)),
            overwrite=self._order.exists == "overwrite",
            keep_flagged=entry.keep_flagged,
            replaces=entry.replaces,
        )
        return plan

    def job(self, entry: Entry) -> Job:
        """The job that a row asks for, to name its files or report on it; it is not sent."""
        return self._job(entry, self._requests.of_entry(entry))

    def _entry(self, row: Row, asked: RowRequest, key: str, digest: str) -> Entry:
        return Entry(
            row=row,
            form=asked.form,
            id=new_id(),
            key=key,
            digest=digest,
            at=asked.form.provider.name,
            seed=chosen_seed() if asked.takes_seed else None,
            keep_flagged=self._requests.value(row, "keep_flagged", False),
        )

    def _job(self, entry: Entry, asked: RowRequest) -> Job:
        seed = entry.seed if asked.seed is None else asked.seed
        job = asked.job(job_id=entry.id, digest=entry.digest, seed=seed)
        self._place(job, entry)
        return job

    def _place(self, job: Job, entry: Entry) -> None:
        job.id = entry.id
        job.batch = self._order.batch
        job.row = entry.key
        job.attempt = entry.attempt
        job.index = entry.row.index

    def _check(self, row: Row) -> None:
        """See that a row that is not part of this run could be; its image files are not read.

        Raises KontextError.
        """
        asked = self._requests.unread(row)
        if self._naming.may_share(row):
            self._reserve_names(self._entry(row, asked, self._own_key(row) or "", ""), asked)

    def _reserve_names(self, entry: Entry, asked: RowRequest) -> None:
        """Keep the names of a row that makes no files in this run from the other rows."""
        self._naming.reserve(entry.row, self._job(entry, asked))

    def _own_key(self, row: Row) -> str | None:
        """What a row is known by; None for its digest, and how many equal rows stand before it."""
        if "id" in row.values:
            return f"{ROW_ID}{row.values['id']}"
        if self._order.by_image:
            return f"image:{real_name(row.values['images'][0])}"
        return None

    def _key_by_digest(self, digest: str) -> str:
        before = self._equal.get(digest, 0)
        self._equal[digest] = before + 1
        return f"{digest}#{before}"

    def _prepare(self, entry: Entry, earlier: Job | None) -> None:
        """Get a row ready to be made: which files of its ``earlier`` job give way, and the names
        of the new ones."""
        job = self.job(entry)
        if earlier is not None:
            made = earlier.files or (earlier.target.replaces if earlier.target else ())
            untouched = [file for file in made if condition(file) == "untouched"]
            entry.replaces = tuple(
                file._replace(path=self._naming.here(file.path)) for file in untouched
            )
            if entry.reason == "changed":
                entry.reason = f"changed: {', '.join(_differences(earlier, job))}"
        names = self._naming.name(entry, job)
        if names.skip:
            entry.step, entry.reason, entry.job_id = Step.SKIP, "there already", None
        self.notices += names.notices
        entry.paths = tuple(map(str, names.paths))


def _differences(earlier: Job, now: Job) -> list[str]:
    """In which of its values a row differs from the job that was made of it."""
    found = [name for name in ("provider", "model") if getattr(earlier, name) != getattr(now, name)]
    names = dict.fromkeys([*now.request, *earlier.request])
    found += [
        name
        for name in names
        if name not in ("images", "seed") and earlier.request.get(name) != now.request.get(name)
    ]
    if [each.sha256 or each.name for each in earlier.sources] != [
        each.sha256 or each.name for each in now.sources
    ]:
        found.append("images")
    return found or ["seed"]
