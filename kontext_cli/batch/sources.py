"""Where the rows of a batch come from: prompts files, standard input, or images."""

import hashlib
import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.files.destinations import destination_of
from kontext_cli.files.inputs import reading
from kontext_cli.files.listing import INPUT_SUFFIXES, in_natural_order
from kontext_cli.files.place import is_object, place, typed_place
from kontext_cli.http.urls import is_url
from kontext_cli.prompts import Fault, Row, Rows, kind_of, read_prompts

MOST_FILE_BYTES = 512 * 2**20
NO_LINE = 0
"""The line of a row that stands for a whole file: an image to make again."""


@dataclass(frozen=True, slots=True)
class BatchSource:
    """The rows of a batch, and the faults in its files.

    ``names`` are the files as they were typed, empty for images. ``identity`` distinguishes the
    batch from others with the same output folder. Images of rows are relative to the folder that
    ``bases`` has for their file.
    """

    rows: Sequence[Row]
    faults: Sequence[Fault]
    names: Sequence[str]
    identity: Sequence[str]
    bases: Mapping[str, Path]
    faulty: Sequence[Row] = ()
    """The rows that have faults, with their other values."""


def rows_of_files(
    names: Sequence[str], stdin: Callable[[], BinaryIO], *, may_be_empty: bool = False
) -> BatchSource:
    """Read prompts files in order; ``-`` is standard input.

    Raises InputFault if one cannot be read, and UsageError for an unsupported format or, unless it
    ``may_be_empty``, if there are no rows.
    """
    kinds = [kind_of(name) for name in names]
    rows = Rows()
    for name, kind in zip(names, kinds, strict=True):
        rows.begin(name)
        read_prompts(_content(name, stdin), kind, rows)
    if not rows.good and not rows.faults and not may_be_empty:
        raise UsageError(f"there is no prompt in {quoted(names)}")
    return BatchSource(
        rows=rows.good,
        faults=rows.faults,
        names=names,
        identity=sorted(map(_identity, names)),
        bases={name: _base(name) for name in names},
        faulty=rows.faulty,
    )


def _identity(name: str) -> str:
    return str(Path(name).resolve()) if _is_file(name) else "-"


def _base(name: str) -> Path:
    return Path(name).parent.absolute() if _is_file(name) else Path.cwd()


def _is_file(name: str) -> bool:
    return name != "-" and Path(name).is_file()


def _content(name: str, stdin: Callable[[], BinaryIO]) -> bytes:
    path = Path(name)
    try:
        if name == "-":
            data = stdin().read(MOST_FILE_BYTES + 1)
        else:
            with path.open("rb") as stream:
                data = stream.read(MOST_FILE_BYTES + 1)
    except OSError as error:
        raise InputFault(f"cannot read `{name}`: {error.strerror or error}") from None
    except ValueError:
        raise InputFault(f"cannot read `{name}`: it is not a valid file name") from None
    if len(data) > MOST_FILE_BYTES:
        raise InputFault(f"`{name}` is larger than {MOST_FILE_BYTES // 2**20} MiB")
    return data


def rows_of_images(
    prompt: str, images: Sequence[str], *, made: Callable[[], Collection[Path]]
) -> BatchSource:
    """One row for each image, and for each image in a folder, in natural order.

    An image that is given twice is one row. The files that the batch ``made``, by their real
    paths, are left out, so that the output folder can be the input folder.
    """
    found: list[str] = []
    for image in images:
        found += _images_in(place(image), made()) if _is_folder(image) else [image]
    sources: dict[str, str] = {}
    for each in found:
        sources.setdefault(real_name(each), each)
    if not sources:
        raise UsageError("there are no images to edit", hint="name images or folders with -i")
    return BatchSource(
        rows=[
            Row(number, number, {"images": (each,)})
            for number, each in enumerate(sources.values(), start=1)
        ],
        faults=(),
        names=(),
        identity=("each", prompt),
        bases={"": Path.cwd()},
    )


def rows_of_recipes(recipes: Mapping[str, Mapping[str, Any]]) -> BatchSource:
    """One row for each image to make again: its values, by the name of its file.

    Beside the keys of a prompts file, a row has its `operation`. All such rows with one output
    folder are one batch, in which they are known by their requests alone.
    """
    rows = [
        Row(NO_LINE, index, values, file)
        for index, (file, values) in enumerate(recipes.items(), start=1)
    ]
    return BatchSource(
        rows=rows,
        faults=(),
        names=[*recipes],
        identity=("replay",),
        bases=dict.fromkeys(recipes, Path.cwd()),
    )


def quoted(files: Sequence[str]) -> str:
    """File names as they are printed in a message."""
    return ", ".join(f"`{file}`" for file in files)


def row_place(row: Row) -> str:
    """The place of a row: its file and line, or the image that it makes again."""
    if row.line == NO_LINE:
        return row.file
    return f"{row.file}:{row.line}" if row.file not in ("", "-") else f"line {row.line}"


def real_name(image: str) -> str:
    """The identity of an image, however it was spelled: its real path, or its URL."""
    return image if image == "-" or is_url(image) else os.path.realpath(image)


def batch_id(identity: Sequence[str], folder: Path) -> str:
    """The identity of a batch, from its output folder and where its rows come from."""
    identified = json.dumps([str(folder.resolve()), *identity])
    return hashlib.sha256(identified.encode()).hexdigest()[:12]


def _is_folder(image: str) -> bool:
    """Whether an image is a folder, or a prefix with objects below it.

    Raises InputFault and UsageError.
    """
    if is_object(image):
        return _is_prefix(typed_place(image), image)
    try:
        return Path(image).is_dir()
    except (OSError, ValueError):
        return False


def _is_prefix(path: Path, url: str) -> bool:
    if url.endswith("/") or url.count("/") == len("//"):
        return True
    if path.suffix.lower() in INPUT_SUFFIXES:
        return False
    with reading(url):
        at = destination_of(path)
        return at.stamp(url) is None and bool(at.names(url))


def _images_in(folder: Path, made: Collection[Path]) -> list[str]:
    with reading(folder):
        if is_object(folder):
            names = [*(destination_of(folder).names(str(folder)) or ())]
        else:
            names = [path.name for path in folder.iterdir() if path.is_file()]
    return [
        str(folder / name)
        for name in sorted(names, key=in_natural_order)
        if Path(name).suffix.lower() in INPUT_SUFFIXES
        and not name.startswith(".")
        and (folder / name).resolve() not in made
    ]
