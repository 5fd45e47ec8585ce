"""Names the files of the rows of a batch; no two rows have the same names."""

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from kontext_cli.batch.entry import Entry
from kontext_cli.batch.order import Order
from kontext_cli.batch.sources import row_place
from kontext_cli.engine.plan import check_maker_unused, name_fields
from kontext_cli.errors import NameTaken, UsageError
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.disk import is_special
from kontext_cli.files.listing import Listing, folded
from kontext_cli.files.names import Exists, Names, name_files, template_fields
from kontext_cli.files.place import is_object, place
from kontext_cli.files.saved import existing_file
from kontext_cli.files.templates import Fields
from kontext_cli.job import File
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
        return "output" in row.others or self._template(row) in self._templates_of_many

    def reserve(self, entry: Entry) -> None:
        """Keep other rows from using the names of a row that makes no files in this run.

        Raises UsageError if an earlier row has one of them.
        """
        self._claim(entry.row, self._names(entry, exists="overwrite").files)

    def name(self, entry: Entry) -> Names:
        """The names of a row's files. Raises UsageError, NameTaken or OutputFault."""
        names = self._free_names(entry)
        if names.skip:
            for path in names.paths:
                existing_file(path)
        else:
            self._claim(entry.row, names.files)
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
        return self._order.id_template if "id" in row.others else self._order.template

    def _free_names(self, entry: Entry) -> Names:
        """The names of a row's files, numbered if they belong to files of other rows."""
        try:
            names = self._names(entry, ours=entry.replaces)
        except NameTaken:
            preferred = self._names(entry, exists="overwrite")
            if not self._are_of_others(preferred.files, entry):
                raise
        else:
            none_taken = self._order.exists == "error"
            if none_taken or not self._are_of_others(names.files, entry):
                return names
            preferred = names
        if "output" in entry.row.others:
            self._claim(entry.row, preferred.files)
        names = self._names(entry, exists="number", ours=entry.replaces)
        taken, free = preferred.paths[0].name, names.paths[0].name
        notice = f"`{taken}` belongs to another row; this one is `{free}`"
        return names._replace(notices=(*names.notices, notice))

    def _are_of_others(self, files: Sequence[str], entry: Entry) -> bool:
        """Whether any of these names belongs to a file of another row of the batch."""
        ours = {file.path for file in entry.replaces}
        there = (place(file) for file in files if destination_of(file).exists(file))
        taken = [path for path in there if path not in ours]
        return bool(taken) and not self._made.isdisjoint(taken)

    def _names(
        self, entry: Entry, *, exists: Exists | None = None, ours: Sequence[File] = ()
    ) -> Names:
        order, options = self._order, entry.shared.request.options
        output = entry.row.others.get("output")
        if output is not None:
            self._check_output(output)
        template = self._template(entry.row)
        if output is None and entry.shared.then is not None:
            check_maker_unused(template_fields(template))
        return name_files(
            output=output,
            folder=order.folder,
            template=template,
            fields=_fields(entry, template_fields(template)) if output is None else {},
            count=options.get("num_images", 1),
            output_format=options.get("output_format", entry.shared.format),
            exists=exists or order.exists,
            ours=[file.path for file in ours] if ours else (),
            apart=lambda: self._made,
            may_have=self._listing.may_have,
            beside=bool(order.of_row(entry.row, "sidecar"))
            or order.of_row(entry.row, "metadata") == "full",
        )

    def _check_output(self, output: str) -> None:
        _check_inside(output)
        path = self._order.folder / output
        if self._listing.may_have(str(path)) and is_special(path):
            raise UsageError(f"the output `{output}` is not a regular file")

    def _claim(self, row: Row, files: Sequence[str]) -> None:
        """Reserve names for a row. Raises UsageError if an earlier row has one of them."""
        for file in files:
            first = self._named.setdefault(hash(folded(file)), row)
            if first is not row:
                what = "image" if self._order.by_image else "line"
                where = f"{what} {first.line}" if first.file == row.file else row_place(first)
                raise UsageError(f"it has the same file name as {where}: `{Path(file).name}`")


def _fields(entry: Entry, used: Collection[str]) -> Fields:
    """The values of the fields that a template uses."""
    return name_fields(
        used,
        index=entry.row.index,
        row_id=entry.row.others.get("id"),
        prompt=entry.prompt,
        provider=entry.shared.provider.name,
        model=entry.shared.model,
        source=entry.images[0].source if entry.images else None,
        draw=entry.draw,
    )


def _check_inside(output: str) -> None:
    path = Path(from_home(output))
    if output == "-":
        raise UsageError("the output `-` is standard output, which rows of a batch cannot use")
    if not path.parts:
        raise UsageError(f"the output `{output}` is the output directory itself")
    if path.is_absolute() or is_object(output) or path.drive or ".." in path.parts:
        raise UsageError(
            f"the output `{output}` is outside the output directory", hint="use -d to choose it"
        )
