"""A batch as its lock remembers it: the rows now, under the flags of the run that made them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, get_args

from kontext_cli.batch.decide import Rules
from kontext_cli.batch.order import Order
from kontext_cli.batch.sources import BatchSource, rows_of_files
from kontext_cli.errors import LockFault, UsageError
from kontext_cli.files.listing import in_natural_order
from kontext_cli.http.urls import is_url
from kontext_cli.job import Operation
from kontext_cli.lock import Line, Lock, Places
from kontext_cli.prompts import Row
from kontext_cli.prompts.keys import checked
from kontext_cli.settings.settings import WAYS


def source_of(lock: Lock, prompts_file: str | None) -> BatchSource:
    """The rows of a prompts file; for `edit --each` those of the input images that the lock has,
    and that are there.

    Raises InputFault and UsageError.
    """
    if prompts_file is not None:
        return rows_of_files([prompts_file], no_stdin, may_be_empty=True)
    images = [
        image
        for image in input_names(lock, lines_by_input(lock))
        if is_url(image) or os.path.lexists(image)
    ]
    rows = [
        Row(number, number, {"images": (image,)}) for number, image in enumerate(images, start=1)
    ]
    return BatchSource(rows=rows, faults=(), names=(), identity=(), bases={"": Path.cwd()})


def order_of(lock: Lock, source: BatchSource) -> Order:
    """What holds for all rows. Raises LockFault where the lock does not say it."""
    given = dict(lock.header.defaults)
    operation, template = given.pop("operation", None), given.pop("name", None)
    defaults, wrong = checked((key, each) for key, each in given.items() if key not in WAYS)
    missing = [name for name in ("provider", "model") if name not in defaults]
    if operation not in get_args(Operation) or missing or wrong:
        raise LockFault(
            f"`{lock.path}`: its first line does not say which flags made the images",
            hint=f"restore it: git checkout HEAD -- {lock.path.name}",
            details=wrong,
        )
    images = defaults.pop("images", ())
    return Order(
        batch="",
        operation=operation,
        defaults=defaults,
        images=tuple([_place(lock, name) for name in images]),
        bases=source.bases,
        folder=lock.path.parent / lock.header.output_dir,
        template=str(template or "{index}"),
        id_template=str(template or "{id}"),
        exists="error",
        rules=Rules(),
        by_image=lock.header.prompts_file is None,
    )


def ways_of(lock: Lock) -> Mapping[str, str]:
    """How the providers were asked, as far as that was set."""
    given = lock.header.defaults
    return {way: found for way in WAYS if isinstance(found := given.get(way), str)}


def image_sizes(lock: Lock) -> Iterator[tuple[str, int]]:
    """The images of a lock, with the sizes in bytes that they should have."""
    places = Places(lock.path)
    for row in lock.rows:
        for file in row.files:
            yield places.text(file.path), file.bytes


def input_names(lock: Lock, lines: Mapping[str, tuple[Line, ...]]) -> Mapping[str, str]:
    """The names of the input images of ``lines_by_input``, by their path or URL."""
    return {_place(lock, name): name for name in lines}


def lines_by_input(lock: Lock) -> Mapping[str, tuple[Line, ...]]:
    """The lines of the lock of `edit --each` by the name of the input image, in natural order."""
    found: dict[str, tuple[Line, ...]] = {}
    for line in (line for lines in lock.lines.values() for line in lines):
        name = line.row.inputs[0].path if line.row.inputs else line.row.id
        found[name] = (*found.get(name, ()), line)
    return dict(sorted(found.items(), key=lambda each: in_natural_order(each[0])))


def _place(lock: Lock, name: str) -> str:
    return name if is_url(name) else str(lock.path.parent / name)


def no_stdin() -> BinaryIO:
    """Raises UsageError: nothing is read from standard input."""
    raise UsageError("`kontext check` reads no rows from standard input")
