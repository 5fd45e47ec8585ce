"""Jobs as rows of the journal, and back: columns for what is queried, JSON for the rest.

Everything is ASCII with JSON's escapes, so that whatever a file name or a reply holds survives.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from math import isfinite
from pathlib import Path
from types import UnionType
from typing import (
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from kontext_cli.errors import KontextError, revived
from kontext_cli.files.place import place
from kontext_cli.http.call import plain
from kontext_cli.job import Cost, File, Handle, Job, Origin, Output, Source, State, Target

T = TypeVar("T")

_USUAL_TIMEOUT = timedelta(minutes=10)
"""For jobs whose row has none: the default of `--timeout`."""
_ESCAPED = re.compile(r"""["\\]""")
_DATA_URI = re.compile(
    r"""\bdata:(?=[^,\s"\\]{0,200}[/;])(?:[^,\s"\\]|\\"){0,200},(?:[^\s"\\]|\\[nrt])*""",
    re.IGNORECASE,
)
_NO_FILES = '"files":[]'
"""In the details of a job without files: within a string, its quotes would be escaped."""
_DAMAGE_ERRORS = (
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    RecursionError,
)


class Row(NamedTuple):
    """One row of the table ``jobs``; ``owner`` is the token of the process that owns it.

    ``batch``, ``row`` and ``attempt`` together are unique, so that no row of a batch is submitted
    by two processes.
    """

    id: str
    state: str
    owner: str | None
    batch: str | None
    row: str | None
    attempt: int
    request_id: str | None
    created_at: str
    details: str


COLUMNS = ", ".join(Row._fields)


def stored_row(values: Sequence[object]) -> Row:
    """A row as the file has it, where damage may have made anything of it."""
    id_, state, owner, batch, row, attempt, request_id, created_at, details = values
    return Row(
        id=str(id_),
        state=str(state),
        owner=_str(owner),
        batch=_str(batch),
        row=_str(row),
        attempt=attempt if isinstance(attempt, int) else 1,
        request_id=_str(request_id),
        created_at=str(created_at),
        details=str(details),
    )


def row_of(job: Job, owner: str | None) -> Row:
    """The row of a job. Keys never reach it; images within replies are left out."""
    details = {name: _by_name(getattr(job, name)) for name in _detail_names()}
    details["outputs"] = [output._asdict() for output in _lasting(job.outputs)]
    if job.handle is not None:
        details["handle"] = {**job.handle.data, "request_id": job.handle.request_id}
    return Row(
        id=job.id,
        state=job.state.value,
        owner=owner,
        batch=ascii_text(job.batch),
        row=ascii_text(job.row),
        attempt=job.attempt,
        request_id=ascii_text(job.request_id),
        created_at=moment(job.created_at),
        details=_without_data(_ENCODER.encode(details)),
    )


class Saved(NamedTuple):
    """All that a second run of a batch needs of a saved job: to read the rest takes long."""

    id: str
    attempt: int
    provider: str
    digest: str
    files: tuple["SavedFile", ...]


class SavedFile(NamedTuple):
    """A file of a saved job, as `File` has it."""

    path: str
    sha256: str
    bytes: int
    modified: int
    etag: str = ""


def saved_of(job_id: str, attempt: int, details: str) -> Saved:
    """The saved job of these columns. Raises ValueError where they are damaged."""
    try:
        record = json.loads(details)
        files = _saved_files(record)
        found = Saved(job_id, attempt, record["provider"], record["digest"], files)
    except _DAMAGE_ERRORS as error:
        raise ValueError("the job is damaged") from error
    _check_types(found, *files)
    return found


def files_of(details: str) -> tuple[SavedFile, ...]:
    """The files of the job with these details. Raises ValueError where they are damaged."""
    if _NO_FILES in details:
        return ()
    try:
        files = _saved_files(json.loads(details))
    except _DAMAGE_ERRORS as error:
        raise ValueError("the job is damaged") from error
    _check_types(*files)
    return files


def _saved_files(record: Mapping[str, Any]) -> tuple[SavedFile, ...]:
    return tuple(
        SavedFile(
            each["path"],
            each["sha256"],
            each["bytes"],
            each.get("modified", 0),
            each.get("etag", ""),
        )
        for each in record["files"]
    )


def _check_types(*values: Saved | SavedFile) -> None:
    for value in values:
        if tuple(map(type, value)) not in _SAVED_TYPES:
            raise ValueError("a value has the wrong type")


def job_of(row: Row) -> Job:
    """The job of a row; fields that a later version added are ignored.

    Raises ValueError for a row that is damaged.
    """
    try:
        details = json.loads(row.details)
        return Job(
            id=row.id,
            state=State(row.state),
            batch=_text(row.batch),
            row=_text(row.row),
            attempt=row.attempt,
            request_id=_text(row.request_id),
            created_at=_moment(row.created_at),
            **_details(details),
        )
    except _DAMAGE_ERRORS as error:
        raise ValueError(f"job `{row.id}` in the journal is damaged") from error


def answer_by(row: Row) -> datetime:
    """When the process that sends a job stops waiting for the reply, as far as is known."""
    with suppress(*_DAMAGE_ERRORS):
        return _moment(json.loads(row.details)["answer_by"])
    with suppress(*_DAMAGE_ERRORS):
        return _moment(row.created_at) + _USUAL_TIMEOUT
    return datetime.min.replace(tzinfo=UTC)


def moment(when: datetime) -> str:
    """A time in UTC as text that sorts by time."""
    return when.astimezone(UTC).isoformat(timespec="microseconds")


def ascii_text(text: str | None) -> str | None:
    """Any text as ASCII with JSON's escapes, for a column."""
    if text is None:
        return None
    is_plain = text.isascii() and text.isprintable() and not _ESCAPED.search(text)
    return _without_data(text if is_plain else json.dumps(text)[1:-1])


def _str(value: object) -> str | None:
    return None if value is None else str(value)


def plain_text(column: str) -> str:
    """The text of a column, as it was before ``ascii_text``. Raises ValueError where damaged."""
    if column.isprintable() and not _ESCAPED.search(column):
        return column
    return str(json.loads(f'"{column}"'))


def _text(column: str | None) -> str | None:
    return None if column is None else plain_text(column)


def _lasting(outputs: Sequence[Output]) -> Iterator[Output]:
    """The outputs that are not within the reply itself."""
    for output in outputs:
        is_inline = output.url is None and output.b64 is not None
        if not is_inline and (output.url or "")[:5].lower() != "data:":
            yield output._replace(b64=None)


def _without_data(text: str) -> str:
    # Most rows hold none, which is quicker to see without the pattern.
    return _DATA_URI.sub("data:...", text) if "data:" in text.lower() else text


def _by_name(value: object) -> object:
    """Named tuples as objects: JSON would take them for lists."""
    if not isinstance(value, tuple):
        return value
    names = getattr(value, "_fields", None)
    values = [_by_name(each) for each in value]
    return values if names is None else dict(zip(names, values, strict=True))


def _plain(value: object) -> object:
    """Values of types that JSON does not have, as those it has."""
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
    raise TypeError(f"a {type(value).__name__} cannot be journalled")


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


@cache
def _detail_names() -> tuple[str, ...]:
    """The fields of a job without a column of their own."""
    return tuple(each.name for each in fields(Job) if each.name not in Row._fields)


def _details(record: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: record[name] for name in _detail_names() if name in record}
    for name, read in _READERS.items():
        if known.get(name) is not None:
            known[name] = read(known[name])
    return _checked(Job, known)


def _checked(kind: Callable[..., object], values: dict[str, Any]) -> dict[str, Any]:
    """Check that each value has a type of its field. Raises ValueError."""
    types = _types(kind)
    for name, value in values.items():
        kind_of_value, allowed = type(value), types[name]
        if kind_of_value not in allowed and (
            kind_of_value is bool or not isinstance(value, allowed)
        ):
            raise ValueError(f"`{name}` has the wrong type")
        if kind_of_value is float and not isfinite(value):
            raise ValueError(f"`{name}` is not a finite number")
    return values


@cache
def _types(kind: Callable[..., object]) -> dict[str, tuple[type, ...]]:
    """The types allowed in each field of a value class."""
    return {name: tuple(_plain_types(hint)) for name, hint in get_type_hints(kind).items()}


def _plain_types(hint: Any) -> Iterator[type]:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        for each in get_args(hint):
            yield from _plain_types(each)
    elif origin is Literal:
        yield str
    elif hint is float:
        yield from (float, int)
    else:
        yield origin or hint


def _built(kind: Callable[..., T], record: Mapping[str, Any], **readers: Callable[[Any], Any]) -> T:
    """A value of ours from its record."""
    types = _types(kind)
    values = {}
    for name, value in record.items():
        if name in types:
            values[name] = readers[name](value) if name in readers else value
    return kind(**_checked(kind, values))


def _each(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda records: tuple(read(record) for record in records)


def _if_any(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda record: None if record is None else read(record)


def _moment(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when if when.tzinfo is UTC else when.astimezone(UTC)


def _object(value: Any) -> dict[str, Any]:
    return dict(plain(value))


def _handle(record: Mapping[str, Any]) -> Handle:
    """A handle, which is stored flat: the id stands beside the provider's own data."""
    data = _object(record)
    return Handle(**_checked(Handle, {"request_id": data.pop("request_id"), "data": data}))


_FILES = _each(partial(_built, File, path=place))
_SAVED_TYPES = ((str, int, str, str, tuple), (str, str, int, int, str))
_READERS: dict[str, Callable[[Any], Any]] = {
    "request": _object,
    "reply": _object,
    "cost": partial(_built, Cost),
    "sources": _each(partial(_built, Source)),
    "target": partial(
        _built,
        Target,
        paths=_each(place),
        replaces=_FILES,
        origin=_if_any(partial(_built, Origin, folder=Path)),
    ),
    "handle": _handle,
    "outputs": _each(partial(_built, Output)),
    "files": _FILES,
    "error": revived,
    "answer_by": _moment,
    "finished_at": _moment,
}
