"""`kontext info`: what is known of images, from sidecars, the files and the journal."""

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from kontext_cli.errors import InputFault, JournalFault
from kontext_cli.files.sidecars import read_sidecar, sidecar_of
from kontext_cli.images.decoding import other_kind, sniff
from kontext_cli.images.reading import NotAnImage, read_regular
from kontext_cli.job import Job
from kontext_cli.journal import Journal
from kontext_cli.metadata.find import found_in
from kontext_cli.metadata.record import is_record, read_json, record_of
from kontext_cli.settings.paths import from_home, state_dir
from kontext_cli.sizes import MOST_BYTES
from kontext_cli.terminal.info import Known, info_lines, info_record
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.text import error_lines

_FORMATS = ("jpeg", "png", "webp")


class _Image(NamedTuple):
    """A file that was named, and its content."""

    path: Path
    data: bytes
    sha256: str


def run_info(files: Sequence[str]) -> Result:
    """What is known of each image. One that cannot be read is an error, and stops no other."""
    images: list[_Image] = []
    faults: list[InputFault] = []
    for file in files:
        try:
            images.append(_read(Path(from_home(file))))
        except InputFault as fault:
            faults.append(fault)
    jobs = _jobs({image.sha256 for image in images})
    known = [_known(image, jobs) for image in images]
    return Result(
        faults[0].exit_code if faults else 0,
        text=info_lines(known),
        records=map(info_record, known),
        errors=[line for fault in faults for line in error_lines(fault)],
    )


def _read(path: Path) -> _Image:
    try:
        data = read_regular(path, most=MOST_BYTES)
    except OSError as error:
        raise InputFault(f"cannot read `{path}`: {error.strerror or error}") from None
    except NotAnImage as error:
        raise InputFault(f"`{path}` is {error.reason}") from None
    if sniff(data) not in _FORMATS:
        raise InputFault(f"`{path}` is no JPEG, PNG or WebP, but {other_kind(data).reason}")
    return _Image(path, data, sha256(data).hexdigest())


def _jobs(digests: set[str]) -> Mapping[str, Job]:
    """The jobs that saved these files, by the SHA-256 of the file; from the journal, if any."""
    try:
        journal = Journal.read(state_dir(os.environ), log=to_stderr)
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
        to_stderr(f"notice: {fault.message}")
        return {}
    return {digest: jobs[job_id] for digest, job_id in ids.items() if job_id in jobs}


def _known(image: _Image, jobs: Mapping[str, Job]) -> Known:
    records: list[tuple[str, Mapping[str, Any]]] = []
    sidecar = read_sidecar(image.path)
    beside = None if sidecar is None else read_json(sidecar)
    if isinstance(beside, dict) and is_record(beside):
        records.append((f"sidecar {sidecar_of(image.path).name}", beside))
    findings = []
    for finding in found_in(image.data):
        record = read_json(finding.text) if finding.name == "kontext" else None
        if isinstance(record, dict) and is_record(record):
            records.append((f"{finding.origin} of the file", record))
        else:
            findings.append(finding)
    if job := jobs.get(image.sha256):
        folder = Path(os.path.abspath(image.path)).parent  # noqa: PTH100
        record = record_of(job, folder)
        del record["version"]  # of the program that made it, which the journal does not know
        records.append((f"journal (job {job.id})", record))
    return Known(image.path, image.sha256, tuple(records), tuple(findings))
