"""What an image says of its making: records of ours, beside it and in it, and other findings."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from kontext_cli.files.sidecars import read_sidecar, sidecar_of
from kontext_cli.metadata.find import Finding, found_in
from kontext_cli.metadata.record import is_record, read_json

_HEAD = 2**18
"""Bytes in which we write a record, unless its prompt has tens of thousands of characters."""


class Record(NamedTuple):
    """A record, and where it was found."""

    origin: str
    values: Mapping[str, Any]


class Findings(NamedTuple):
    """Records, that of the sidecar first, and everything else that is in the file."""

    records: tuple[Record, ...]
    others: tuple[Finding, ...]


def look_into(image: Path, data: bytes) -> Findings:
    """What the sidecar of an image and its bytes say. Nothing of it is believed."""
    records: list[Record] = []
    others: list[Finding] = []
    sidecar = read_sidecar(image)
    if sidecar is not None and (beside := _record(sidecar)) is not None:
        records.append(Record(f"sidecar {sidecar_of(image).name}", beside))
    for finding in found_in(data):
        record = _record(finding.text) if finding.name == "kontext" else None
        if record is None:
            others.append(finding)
        else:
            records.append(Record(f"{finding.origin} of the file", record))
    return Findings(tuple(records), tuple(others))


def has_record(image: Path) -> bool:
    """Whether there is a record beside an image, or near its beginning."""
    with suppress(OSError, ValueError), image.open("rb") as stream:
        return bool(look_into(image, stream.read(_HEAD)).records)
    return False


def _record(text: bytes | str) -> Mapping[str, Any] | None:
    value = read_json(text)
    return value if isinstance(value, dict) and is_record(value) else None
