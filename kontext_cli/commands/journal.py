"""`kontext journal copy`: from one journal into another."""

import os
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kontext_cli.errors import JournalFault, UsageError
from kontext_cli.journal.copying import Copied, copy_journal
from kontext_cli.journal.file import FILE, moved_aside
from kontext_cli.journal.replies import Answers
from kontext_cli.journal.store import Location, Store, open_store, open_store_to_read
from kontext_cli.settings.paths import typed_journal
from kontext_cli.terminal.counting import Counting
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result

_MOST_NAMED = 20
_MIXED = 9


def run_journal_copy(source: str, target: str, *, quiet: bool) -> Result:
    """Copy a journal into another. Raises UsageError, StillRunning and JournalFault."""
    places = typed_journal(source, os.environ), typed_journal(target, os.environ)
    if places[0] == places[1] or _is_one_file(*places):
        raise UsageError("FROM and TO are the same journal")
    for typed in (source, target):
        if _has_password(typed):
            to_stderr(
                "notice: other users of this machine can see a password in an argument; "
                "PGPASSWORD, ~/.pgpass or a service file keeps it"
            )
    names = [_name(place) for place in places]
    shown = [f"`{one_line(name)}`" for name in names]
    copied = _copy(*places, shown[0], quiet=quiet)
    return Result(
        _MIXED if copied.differing or copied.apart else 0,
        text=[_summary(copied, *shown)],
        records=[_record(copied, *names)],
        messages=[*_notices(copied, *shown), *_replies_left(places[0], shown[0])],
    )


def _copy(source: Location, target: Location, name: str, *, quiet: bool) -> Copied:
    reader = open_store_to_read(source, to_stderr)
    if reader is None:
        raise JournalFault(f"there is no journal in {name}", hint=_moved_aside(source))
    with closing(reader):
        if (hint := _moved_aside(source)) and _is_empty(reader):
            raise JournalFault(f"the journal in {name} has no jobs", hint=hint)
        with (
            closing(open_store(target, to_stderr)) as writer,
            Counting("journal copy", quiet=quiet) as counting,
        ):
            return copy_journal(reader, writer, counting.show)


def _moved_aside(source: Location) -> str | None:
    """Where the jobs of a damaged journal are, which is not copied; None if none was damaged."""
    aside = moved_aside(source) if isinstance(source, Path) else ()
    return f"it was damaged, and its jobs are in `{aside[-1]}`" if aside else None


def _is_empty(reader: Store) -> bool:
    with reader.reading():
        return reader.table.count() == 0


def _is_one_file(source: Location, target: Location) -> bool:
    """Whether both are the same file, by links or from another working folder."""
    with suppress(OSError):
        if isinstance(source, Path) and isinstance(target, Path):
            return (source / FILE).samefile(target / FILE)
    return False


def _has_password(typed: str) -> bool:
    with suppress(ValueError):  # which is reported when it is opened
        parts = urlsplit(typed)
        return bool(parts.password) or "password" in parse_qs(parts.query)
    return False


def _name(place: Location) -> str:
    """A place without user, password and parameters."""
    if isinstance(place, Path):
        return str(place)
    with suppress(ValueError):
        parts = urlsplit(place)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return "the database"


def _summary(copied: Copied, source: str, target: str) -> str:
    before = copied.jobs - copied.added - copied.updated - len(copied.differing)
    parts = [
        f"{copied.added:,} copied",
        f"{copied.updated:,} brought up to date" if copied.updated else "",
        f"{before:,} there before" if before else "",
        f"{len(copied.differing):,} different" if copied.differing else "",
    ]
    jobs = f"{copied.jobs:,} job{'' if copied.jobs == 1 else 's'}"
    return f"{jobs} of {source}, now in {target}: {', '.join(filter(None, parts))}"


def _notices(copied: Copied, source: str, target: str) -> Iterator[str]:
    for each in copied.differing[:_MOST_NAMED]:
        job = one_line(each.id)
        if each.target is None:
            yield f"notice: job {job} is damaged, and was not copied"
        else:
            states = f"{one_line(each.source)} in {source} and {one_line(each.target)} in {target}"
            yield f"notice: job {job} is {states}, where it was left as it is"
    for job_id in copied.apart[:_MOST_NAMED]:
        yield (
            f"notice: the row of job {one_line(job_id)} has another job in {target}; it is kept "
            "there without its batch"
        )
    more = sum(max(len(each) - _MOST_NAMED, 0) for each in (copied.differing, copied.apart))
    if more:
        yield f"notice: and {more:,} more, which --json lists"
    yield f"use only one of them from now on: {target} does not learn what happens in {source}"


def _replies_left(source: Location, shown: str) -> Iterator[str]:
    """A notice of replies that hold images, which no journal does."""
    if isinstance(source, Path) and (count := Answers(source).count()):
        replies = "1 reply" if count == 1 else f"{count:,} replies"
        yield (
            f"notice: {shown} still holds {replies} with images that are not saved: keep it, "
            f"and run `kontext fetch` with KONTEXT_STATE_DIR={one_line(quote(str(source)))}"
        )


def _record(copied: Copied, source: str, target: str) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "type": "journal_copy",
        "from": source,
        "to": target,
        "jobs": copied.jobs,
        "copied": copied.added,
        "updated": copied.updated,
        "differing": [
            {"id": each.id, "from": each.source, "to": each.target} for each in copied.differing
        ],
        "apart": [*copied.apart],
        "sha256": copied.sha256,
    }
