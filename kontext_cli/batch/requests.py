"""Reads rows into requests: each kind of row is validated once, and its request shared by all rows
that differ in their prompts, seeds and images alone."""

from collections.abc import Callable
from typing import Any, BinaryIO

from kontext_cli.batch.entry import Entry, Order
from kontext_cli.batch.forms import Form, RowRequest
from kontext_cli.engine.plan import UPLOADED
from kontext_cli.errors import UsageError
from kontext_cli.files.names import format_of
from kontext_cli.images.inputs import InputImage, fingerprint, is_url, load_images
from kontext_cli.options import OPTIONS
from kontext_cli.prompts import Row
from kontext_cli.providers.base import Provider
from kontext_cli.request import parse
from kontext_cli.settings.paths import from_home

_MOST_FORMS = 1_000
_NOT_REQUESTED = ("id", "images", "keep_flagged", "output")
_SWITCHES = [row.name for row in OPTIONS if row.sent and row.type is bool]


class Requests:
    """Reads the rows of a batch into requests."""

    def __init__(
        self,
        order: Order,
        *,
        open_provider: Callable[[str], Provider],
        stdin: Callable[[], BinaryIO],
    ) -> None:
        """``open_provider`` raises UsageError for an unknown name."""
        self._order = order
        self._open_provider = open_provider
        self._stdin = stdin
        self._providers: dict[str, Provider] = {}
        self._forms: dict[tuple[Any, ...], Form] = {}
        self._prints: dict[str, InputImage] = {}
        self._checked: set[str] = set()

    def provider(self, name: str) -> Provider:
        """The provider of that name, opened once."""
        if name not in self._providers:
            self._providers[name] = self._open_provider(name)
        return self._providers[name]

    def value(self, row: Row, name: str, default: Any) -> Any:
        """What a row says, else what holds for all rows, else ``default``."""
        return row.values.get(name, self._order.defaults.get(name, default))

    def of(self, row: Row) -> RowRequest:
        """What a row asks for. Raises KontextError for whatever is wrong with it."""
        form, prompt, seed, sources = self._read(row)
        return RowRequest(form, prompt, seed, tuple(map(self._print, sources)))

    def unread(self, row: Row) -> RowRequest:
        """What a row asks for, without a look at its image files. Raises KontextError."""
        form, prompt, seed, sources = self._read(row)
        for source in filter(is_url, sources):
            self._print(source)
        images = tuple(InputImage(source=source, stem="", url="") for source in sources)
        return RowRequest(form, prompt, seed, images)

    def of_entry(self, entry: Entry) -> RowRequest:
        """What the row of an entry asks for, as it was read."""
        row = entry.row
        images = tuple(map(self._print, self._sources(row)))
        return RowRequest(
            entry.form, self.value(row, "prompt", ""), self.value(row, "seed", None), images
        )

    def check_images(self, entry: Entry) -> None:
        """See that the input images of a row are images. Raises InputFault or UsageError."""
        for source in self._sources(entry.row):
            sha256 = self._print(source).sha256
            if sha256 is None or sha256 in self._checked:
                continue
            load_images([source], inline_bytes=UPLOADED, provider=entry.provider, stdin=self._stdin)
            self._checked.add(sha256)

    def _read(self, row: Row) -> tuple[Form, str, int | None, tuple[str, ...]]:
        """The form of a row, its prompt, seed and images. It is validated in full where it is the
        first of its kind, or wrong."""
        fields = {**self._order.defaults, **row.values}
        if fields.get("output_format") is None and "output" in fields:
            fields["output_format"] = format_of(fields["output"])
        for name in _NOT_REQUESTED:
            fields.pop(name, None)
        sources = self._sources(row)
        prompt, seed = fields.pop("prompt", None), fields.pop("seed", None)
        kind = (*fields.items(), seed is None, len(sources))
        form = self._forms.get(kind)
        if form is None or not form.fits(prompt, seed):
            form = self._validated({**fields, "prompt": prompt, "seed": seed}, sources)
            if len(self._forms) >= _MOST_FORMS:
                self._forms.clear()
            self._forms[kind] = form
        return form, prompt, seed, sources

    def _validated(self, fields: dict[str, Any], sources: tuple[str, ...]) -> Form:
        order = self._order
        provider, model = fields.pop("provider"), fields.pop("model")
        for name in _SWITCHES:
            fields[name] = fields.get(name) or None  # a switch that is off was not given
        request = parse({**fields, "operation": order.operation, "images": sources or None})
        if request.options.get("sync_mode") and not order.waits:
            raise UsageError("sync_mode brings the picture in the reply; --no-wait does not wait")
        return Form.of(request, self.provider(provider), model)

    def _sources(self, row: Row) -> tuple[str, ...]:
        """The input images of a row, as paths from here, URLs, or ``-``."""
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
