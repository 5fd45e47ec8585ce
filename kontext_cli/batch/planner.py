"""From the rows of a file to what a run does with each: requests, names, steps, costs. Nothing
here sends or writes."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

from kontext_cli.batch.decide import Known, Rules, Step, decide
from kontext_cli.batch.entry import Entry, Order
from kontext_cli.batch.forms import Form, Forms
from kontext_cli.batch.sources import Part, real_name, row_place
from kontext_cli.engine.endings import elsewhere, unknown_since
from kontext_cli.engine.plan import UPLOADED, Plan, Wanted, names_for, plan_job, room_for_images
from kontext_cli.errors import InputFault, NameTaken, UsageError
from kontext_cli.files.disk import is_special
from kontext_cli.files.listing import Listing, folded
from kontext_cli.files.names import Exists, Names, format_of, template_fields
from kontext_cli.files.saved import condition, existing_file
from kontext_cli.images.inputs import (
    InputImage,
    fingerprint,
    is_url,
    load_images,
)
from kontext_cli.job import ROW_ID, File, Job, State, Target
from kontext_cli.journal import Journal
from kontext_cli.options import OPTIONS
from kontext_cli.prompts import Row
from kontext_cli.providers.base import Provider
from kontext_cli.request import Request, parse
from kontext_cli.settings.paths import from_home

_OWN_FIELDS = frozenset({"index", "job"})
"""Of a name template: what each row has another value for."""
_SWITCHES = [row.name for row in OPTIONS if row.sent and row.type is bool]
_OF_THE_ROW_ALONE = ("id", "images", "keep_flagged", "output")


class Planner:
    """Plans the rows of one batch."""

    def __init__(
        self,
        order: Order,
        *,
        journal: Journal | None,
        open_provider: Callable[[str], Provider],
        stdin: Callable[[], BinaryIO],
    ) -> None:
        """``open_provider`` raises UsageError for an unknown name; ``journal`` is None where
        nothing was ever done."""
        self._order = order
        self._journal = journal
        self._open_provider = open_provider
        self._stdin = stdin
        self._providers: dict[str, Provider] = {}
        self._forms = Forms()
        self._prints: dict[str, InputImage] = {}
        self._equal: dict[str, int] = {}
        self._named: dict[int, Row] = {}
        self._listing = Listing()
        self._pictures: set[str | None] = set()
        self._last: tuple[Entry, Job] | None = None
        self.notices: list[str] = []

    @property
    def has_images(self) -> bool:
        """Whether all rows that do not say otherwise have input images."""
        return bool(self._order.images)

    def provider(self, name: str) -> Provider:
        """The provider of that name, opened once."""
        if name not in self._providers:
            self._providers[name] = self._open_provider(name)
        return self._providers[name]

    def prompt(self, row: Row) -> str:
        """What a row asks for in words: its own, or those that hold for all."""
        return str(self._value(row, "prompt", ""))

    def entry(self, row: Row, key: str | None = None) -> Entry:
        """What a row asks for, and what it is known by: ``key``, where that was found already.
        Raises KontextError."""
        fields, images = self._fields(row), self._images(row)
        form = self._form(row, fields, images)
        prints = [self._print(source) for source in images]
        job = form.fill(fields["prompt"], fields.get("seed"), images, prints)
        entry = Entry(
            row=row,
            id=job.id,
            key=key or self.own_key(row) or self._key_by_digest(job.digest),
            digest=job.digest,
            provider=job.provider,
            at=job.provider,
            seed=job.seed if fields.get("seed") is None else None,
            cost=job.cost,
            keep_flagged=self._value(row, "keep_flagged", False),
        )
        self._last = entry, job
        return entry

    def check(self, row: Row) -> None:
        """See that a row that is not part of this run could be asked for; its files are not looked
        at. Raises KontextError."""
        fields, images = self._fields(row), self._images(row)
        form = self._form(row, fields, images)
        for source in filter(is_url, images):
            self._print(source)
        if self._may_share_names(row):
            unread = [InputImage(source=source, stem="") for source in images]
            job = form.fill(fields["prompt"], fields.get("seed"), images, unread)
            job.row, job.index = self.own_key(row) or "", row.index
            self._claim_names(row, job)

    def own_key(self, row: Row) -> str | None:
        """What a row is known by; None for its digest, and how many equal rows stand before it."""
        if "id" in row.values:
            return f"{ROW_ID}{row.values['id']}"
        if self._order.by_image:
            return f"image:{real_name(row.values['images'][0])}"
        return None

    def settle(self, entry: Entry, known: Known | None, rules: Rules) -> None:
        """Decide what is done for a row, and name its files. Raises KontextError."""
        entry.seen = (known.job_id, known.state.value) if known else None
        known = known.for_digest(entry.digest) if known else None
        decision = decide(known, entry.digest, rules, keep_flagged=entry.keep_flagged)
        entry.step, entry.reason = decision.step, decision.reason
        entry.job_id = known.job_id if known else None
        entry.attempt = known.attempt + 1 if known else 1
        collects = known is not None and entry.step is Step.COLLECT
        entry.at = known.provider if known and collects else entry.provider
        if known is not None and entry.step is Step.SKIP:
            entry.saved = known.saved
        if known is not None and self._may_be_made(entry):
            self._look_back(entry, known)
        if self._may_be_made(entry):
            self._name(entry)
        elif "output" in entry.row.values:
            self.check_names(entry)

    def check_names(self, entry: Entry) -> None:
        """Name the files of a row that makes none, for the sake of the others."""
        self._claim_names(entry.row, self._job(entry))

    def check_pictures(self, entry: Entry) -> None:
        """See that the input images of a row are pictures. Raises InputFault or UsageError."""
        for source in self._images(entry.row):
            known_as = self._print(source).sha256
            if known_as is None or known_as in self._pictures:
                continue
            load_images([source], inline_bytes=UPLOADED, provider=entry.provider, stdin=self._stdin)
            self._pictures.add(known_as)

    def plan(self, entry: Entry) -> Plan:
        """The job of a row, ready to be sent. Raises InputFault where an image is another now."""
        request, provider, model = self._request(entry.row)
        images = load_images(
            request.images,
            inline_bytes=room_for_images(provider),
            provider=provider.name,
            stdin=self._stdin,
        )
        plan = plan_job(request, provider, model=model, images=images, wanted=None, seed=entry.seed)
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

    def stub(self, entry: Entry) -> Job:
        """A job that tells of a row for which there is none."""
        self._last = None
        return self._job(entry)

    def known_job(self, entry: Entry) -> Job:
        """The job of a row for which nothing is to be submitted. Raises what `existing_file` does,
        where the row's files are there without one."""
        if entry.job_id is None or self._journal is None:
            job = self._job(entry)
            job.files = tuple(existing_file(Path(path)) for path in entry.paths)
            job.state, job.skipped = State.SAVED, True
            return job
        job = entry.saved or self._journal.find(entry.job_id)
        entry.saved = None
        job.index = entry.row.index
        if entry.step is Step.WAIT:
            if job.state is not State.SAVED:
                return elsewhere(job)
            entry.step, entry.reason = Step.SKIP, "saved"  # since we looked
        job.skipped = entry.step is Step.SKIP
        if entry.step is Step.HOLD and job.error is None:
            job.error = unknown_since(job)
        return job

    def chosen(self, row: Row, part: Part) -> Entry | None:
        """The entry of a row that is part of the run; all others are only checked.

        Raises KontextError.
        """
        key = self.own_key(row)
        if part.is_over or (key is not None and not part.takes(row, key)):
            self.check(row)
            return None
        if key is not None or not part.is_by_key:
            entry = self.entry(row)
            takes = key is not None or part.takes(row, entry.key)
        else:  # most rows are of another shard
            key = self._found_key(row)
            takes = part.takes(row, key)
            if not takes and not self._may_share_names(row):
                return None
            entry = self.entry(row, key)
        if takes:
            return entry
        if self._may_share_names(row):
            self.check_names(entry)
        return None

    def _may_be_made(self, entry: Entry) -> bool:
        """Whether a job of this run may be submitted, at once or where collecting fails."""
        return entry.step is Step.MAKE or entry.reason == "file missing"

    def _may_share_names(self, row: Row) -> bool:
        """Whether another row may have the names of its files: its `output` was typed, or the
        template gives each row no name of its own."""
        return "output" in row.values or self._template(row) in self._templates_of_many

    @cached_property
    def _templates_of_many(self) -> list[str]:
        """The templates that can give several rows one name."""
        order = self._order
        own = {order.template: _OWN_FIELDS, order.id_template: _OWN_FIELDS | {"id"}}
        return [each for each, fields in own.items() if not template_fields(each) & fields]

    def _claim_names(self, row: Row, job: Job) -> None:
        self._claim(row, names_for(job, self._wanted(row, exists="overwrite")).paths)

    def _template(self, row: Row) -> str:
        return self._order.id_template if "id" in row.values else self._order.template

    def _fields(self, row: Row) -> dict[str, Any]:
        """What a row says, and the defaults for what it does not."""
        fields = {**self._order.defaults, **row.values}
        if fields.get("output_format") is None and "output" in fields:
            fields["output_format"] = format_of(fields["output"])
        for name in _OF_THE_ROW_ALONE:
            fields.pop(name, None)
        return fields

    def _form(self, row: Row, fields: Mapping[str, Any], images: Sequence[str]) -> Form:
        """What the row has in common with others, once all of it was found right."""
        return self._forms.of(fields, images, lambda: self._request(row))

    def _request(self, row: Row) -> tuple[Request, Provider, str]:
        order, fields = self._order, self._fields(row)
        provider, model = fields.pop("provider"), fields.pop("model")
        for name in _SWITCHES:
            fields[name] = fields.get(name) or None  # a switch that is off was not given
        if "prompt" not in fields:
            raise UsageError("the prompt is missing")
        images = self._images(row)
        request = parse({**fields, "operation": order.operation, "images": images or None})
        if request.sync_mode and not order.waits:
            raise UsageError("sync_mode brings the picture in the reply; --no-wait does not wait")
        return request, self.provider(provider), model

    def _images(self, row: Row) -> tuple[str, ...]:
        given = row.values.get("images")
        if given is None:
            return self._order.images
        if "-" in given and not self._order.by_image:
            raise UsageError("`-` cannot be an image of a row; give it with -i, for all rows")
        return tuple(self._from_base(source, row.file) for source in given)

    def _from_base(self, source: str, file: str) -> str:
        if source == "-" or is_url(source):
            return source
        return str(self._order.bases[file] / from_home(source))

    def _print(self, source: str) -> InputImage:
        if source not in self._prints:
            self._prints[source] = fingerprint(source, self._stdin)
        return self._prints[source]

    def _found_key(self, row: Row) -> str:
        """What a row without an id is known by, without more of its job than that takes."""
        fields, images = self._fields(row), self._images(row)
        form = self._form(row, fields, images)
        prints = [self._print(source) for source in images]
        return self._key_by_digest(form.digest(fields["prompt"], fields.get("seed"), prints))

    def _key_by_digest(self, digest: str) -> str:
        before = self._equal.get(digest, 0)
        self._equal[digest] = before + 1
        return f"{digest}#{before}"

    def _value(self, row: Row, name: str, default: Any) -> Any:
        return row.values.get(name, self._order.defaults.get(name, default))

    def _job(self, entry: Entry) -> Job:
        """A job that shows what a row asks for; at hand for the row that was planned last."""
        if self._last is not None and self._last[0] is entry:
            job = self._last[1]
        else:
            fields, images = self._fields(entry.row), self._images(entry.row)
            form = self._form(entry.row, fields, images)
            prints = [self._print(source) for source in images]
            job = form.fill(fields["prompt"], fields.get("seed"), images, prints, chosen=entry.seed)
        self._place(job, entry)
        return job

    def _place(self, job: Job, entry: Entry) -> None:
        job.id = entry.id
        job.batch = self._order.batch
        job.row = entry.key
        job.attempt = entry.attempt
        job.index = entry.row.index

    def _look_back(self, entry: Entry, known: Known) -> None:
        """Find what the row made before, and in what it differs."""
        earlier = known.saved or (self._journal.find(known.job_id) if self._journal else None)
        if earlier is None:
            return
        made = earlier.files or (earlier.target.replaces if earlier.target else ())
        untouched = [file for file in made if condition(file) == "untouched"]
        entry.replaces = tuple(file._replace(path=self._here(file.path)) for file in untouched)
        if entry.reason == "changed":
            entry.reason = f"changed: {', '.join(_differences(earlier, self._job(entry)))}"

    def _here(self, path: Path) -> Path:
        """A file of ours as this run spells its folder."""
        folder = self._order.folder
        try:
            return folder / path.resolve().relative_to(folder.resolve())
        except (OSError, ValueError):
            return path

    def _name(self, entry: Entry) -> None:
        names = self._names(entry)
        if names.skip:
            entry.step, entry.reason, entry.job_id = Step.SKIP, "there already", None
            for path in names.paths:
                existing_file(path)
        else:
            self._claim(entry.row, names.paths)
        self.notices += names.notices
        entry.paths = tuple(map(str, names.paths))

    def _names(self, entry: Entry) -> Names:
        """The names of a row's files, around those that other rows of the batch made."""
        job = self._job(entry)
        try:
            names = names_for(job, self._wanted(entry.row, ours=entry.replaces))
        except NameTaken:
            wished = names_for(job, self._wanted(entry.row, exists="overwrite"))
            if not self._are_of_others(wished.paths, entry):
                raise
        else:
            none_taken = self._order.exists == "error"
            if none_taken or not self._are_of_others(names.paths, entry):
                return names
            wished = names
        if "output" in entry.row.values:
            self._claim(entry.row, wished.paths)
        names = names_for(job, self._wanted(entry.row, exists="number", ours=entry.replaces))
        notice = f"`{wished.paths[0].name}` is another row's; this one is `{names.paths[0].name}`"
        return names._replace(notices=(*names.notices, notice))

    def _are_of_others(self, paths: Sequence[Path], entry: Entry) -> bool:
        """Whether some of these names are those of files that other rows of the batch made."""
        ours = {file.path for file in entry.replaces}
        taken = [path for path in paths if path not in ours and os.path.lexists(path)]
        return bool(taken) and not self._made.isdisjoint(taken)

    @cached_property
    def _made(self) -> set[Path]:
        """The files that the batch made in earlier runs."""
        jobs = self._journal.of_batch(self._order.batch) if self._journal else ()
        return {self._here(file.path) for job in jobs for file in job.files}

    def _wanted(
        self, row: Row, *, exists: Exists | None = None, ours: Sequence[File] = ()
    ) -> Wanted:
        output = row.values.get("output")
        if output is not None:
            _check_inside(output)
            path = self._order.folder / output
            if self._listing.may_have(str(path)) and is_special(path):
                raise UsageError(f"the output `{output}` is no regular file")
        return Wanted(
            folder=self._order.folder,
            output=output,
            template=self._template(row),
            exists=exists or self._order.exists,
            ours=[file.path for file in ours],
            apart=lambda: self._made,
            may_have=self._listing.may_have,
        )

    def _claim(self, row: Row, paths: Sequence[Path]) -> None:
        """Keep names for a row. Raises UsageError where an earlier row has one of them."""
        for path in paths:
            name = folded(str(path)).encode("utf-8", "surrogatepass")
            mark = int.from_bytes(hashlib.blake2b(name).digest()[:8])
            first = self._named.setdefault(mark, row)
            if first is not row:
                what = "image" if self._order.by_image else "line"
                where = f"{what} {first.line}" if first.file == row.file else row_place(first)
                raise UsageError(f"it makes `{path.name}`, as {where} does")


def _check_inside(output: str) -> None:
    path = Path(from_home(output))
    if output == "-":
        raise UsageError("the output `-` is standard output, which is not for rows of a batch")
    if not path.parts:
        raise UsageError(f"the output `{output}` is the output folder itself")
    if path.is_absolute() or path.drive or ".." in path.parts:
        raise UsageError(
            f"the output `{output}` leaves the output folder", hint="choose it with -d"
        )


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
