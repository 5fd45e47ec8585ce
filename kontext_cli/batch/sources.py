"""Where the rows of a batch come from: a prompts file, standard input, or a folder of images."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO

from kontext_cli.errors import InputFault, UsageError
from kontext_cli.images.inputs import is_url
from kontext_cli.prompts import Mistake, Row, Rows, kind_of, read_prompts

MOST_FILE_BYTES = 512 * 2**20
_PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif"})
_FEW = 1_000
_DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """What a batch is made of.

    ``names`` are the files as they were typed, none for images. ``identity`` tells the batch from
    others with the same output folder. Images of rows are relative to the folder that ``bases``
    has for their file.
    """

    rows: Sequence[Row]
    mistakes: Sequence[Mistake]
    names: Sequence[str]
    identity: Sequence[str]
    bases: Mapping[str, Path]


def rows_of_files(names: Sequence[str], stdin: Callable[[], BinaryIO]) -> Source:
    """Read prompts files one after the other; ``-`` is standard input.

    Raises InputFault for one that cannot be read, UsageError for one of a kind that is not.
    """
    kinds = [kind_of(name) for name in names]
    rows = Rows()
    for name, kind in zip(names, kinds, strict=True):
        rows.begin(name)
        read_prompts(_content(name, stdin), kind, rows)
    return Source(
        rows=rows.good,
        mistakes=rows.mistakes,
        names=names,
        identity=sorted(map(_identity, names)),
        bases={name: _base(name) for name in names},
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
        raise InputFault(f"cannot read `{name}`: no file has such a name") from None
    if len(data) > MOST_FILE_BYTES:
        raise InputFault(f"`{name}` is larger than {MOST_FILE_BYTES // 2**20} MiB")
    return data


def rows_of_images(
    prompt: str, images: Sequence[str], *, made: Callable[[], Collection[Path]]
) -> Source:
    """A row for each image, and for each picture in a folder; in their natural order.

    One that is named twice is one row. What the batch itself ``made``, by the real paths, is left
    out, so that a folder may take its own results.
    """
    found: list[str] = []
    for image in images:
        folder = Path(image)
        found += _pictures_in(folder, made()) if _is_folder(folder) else [image]
    sources: dict[str, str] = {}
    for each in found:
        sources.setdefault(real_name(each), each)
    if not sources:
        raise UsageError("there is no picture to edit", hint="name images or folders with -i")
    return Source(
        rows=[
            Row(number, number, {"images": (each,)})
            for number, each in enumerate(sources.values(), start=1)
        ],
        mistakes=(),
        names=(),
        identity=("each", prompt),
        bases={"": Path.cwd()},
    )


def row_place(row: Row) -> str:
    """Where a row stands: its file and its line."""
    return f"{row.file}:{row.line}" if row.file not in ("", "-") else f"line {row.line}"


def real_name(image: str) -> str:
    """What an image is known by, however it was spelled: its real path, or its URL."""
    return image if image == "-" or is_url(image) else os.path.realpath(image)


def batch_id(identity: Sequence[str], folder: Path) -> str:
    """What a batch is known by: its output folder, and where its rows come from."""
    told = json.dumps([str(folder.resolve()), *identity])
    return hashlib.sha256(told.encode()).hexdigest()[:12]


class Part:
    """Which rows belong to a run: those that `--only` names, of one shard, up to a number.

    ``is_small`` says that it is quicker to look up its rows one by one than all of the batch.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        *,
        only: str | None = None,
        shard: str | None = None,
        limit: int | None = None,
    ) -> None:
        """Raises UsageError for a row that is not there, and for what is no shard."""
        self._only = None if only is None else _named(only, rows)
        self._shard = None if shard is None else parse_shard(shard)
        self._left = limit
        self._unseen = None if self._only is None else len(self._only)
        bounds = [each for each in (limit, self._unseen) if each is not None]
        self.is_small = bool(bounds) and min(bounds) <= _FEW

    @property
    def is_over(self) -> bool:
        """Whether no further row is part of the run."""
        return self._left == 0 or self._unseen == 0

    def takes(self, row: Row, key: str) -> bool:
        """Whether a row, known by ``key``, is part of the run; to be asked once, in order."""
        if self.is_over:
            return False
        if self._only is not None and self._unseen is not None:
            if row.index not in self._only:
                return False
            self._unseen -= 1
        if self._shard is not None and not in_shard(key, *self._shard):
            return False
        if self._left is not None:
            self._left -= 1
        return True


def in_shard(key: str, shard: int, shards: int) -> bool:
    """Whether a row belongs to shard ``shard`` of ``shards``, counted from 1.

    By what the row is known by: another row put before it moves it to no other shard.
    """
    mark = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8])
    return mark % shards == shard - 1


def parse_shard(given: str) -> tuple[int, int]:
    """Read `I/N`. Raises UsageError."""
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", given)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise UsageError(f"--shard should be I/N with I from 1 to N, not `{given}`")
    return int(found[1]), int(found[2])


def _named(only: str, rows: Sequence[Row]) -> set[int]:
    """The indexes of the rows that are named by their ids, or else by their numbers."""
    by_name = {str(row.index): row.index for row in rows}
    by_name |= {row.values["id"]: row.index for row in rows if "id" in row.values}
    chosen = set()
    for name in filter(None, (each.strip() for each in only.split(","))):
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            raise UsageError(
                f"--only: there is no row `{name}`",
                hint=f"did you mean `{near[0]}`?" if near else "name rows by their id or number",
            )
        chosen.add(by_name[name])
    return chosen


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _pictures_in(folder: Path, made: Collection[Path]) -> list[str]:
    try:
        names = sorted(folder.iterdir(), key=lambda path: _natural(path.name))
    except OSError as error:
        raise InputFault(f"cannot read `{folder}`: {error.strerror or error}") from None
    return [
        str(path)
        for path in names
        if path.suffix.lower() in _PICTURES
        and not path.name.startswith(".")
        and path.is_file()
        and path.resolve() not in made
    ]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key that puts `img-9` before `img-10`, and digits before letters."""
    return [
        (0, int(part), "") if part.isdecimal() else (1, 0, part.casefold())
        for part in _DIGITS.split(name)
        if part
    ]
