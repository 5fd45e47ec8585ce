"""A job as a row of the journal, and back: columns for what is looked for, JSON for the rest.

Everything is ASCII with JSON's escapes, so that whatever a file name or a reply holds survives.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from kontext_cli.errors import KontextError, revived
from kontext_cli.job import Cost, File, Handle, Job, Output, Source, State, Target

T = TypeVar("T")

_DATA_URI = re.compile(
    r"""\bdata:(?=[^,\s"\\]{0,200}[/;])(?:[^,\s"\\]|\\"){0,200},(?:[^\s"\\]|\\[nrt])*""",
    re.IGNORECASE,
)
_BLUNT = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)


class Row(NamedTuple):
    """One row of the table ``jobs``; ``owner`` is the token of the run that is at it."""

    id: str
    state: str
    owner: str | None
    batch: str | None
    request_id: str | None
    created_at: str
    details: str


COLUMNS = ", ".join(Row._fields)


def stored_row(values: Sequence[object]) -> Row:
    """A row as the file has it, where damage may have made anything of a text."""
    id_, state, *others, created_at, details = values
    owner, batch, request_id = (None if each is None else str(each) for each in others)
    return Row(str(id_), str(state), owner, batch, request_id, str(created_at), str(details))


def row_of(job: Job, owner: str | None) -> Row:
    """What is kept of a job. Keys never reach it; pictures inside of replies are left out."""
    details = {
        each.name: getattr(job, each.name) for each in fields(Job) if each.name not in Row._fields
    }
    details["outputs"] = list(_lasting(job.outputs))
    return Row(
        id=job.id,
        state=job.state.value,
        owner=owner,
        batch=ascii_text(job.batch),
        request_id=ascii_text(job.request_id),
        created_at=moment(job.created_at),
        details=_without_data(json.dumps(details, default=_plain, separators=(",", ":"))),
    )


def job_of(row: Row) -> Job:
    """The job that a row tells of; what a later version added to it is passed over.

    Raises ValueError for a row that is damaged.
    """
    try:
        return Job(
            id=row.id,
            state=State(row.state),
            batch=_text(row.batch),
            request_id=_text(row.request_id),
            created_at=_moment(row.created_at),
            **_details(json.loads(row.details)),
        )
    except _BLUNT as error:
        raise ValueError(f"job `{row.id}` in the journal is damaged") from error


def moment(when: datetime) -> str:
    """A time in UTC as text that sorts by time."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def ascii_text(text: str | None) -> str | None:
    """Any text as the ASCII that stands for it in a column."""
    return None if text is None else _without_data(json.dumps(text)[1:-1])


def _text(column: str | None) -> str | None:
    return None if column is None else str(json.loads(f'"{column}"'))


def _lasting(outputs: Sequence[Output]) -> Iterator[Output]:
    """The outputs that are somewhere else than in the reply itself."""
    for output in outputs:
        is_inline = output.url is None and output.b64 is not None
        if not is_inline and (output.url or "")[:5].lower() != "data:":
            yield replace(output, b64=None)


def _without_data(text: str) -> str:
    return _DATA_URI.sub("data:...", text)


def _plain(value: object) -> object:
    """What JSON has no word for, in its words."""
    match value:
        case Path():
            return str(value)
        case datetime():
            return moment(value)
        case KontextError():
            return {
                "code": value.code,
                "message": value.message,
                "hint": value.hint,
                "billed": value.billed,
                "exit_code": value.exit_code,
            }
        case Mapping():
            return dict(value)
    if is_dataclass(value):
        return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"a {type(value).__name__} cannot be journalled")


def _details(record: Mapping[str, Any]) -> dict[str, Any]:
    known = {
        each.name: record[each.name]
        for each in fields(Job)
        if each.name in record and each.name not in Row._fields
    }
    for name, read in _READERS.items():
        if known.get(name) is not None:
            known[name] = read(known[name])
    return known


def _built(kind: Callable[..., T], record: Mapping[str, Any], **readers: Callable[[Any], Any]) -> T:
    """One of our dataclasses from its record."""
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]
    values = {name: value for name, value in record.items() if name in known}
    return kind(**values | {name: read(record[name]) for name, read in readers.items()})


def _each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda records: tuple(read(record) for record in records)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_READERS: dict[str, Callable[[Any], Any]] = {
    "request": dict,
    "reply": dict,
    "cost": partial(_built, Cost),
    "sources": _each(partial(_built, Source)),
    "target": partial(_built, Target, paths=_each(Path)),
    "handle": partial(_built, Handle),
    "outputs": _each(partial(_built, Output)),
    "files": _each(partial(_built, File, path=Path)),
    "error": revived,
    "finished_at": _moment,
}
