"""What the lock of a batch knows of its rows, before the journal does."""

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from kontext_cli.batch.decide import Known
from kontext_cli.batch.earlier import Earlier
from kontext_cli.batch.entry import Entry
from kontext_cli.batch.locked_row import image_name, lock_id, row_now
from kontext_cli.files.hashes import Hashes
from kontext_cli.files.saved import Condition
from kontext_cli.job import OPEN, File, FileFormat, Job, State
from kontext_cli.lock import Line, Lock, LockedFile, LockedRow, Places, changes, choose

_GOES_ON = OPEN | {State.UNKNOWN}
_FORMATS: dict[str, FileFormat] = {".png": "png", ".webp": "webp"}


class Locked:
    """Looks up rows in one or several locks; a row of a later one replaces those before it."""

    def __init__(
        self,
        locks: Sequence[Lock],
        places: Places,
        hashes: Hashes,
        *,
        by_image: bool = False,
        make_edited: bool = False,
    ) -> None:
        """``by_image``: rows are found by their first image as well. With ``make_edited``, files
        that were edited are replaced, too."""
        self._places = places
        self._hashes = hashes
        self._make_edited = make_edited
        self._lines: dict[str, tuple[Line, ...]] = {}
        self._paths: dict[str, Path] = {}
        for lock in locks:
            self._lines.update(lock.lines)
            self._paths.update(dict.fromkeys(lock.lines, lock.path))
        self._by_image = by_image
        self._corrected: dict[str, LockedRow] = {}
        self._notices: dict[str, str] = {}

    @property
    def corrected(self) -> list[LockedRow]:
        """The rows that were looked up and need another line: they have several, or their input
        images have other names now."""
        return [*self._corrected.values()]

    @property
    def notices(self) -> list[str]:
        """What there is to say about rows with several lines."""
        return [*self._notices.values()]

    def read_ahead(self) -> None:
        """Hash all files at once, which takes less time than one by one."""
        rows = (line.row for lines in self._lines.values() for line in lines)
        files = (file for row in rows for file in row.files)
        self._hashes.read((self._places.text(file.path), file.bytes) for file in files)

    def known(self, entry: Entry, in_journal: Known | None) -> Known | None:
        """What is known of a row. The journal counts where it knows of later work.

        Raises LockFault for lines that contradict each other, and files outside the folder.
        """
        row = self._row(entry)
        if row is None:
            return in_journal
        paths = tuple([self._places.checked(file.path) for file in row.files])
        is_known = in_journal is not None and _is_same(in_journal, row, paths)
        known = Known(
            job_id=None,
            attempt=0,
            state=State.SAVED,
            digest=row.request,
            files="untouched" if is_known else self.condition(row),
            free=True,
            at_hand=False,
            provider=entry.provider,
            paths=paths,
            locked=row,
        )
        if in_journal is None:
            return known
        return _later(known, in_journal, entry.digest, keep_edited=not self._make_edited)

    def condition(self, row: LockedRow) -> Condition:
        """The condition of the files of a row: edited if any is, else missing if any is."""
        found = {self._condition(file) for file in row.files}
        if "edited" in found:
            return "edited"
        return "untouched" if found == {"untouched"} else "missing"

    def earlier(self, row: LockedRow) -> Earlier:
        """The files of a row, and how its request differs now."""
        files = _files(row, self._places)
        if self._make_edited:
            files = [self._as_it_is(file) for file in files]
        return Earlier(tuple(files), lambda entry, _job: changes(row, row_now(entry, self._places)))

    def job(self, entry: Entry, row: LockedRow, batch: str) -> Job:
        """The job of a row whose files exist, to report on it."""
        entry.drawn_seed = row.seed
        job = entry.job(batch)
        job.files = tuple(_files(row, self._places))
        job.state, job.skipped = State.SAVED, True
        return job

    def files(self) -> Iterator[Path]:
        """All files that are named."""
        folder = self._places.folder
        rows = (line.row for lines in self._lines.values() for line in lines)
        return (folder / file.path for row in rows for file in row.files)

    def _row(self, entry: Entry) -> LockedRow | None:
        """The line that counts for a row."""
        lines = self._lines.get(lock_id(entry)) or self._of_image(entry)
        if not lines:
            return None
        lock = self._paths[lines[0].row.id]
        row = choose(lines, entry.digest, self._is_on_disk, lock=lock)
        if len(lines) > 1:
            number = next(line.number for line in lines if line.row is row)
            notice = f"`{lock.name}` has several lines of `{row.id}`; line {number} fits the files"
            self._notices[row.id] = notice
            self._corrected[row.id] = row
        if entry.images and row.request == entry.digest:
            inputs = row_now(entry, self._places).inputs
            if inputs != row.inputs:
                self._corrected[row.id] = row._replace(inputs=inputs)
        return row

    def _of_image(self, entry: Entry) -> tuple[Line, ...]:
        """The line of a row whose image had another content."""
        name = image_name(entry.images[0], self._places) if self._by_image else None
        found = self._images.get(name, []) if name else []
        return tuple(found) if len(found) == 1 else ()

    @cached_property
    def _images(self) -> dict[str, list[Line]]:
        """The lines by their first input image."""
        images: dict[str, list[Line]] = {}
        for line in (line for lines in self._lines.values() for line in lines):
            if line.row.inputs:
                images.setdefault(line.row.inputs[0].path, []).append(line)
        return images

    def _is_on_disk(self, row: LockedRow) -> bool:
        return self.condition(row) == "untouched"

    def _condition(self, file: LockedFile) -> Condition:
        path = self._places.checked(file.path)
        try:
            return self._hashes.condition(path, size=file.bytes, sha256=file.sha256)
        except OSError:
            return "edited"

    def _as_it_is(self, file: File) -> File:
        """A file with the content it has now."""
        try:
            found = file.path.stat()
            now = self._hashes.sha256(file.path)
        except OSError:
            return file
        return file._replace(sha256=now, bytes=found.st_size, modified=found.st_mtime_ns)


def _is_same(known: Known, row: LockedRow, paths: Sequence[str]) -> bool:
    """Whether the journal knows that the files of a row in the lock are untouched."""
    return (
        known.files == "untouched"
        and known.paths == paths
        and known.hashes == tuple([file.sha256 for file in row.files])
    )


def _later(locked: Known, journal: Known, digest: str, *, keep_edited: bool) -> Known:
    """What counts of a row that the lock and the journal know, and whose request has ``digest``.

    The journal does where it has what the lock does not: images that were saved, or a job that was
    submitted, before the lock could be written.
    """
    known = locked._replace(attempt=journal.attempt, seen=journal.seen)
    if locked.files == "untouched" and locked.digest == digest:
        return known
    made = journal if journal.state is State.SAVED else journal.before
    is_ours = made is not None and made.files == "untouched"
    if locked.files == "edited":
        is_ours = is_ours and made is not None and not set(locked.paths).isdisjoint(made.paths)
        if keep_edited and not is_ours:
            return known
    if locked.files == "untouched":
        journal = journal._replace(before=None)  # whose files the lock's have replaced
    if journal.state in _GOES_ON:
        return journal
    if journal.state is State.SAVED:
        if is_ours and (journal.digest == digest or locked.files != "untouched"):
            return journal
        return journal if locked.files == "missing" and journal.digest == digest else known
    if locked.files == "edited" and is_ours:
        return journal
    is_of_now = journal.digest == digest and journal.state is not State.PLANNED
    return journal._replace(locked=locked.locked) if is_of_now else known


def _files(row: LockedRow, places: Places) -> list[File]:
    return [
        File(
            path=places.folder / file.path,
            sha256=file.sha256,
            bytes=file.bytes,
            width=file.width,
            height=file.height,
            format=_FORMATS.get(os.path.splitext(file.path)[1].lower(), "jpeg"),  # noqa: PTH122
            number=number,
        )
        for number, file in enumerate(row.files, start=1)
    ]
