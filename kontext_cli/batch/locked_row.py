"""A row of a batch as a lock keeps it."""

from collections.abc import Iterable
from hashlib import sha256

from kontext_cli.batch.entry import Entry
from kontext_cli.errors import UsageError
from kontext_cli.files.place import is_object
from kontext_cli.http.urls import unsigned
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job
from kontext_cli.lock import LockedFile, LockedInput, LockedRow, Places
from kontext_cli.lock.rows import MADE_ID, made_id


def lock_id(entry: Entry) -> str:
    """The id of a row in a lock: its own, or one made of its digest and of how many equal rows
    stand before it."""
    own = entry.row.others.get("id")
    return made_id(entry.digest, entry.equal) if own is None else str(own)


def check_ids(entries: Iterable[Entry]) -> None:
    """Raises UsageError for an own id that could be made for another row."""
    for entry in entries:
        if MADE_ID.fullmatch(str(entry.row.others.get("id", ""))):
            raise UsageError(
                f"the id `{lock_id(entry)}` has the form of those that a lock gives to rows"
            )


def row_now(entry: Entry, places: Places) -> LockedRow:
    """A row as it is now, without files."""
    given = entry.given_seed
    return LockedRow(
        id=lock_id(entry),
        request=entry.digest,
        prompt=sha256(entry.prompt.encode()).hexdigest(),
        options={**entry.shared.given, **({} if given is None else {"seed": given})},
        inputs=tuple([_input(image, places) for image in entry.images]),
        seed=given,
        provider=entry.shared.providers,
        model=entry.shared.model,
    )


def row_made(entry: Entry, job: Job, places: Places) -> LockedRow:
    """A row with the files that a job saved for it. Raises UsageError for files elsewhere."""
    files = [
        LockedFile(places.name(file.path), file.sha256, file.bytes, file.width, file.height)
        for file in job.files
    ]
    return row_now(entry, places)._replace(seed=job.seed, files=tuple(files))


def image_name(image: InputImage, places: Places) -> str:
    """The name of an input image in a lock: its path from there, or its URL without query."""
    if image.url is not None:
        return unsigned(image.url)
    return image.source if is_object(image.source) else places.relative(image.source)


def _input(image: InputImage, places: Places) -> LockedInput:
    return LockedInput(image_name(image, places), image.sha256)
