"""Names the files of the rows of a batch; no two rows have the same names."""

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from kontext_cli.batch.entry import Entry
from kontext_cli.batch.order import Order
from kontext_cli.batch.sources import row_place
from kontext_cli.engine.plan import Wanted, names_for
from kontext_cli.errors import NameTaken, UsageError
from kontext_cli.files.disk import is_special
from kontext_cli.files.listing import Listing, folded
from kontext_cli.files.names import Exists, Names, template_fields
from kontext_cli.files.saved import existing_file
from kontext_cli.job import File, Job
from kontext_cli.prompts import Row
from kontext_cli.settings.paths import from_home

_OWN_FIELDS = frozenset({"index", "job"})
"""Fields of a name template that have a different value for each row."""


class Naming:
    """Names the files of each row of a batch."""

    def __init__(self, order: Order, made: Callable[[], Iterable[Path]]) -> None:
        """``made`` returns the files of earlier runs of the batch; it is called at most once."""
        self._order = order
        self._files_made = made
        self._named: dict[int, Row] = {}
        self._listing = Listing()

    def may_share(self, row: Row) -> bool:
        """Whether another row may have the same names: it sets `output`, or the template is not
        unique for each row."""
        return "output" in row.values or self._template(row) in self._templates_of_many

    def reserve(self, row: Row, job: Job) -> None:
        """Keep other rows from using the names of a row that makes no files in this run.

        Raises UsageError if an earlier row has one of them.
        """
        self._claim(row, names_for(job, self._wanted(row, exists="overwrite")).paths)

    def name(self, entry: Entry, job: Job) -> Names:
        """The names of a row's files. Raises UsageError, NameTaken or OutputFault."""
        names = self._free_names(entry, job)
        if names.skip:
            for path in names.paths:
                existing_file(path)
        else:
            self._claim(entry.row, names.paths)
        return names

    def here(self, path: Path) -> Path:
        """The path of an earlier file, with the output folder spelled as in this run."""
        folder = self._order.folder
        try:
            return folder / path.resolve().relative_to(folder.resolve())
        except (OSError, ValueError):
            return path

    @cached_property
    def _made(self) -> set[Path]:
        return set(map(self.here, self._files_made()))

    @cached_property
    def _templates_of_many(self) -> list[str]:
        """The templates that can give several rows the same name."""
        order = self._order
        own = {order.template: _OWN_FIELDS, order.id_template: _OWN_FIELDS | {"id"}}
        return [each for each, fields in own.items() if not template_fields(each) & fields]

    def _template(self, row: Row) -> str:
        return self._order.id_template if "id" in row.values else self._order.template

    def _free_names(self, entry: Entry, job: Job) -> Names:
        """The names of a row's files, numbered if they belong to files of other rows."""
        try:
            names = names_for(job, self._wanted(entry.row, ours=entry.replaces))
        except NameTaken:
            preferred = names_for(job, self._wanted(entry.row, exists="overwrite"))
            if not self._are_of_others(preferred.paths, entry):
                raise
        else:
            none_taken = self._order.exists == "error"
            if none_taken or not self._are_of_others(names.paths, entry):
                return names
            preferred = names
        if "output" in entry.row.values:
            self._claim(entry.row, preferred.paths)
        names = names_for(job, self._wanted(entry.row, exists="number", ours=entry.replaces))
        taken, free = preferred.paths[0].name, names.paths[0].name
        notice = f"`{taken}` belongs to another row; this one is `{free}`"
        return names._replace(notices=(*names.notices, notice))

    def _are_of_others(self, paths: Sequence[Path], entry: Entry) -> bool:
        """Whether any of these names belongs to a file of another row of the batch."""
        ours = {file.path for file in entry.replaces}
        taken = [path for path in paths if path not in ours and os.path.lexists(path)]
        return bool(taken) and not self._made.isdisjoint(taken)

    def _wanted(
        self, row: Row, *, exists: Exists | None = None, ours: Sequence[File] = ()
    ) -> Wanted:
        output = row.values.get("output")
        if output is not None:
            _check_inside(output)
            path = self._order.folder / output
            if self._listing.may_have(str(path)) and is_special(path):
                raise UsageError(f"the output `{output}` is not a regular file")
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
        """Reserve names for a row. Raises UsageError if an earlier row has one of them."""
        for path in paths:
            name = folded(str(path)).encode("utf-8", "surrogatepass")
            mark = int.from_bytes(hashlib.blake2b(name).digest()[:8])
            first = self._named.setdefault(mark, row)
            if first is not row:
                what = "image" if self._order.by_image else "line"
                where = f"{what} {first.line}" if first.file == row.file else row_place(first)
                raise UsageError(f"it has the same file name as {where}: `{path.name}`")


def _check_inside(output: str) -> None:
    path = Path(from_home(output))
    if output == "-":
        raise UsageError("the output `-` is standard output, which rows of a batch cannot use")
    if not path.parts:
        raise UsageError(f"the output `{output}` is the output directory itself")
    if path.is_absolute() or path.drive or ".." in path.parts:
        raise UsageError(
            f"the output `{output}` is outside the output directory", hint="use -d to choose it"
        )
