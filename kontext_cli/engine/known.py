"""What is known of images: from their sidecars, the files themselves, and the journal."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from kontext_cli.errors import InputFault, JournalFault
from kontext_cli.files.inputs import read_image_file, reading
from kontext_cli.files.place import absolute, is_object
from kontext_cli.files.records import Record, look_into
from kontext_cli.images.decoding import other_kind, sniff
from kontext_cli.job import Job
from kontext_cli.journal import Journal
from kontext_cli.journal.store import Location
from kontext_cli.metadata.find import Finding
from kontext_cli.metadata.record import record_of

_FORMATS = ("jpeg", "png", "webp")


class Image(NamedTuple):
    """An image that was named, and what it says itself."""

    path: Path
    sha256: str
    records: tuple[Record, ...]
    findings: tuple[Finding, ...]

    @property
    def folder(self) -> Path:
        """The folder to which the inputs in its records are relative: its own, or the working one
        where it is in a store."""
        return Path.cwd() if is_object(self.path) else absolute(self.path).parent


def read_image(path: Path) -> Image:
    """An image with what its sidecar and its bytes say. Raises InputFault."""
    with reading(path):
        data = read_image_file(path)
    if sniff(data) not in _FORMATS:
        raise InputFault(f"`{path}` is not a JPEG, PNG or WebP, but {other_kind(data).reason}")
    found = look_into(path, data)
    return Image(path, sha256(data).hexdigest(), found.records, found.others)


def with_journal(
    images: Sequence[Image], location: Location, log: Callable[[str], None]
) -> list[Image]:
    """The images, each with the record of the job that saved it, if the journal knows it.

    ``log`` is called with what cannot be read.
    """
    jobs = _jobs({image.sha256 for image in images}, location, log)
    return [
        image._replace(records=(*image.records, _of_job(job, image)))
        if (job := jobs.get(image.sha256))
        else image
        for image in images
    ]


def _of_job(job: Job, image: Image) -> Record:
    record = record_of(job, image.folder)
    del record["version"]  # of the program that made it, which the journal does not know
    return Record(f"journal (job {job.id})", record)


def _jobs(digests: set[str], location: Location, log: Callable[[str], None]) -> Mapping[str, Job]:
    """The jobs that saved these files, by the SHA-256 of the file; from the journal, if any."""
    try:
        journal = Journal.read(location, log=log)
        if journal is None:
            return {}
        with journal:
            ids: dict[str, str] = {}
            for job_id, file in journal.saved_files():
                if file.sha256 in digests:
                    ids.setdefault(file.sha256, job_id)
                if len(ids) == len(digests):
                    break
            jobs = {job.id: job for job in journal.by_ids(dict.fromkeys(ids.values()))}
    except JournalFault as fault:
        log(fault.message)
        return {}
    return {digest: jobs[job_id] for digest, job_id in ids.items() if job_id in jobs}
