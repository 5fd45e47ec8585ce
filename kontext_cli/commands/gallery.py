"""`kontext gallery`: a page or a contact sheet of what was made."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files.place import is_object
from kontext_cli.files.replacing import refuse_foreign, replacing
from kontext_cli.gallery.contact_sheet import cells, labels_of, plan_of
from kontext_cli.gallery.entries import Selection, of_batch, of_files
from kontext_cli.gallery.page import MARK as PAGE_MARK
from kontext_cli.gallery.page import Page
from kontext_cli.gallery.thumbnails import (
    HEIGHT,
    LARGE,
    WIDTH,
    EmbeddedThumbnails,
    ThumbnailFolder,
    Thumbnails,
)
from kontext_cli.gallery.tiles import TileMaker, in_threads
from kontext_cli.images.thumbnails import MARK as IMAGE_MARK
from kontext_cli.images.thumbnails import Sheet
from kontext_cli.journal import Journal
from kontext_cli.settings.paths import journal_location
from kontext_cli.terminal.counting import Counting
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result

_KINDS: dict[str, Literal["html", "png", "jpeg"]] = {
    ".html": "html",
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
}
_FEW = 60
"""Images of a page with --inline that are within it at a large size."""


class Made(NamedTuple):
    """How many images the page or the sheet shows, how many files it could not, and other rows."""

    images: int
    faults: int
    others: int
    first_fault: str


def make_gallery(
    names: Sequence[str],
    *,
    output: str | None,
    batch: str | None,
    inline: bool,
    columns: int | None,
    label: str | None,
    as_json: bool,
    quiet: bool,
) -> Result:
    """Write the page or the sheet; the result is its path.

    Raises UsageError, InputFault where no image can be read, NameTaken and OutputFault.
    """
    path, kind = _output(output)
    if names and batch is not None:
        raise UsageError("give either files and folders, or --batch, not both")
    if kind == "html" and (columns is not None or label is not None):
        raise UsageError("--columns and --label are for a contact sheet: `-o sheet.png`")
    if kind != "html" and inline:
        raise UsageError("--inline is for a page: `-o page.html`")
    if stored := next(filter(is_object, names), None):
        raise UsageError(
            f"`kontext gallery` reads folders and files, and `{stored}` is in a store",
            hint="--batch NAME shows the images of a batch, wherever they are",
        )
    labels = labels_of("prompt" if label is None else label)
    refuse_foreign(path, PAGE_MARK if kind == "html" else IMAGE_MARK.encode())
    with Counting("gallery", quiet=quiet, plain=as_json) as counting, _journal() as journal:
        selection = _selection(journal, names, batch, path, counting)
        if kind == "html":
            made = _write_page(path, selection, counting, inline=inline)
        else:
            made = _write_sheet(path, kind, selection, counting, columns=columns, labels=labels)
    return _result(path, str(output), made)


def _output(output: str | None) -> tuple[Path, Literal["html", "png", "jpeg"]]:
    """The path to be written, and what is written there, by its suffix."""
    if not output:
        raise UsageError("`kontext gallery` needs -o", hint="kontext gallery -o page.html")
    path = Path(output).expanduser()
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UsageError(
            f"-o should end in .html for a page, or in .png or .jpg for a contact sheet, "
            f"not `{output}`",
            hint="kontext gallery -o page.html",
        )
    return Path(os.path.abspath(path)), kind  # noqa: PTH100  # `..` as a browser reads it


@contextmanager
def _journal() -> Iterator[Journal | None]:
    journal = Journal.read(journal_location(os.environ), log=to_stderr)
    if journal is None:
        yield None
        return
    with journal:
        yield journal


def _selection(
    journal: Journal | None,
    names: Sequence[str],
    batch: str | None,
    path: Path,
    counting: Counting,
) -> Selection:
    def counted(count: int, things: str) -> None:
        counting.show(count, None, things)

    if names:
        try:
            found = of_files(journal, names, counted, besides=path)
        except OSError as error:
            name = error.filename or names[0]
            raise InputFault(f"cannot read `{name}`: {error.strerror or error}") from None
        if not found.count:
            raise InputFault(f"there is no image in {', '.join(f'`{name}`' for name in names)}")
        return found
    last = batch if batch is not None or journal is None else journal.last_batch()
    selection = None if journal is None or last is None else of_batch(journal, last, counted)
    if selection is None:
        what = f"the journal has no batch `{batch}`" if batch else "the journal has no batch"
        raise UsageError(what, hint="name a folder: kontext gallery DIR -o page.html")
    return selection


def _write_page(path: Path, selection: Selection, counting: Counting, *, inline: bool) -> Made:
    thumbnails = _thumbnails(path, selection.count, inline=inline)
    maker = TileMaker(path, thumbnails, inline=inline)
    with Page(selection.title, path, selection.spending, inline=inline) as page:
        for number, tile in enumerate(in_threads(maker.tile, selection.entries), start=1):
            page.add(tile)
            counting.show(number, selection.count, "images")
        made = Made(page.images, page.faults, page.states.total(), page.first_fault)
        _check_any(made)
        with replacing(path) as out:
            page.write(out)
    thumbnails.finish()
    return made


def _thumbnails(path: Path, count: int, *, inline: bool) -> Thumbnails:
    if inline:
        return EmbeddedThumbnails(LARGE if count <= _FEW else (WIDTH, HEIGHT))
    return ThumbnailFolder(path.with_name(f"{path.stem}-files"))


def _write_sheet(
    path: Path,
    kind: Literal["png", "jpeg"],
    selection: Selection,
    counting: Counting,
    *,
    columns: int | None,
    labels: Sequence[str],
) -> Made:
    plan = plan_of(selection.count, columns, labels)
    sheet = Sheet(plan)
    images = others = 0
    faults: list[str] = []
    for number, drawn in enumerate(cells(selection.entries, plan, labels), start=1):
        sheet.add(drawn.cell)
        images += drawn.cell.image is not None
        others += drawn.cell.image is None and not drawn.fault
        faults += filter(None, [drawn.fault])
        counting.show(number, selection.count, "images")
    made = Made(images, len(faults), others, next(iter(faults), ""))
    _check_any(made)
    with replacing(path) as out:
        sheet.save(out, kind)
    return made


def _check_any(made: Made) -> None:
    if made.faults and not made.images and not made.others:
        others = made.faults - 1
        more = f"; nor {others:,} other file{'' if others == 1 else 's'}" if others else ""
        raise InputFault(f"cannot read {made.first_fault}{more}")


def _result(path: Path, typed: str, made: Made) -> Result:
    record = {
        "schema": SCHEMA,
        "type": "gallery",
        "path": str(path),
        "images": made.images,
        "without_image": made.others,
        "missing": made.faults,
    }
    notices = []
    if made.faults:
        files = "1 file is" if made.faults == 1 else f"{made.faults:,} files are"
        notices.append(f"{files} missing or damaged, and shown as such")
    return Result(text=[typed], records=[record], messages=notices)
