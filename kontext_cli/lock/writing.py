"""Writes locks: one line for each row, the same bytes for the same rows on every machine."""

import errno
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from kontext_cli.errors import OutputFault
from kontext_cli.failpoint import reached
from kontext_cli.files.faults import output_faults
from kontext_cli.files.replacing import replacing
from kontext_cli.lock.rows import VERSION, Header, LockedRow

if sys.platform != "win32":
    import fcntl

_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def encode_header(header: Header) -> str:
    """The first line, without its end."""
    return _ENCODER.encode(
        {
            "kontext_lock": VERSION,
            "prompts_file": header.prompts_file,
            "output_dir": header.output_dir,
            "defaults": _sorted(header.defaults),
        }
    )


def encode_row(row: LockedRow) -> str:
    """The line of a row, without its end."""
    return _ENCODER.encode(
        {
            "id": row.id,
            "request": f"sha256:{row.request}",
            "prompt": f"sha256:{row.prompt}",
            "options": _sorted(row.options),
            "inputs": [each._asdict() for each in row.inputs],
            "seed": row.seed,
            "provider": row.provider,
            "model": row.model,
            "files": [each._asdict() for each in row.files],
        }
    )


def encode_lock(header: Header, rows: Iterable[LockedRow]) -> bytes:
    """A whole lock: the header, then the rows, sorted by id."""
    lines: dict[str, list[str]] = {}
    for row in rows:
        lines.setdefault(row.id, []).append(encode_row(row))
    return joined(header, lines)


def joined(header: Header, lines: Mapping[str, Iterable[str]]) -> bytes:
    """A whole lock of the encoded lines of each id. Equal lines are one."""
    ordered = (line for row_id in sorted(lines) for line in sorted(set(lines[row_id])))
    return "".join([f"{line}\n" for line in (encode_header(header), *ordered)]).encode()


def write_lock(path: Path, header: Header, rows: Iterable[LockedRow]) -> None:
    """Write a lock: whole, or the old one stays. Raises OutputFault."""
    write_bytes(path, encode_lock(header, rows))


def write_bytes(path: Path, data: bytes) -> None:
    """Write the content of a lock: whole, or the old one stays. Raises OutputFault."""
    with _faults(path), replacing(path) as stream:
        stream.write(data)
        reached("lock-written")
    reached("lock-replaced")


@contextmanager
def locking(path: Path) -> Iterator[None]:
    """Keep other processes from writing the locks of a folder; each waits for its turn.

    To be held only while a lock is read, changed and written. Raises OutputFault.
    """
    if sys.platform == "win32":
        yield
        return
    with _faults(path), output_faults(f"cannot write `{path}`"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Where a lock cannot be written, no other folder helps: it belongs beside its rows."""
    try:
        yield
    except OutputFault as fault:
        if getattr(fault.__cause__, "errno", None) in _FORBIDDEN:
            raise fault.replace(
                hint=f"the lock is kept there: make `{path.parent}` writable"
            ) from fault.__cause__
        raise


def _sorted(values: Any) -> dict[str, Any]:
    return dict(sorted(values.items()))
