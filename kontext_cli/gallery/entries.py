"""What a gallery shows: the images and failures of a batch, or the images of folders and files."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kontext_cli.files.listing import IMAGE_SUFFIXES, in_natural_order
from kontext_cli.files.saved import condition_at
from kontext_cli.gallery.spending import Spending
from kontext_cli.gallery.thumbnails import is_thumbnail
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.job import Job
from kontext_cli.journal import Journal
from kontext_cli.journal.codec import SavedFile
from kontext_cli.sizes import MOST_BYTES

_MOST_NAMED = 3

Counted = Callable[[int, str], None]
"""Receives how many things were read so far, and what they are."""


class Entry(NamedTuple):
    """An image file with the job that made it, if that is known; or a job without an image."""

    job: Job | None
    path: Path | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What is to be shown. The jobs of ``entries`` are read one by one, as they are taken.

    ``spending`` counts the jobs of a batch that are not shown, too: earlier attempts at its rows.
    """

    title: str
    count: int
    entries: Iterator[Entry]
    spending: Spending = field(default_factory=Spending)


@dataclass(slots=True)
class _Batch:
    """The jobs of a batch, by what is needed to put their images in order."""

    order: list[tuple[int, str]] = field(default_factory=list)
    owners: dict[str, str] = field(default_factory=dict)
    without_files: dict[str, str | None] = field(default_factory=dict)

    def add(self, job: Job) -> None:
        """The next job: attempts at a row come in turn."""
        self.order.append((job.index or 0, job.id))
        self.without_files[job.row or job.id] = None if job.files else job.id
        for file in job.files:
            path = str(file.path)
            self.owners[path] = max(job.id, self.owners.get(path, ""))


def of_batch(journal: Journal, batch: str, counted: Counted) -> Selection | None:
    """The last attempt at each row of a batch, in the order of the rows; None for no such batch.

    Of several jobs that wrote the same file, only the last one is shown with it.
    """
    found, spending = _Batch(), Spending()
    for number, job in enumerate(journal.of_batch(batch), start=1):
        found.add(job)
        spending.add(job)
        counted(number, "jobs read")
    if not found.order:
        return None
    failed = {each for each in found.without_files.values() if each is not None}
    shown = failed | set(found.owners.values())
    ids = [job_id for _, job_id in sorted(found.order) if job_id in shown]
    return Selection(
        title=_title(batch, next(iter(found.owners), None)),
        count=len(found.owners) + len(failed),
        entries=_entries(journal.by_ids(ids), found.owners),
        spending=spending,
    )


def _title(batch: str, path: str | None) -> str:
    """The name of a batch; where it was made up by us, that of the folder of its images."""
    made_up = len(batch) == 12 and set(batch) <= set("0123456789abcdef")
    folder = Path(path).parent.name if path else ""
    return folder if made_up and folder else batch


def _entries(jobs: Iterator[Job], owners: dict[str, str]) -> Iterator[Entry]:
    for job in jobs:
        paths = [file.path for file in job.files if owners.get(str(file.path)) == job.id]
        yield from (Entry(job, path) for path in paths)
        if not job.files:
            yield Entry(job, None)


def of_files(
    journal: Journal | None, names: Sequence[str], counted: Counted, *, besides: Path
) -> Selection:
    """The images of folders and files, in the order given; ``besides`` is left out.

    Folders are read with the folders in them, but for hidden ones, in natural order. Raises OSError
    for a folder that cannot be read.
    """
    paths = list(dict.fromkeys(_listed(names, besides)))
    jobs = _jobs_of(journal, paths, counted) if journal is not None else {}
    return Selection(
        title=_joined(names),
        count=len(paths),
        entries=_of_paths(journal, paths, jobs),
    )


def _joined(names: Sequence[str]) -> str:
    """A title from the names that were given."""
    if len(names) > _MOST_NAMED:
        return "Images"
    return ", ".join(Path(os.path.abspath(name)).name for name in names)  # noqa: PTH100


def _of_paths(
    journal: Journal | None, paths: Sequence[str], jobs: dict[str, str]
) -> Iterator[Entry]:
    for path in paths:
        job = None
        if journal is not None and path in jobs:
            job = next(journal.by_ids([jobs[path]]), None)
        yield Entry(job, Path(path))


def _listed(names: Sequence[str], besides: Path) -> Iterator[str]:
    left_out = os.path.abspath(besides)  # noqa: PTH100  # `..` as the shell and a browser read it
    for name in names:
        found = _images_in(name) if Path(name).is_dir() else [name]
        paths = map(os.path.abspath, found)
        yield from (path for path in paths if path != left_out)


def _images_in(folder: str) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise error

    for inner, folders, names in os.walk(folder, onerror=fail):
        folders[:] = sorted((each for each in folders if each[0] != "."), key=in_natural_order)
        for name in sorted(names, key=in_natural_order):
            is_image = Path(name).suffix.lower() in IMAGE_SUFFIXES
            if is_image and name[0] != "." and not is_thumbnail(name):
                yield os.path.join(inner, name)  # noqa: PTH118


def _jobs_of(journal: Journal, paths: Sequence[str], counted: Counted) -> dict[str, str]:
    """The ids of the jobs that made the files: by path where nothing was changed, else by hash."""
    sizes = dict(_sizes(paths))
    wanted = set(sizes.values())
    by_path: dict[str, tuple[str, SavedFile]] = {}
    by_hash: dict[tuple[int, str], str] = {}
    for number, (job_id, file) in enumerate(journal.saved_files(), start=1):
        counted(number, "records read")
        if file.bytes in wanted:
            by_hash.setdefault((file.bytes, file.sha256), job_id)
            if sizes.get(file.path) == file.bytes:
                by_path.setdefault(file.path, (job_id, file))
    jobs = {path: job_id for path, (job_id, file) in by_path.items() if _is_untouched(path, file)}
    known = {size for size, _ in by_hash}
    for number, (path, size) in enumerate(sizes.items(), start=1):
        counted(number, "files compared")
        if path not in jobs and size in known:
            job = by_hash.get((size, _hash(path)))
            jobs |= {path: job} if job else {}
    return jobs


def _sizes(paths: Sequence[str]) -> Iterator[tuple[str, int]]:
    for path in paths:
        with suppress(OSError, ValueError):
            yield path, Path(path).stat().st_size


def _is_untouched(path: str, file: SavedFile) -> bool:
    found = condition_at(path, size=file.bytes, modified=file.modified, sha256=file.sha256)
    return found == "untouched"


def _hash(path: str) -> str:
    with suppress(OSError, NotAnImage):
        return hashlib.sha256(read_regular(Path(path), most=MOST_BYTES)).hexdigest()
    return ""
