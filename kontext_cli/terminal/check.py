"""What `kontext check` found, for people and for programs."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from shlex import quote
from typing import Any, NamedTuple

from kontext_cli.batch.agreement import Difference
from kontext_cli.batch.amending import Pruned
from kontext_cli.http.urls import is_url
from kontext_cli.lock import Header, LockedRow, United
from kontext_cli.options import OPTIONS
from kontext_cli.settings.settings import WAYS
from kontext_cli.terminal.annotations import RowError
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.style import NOTICE, Line
from kontext_cli.terminal.table import Cell, Column, is_for_people, tabbed, table, window_width
from kontext_cli.terminal.text import rows_text
from kontext_cli.words import flag

_MOST_NAMED = 12
"""Rows of a command in a hint."""


class Report(NamedTuple):
    """The differences of one lock; ``prompts`` and ``lock`` are paths from the working directory,
    the former is empty for `edit --each`. ``rows`` and ``images`` are how many there are.
    """

    prompts: str
    lock: str
    header: Header
    rows: int
    images: int
    differences: Sequence[Difference]

    @property
    def name(self) -> str:
        """The prompts file, or the lock if there is none."""
        return self.prompts or self.lock


def difference_lines(report: Report) -> Iterator[Line]:
    """One line a difference: a table on a terminal, elsewhere values separated by tabs, of which
    the last one is the hint."""
    if not is_for_people():
        for each in report.differences:
            hint = hint_of(report, [each])
            yield tabbed([title_of(each), _row_name(report, each), _shown(report, each), hint])
        return
    rows = [
        [Cell(title_of(each), NOTICE), Cell(_row_name(report, each)), Cell(_shown(report, each))]
        for each in report.differences
    ]
    if rows:
        columns = [
            Column("difference", least=14),
            Column("row", least=8),
            Column("image", least=12),
        ]
        yield from table(columns, rows, window_width())


def message_lines(report: Report) -> Iterator[str]:
    """How many differences there are, and on a terminal what can be done about each kind."""
    where = f"{report.prompts} and {report.lock}" if report.prompts else report.lock
    things = f"{rows_text(report.rows)}, {report.images:,} image{'s'[: report.images != 1]}"
    if not report.differences:
        yield f"{where} agree: {things}"
        return
    count = len(report.differences)
    yield f"{where}: {count:,} difference{'s'[: count != 1]} ({things})"
    if is_for_people():
        by_hint = sorted(report.differences, key=_hint_kind)
        for _, group in groupby(by_hint, _hint_kind):
            same = list(group)
            titles = ", ".join(dict.fromkeys(map(title_of, same)))
            yield f"hint: {titles}: {hint_of(report, same)}"


def difference_record(report: Report, each: Difference) -> Mapping[str, Any]:
    """A difference for `--json`."""
    return {
        "schema": SCHEMA,
        "type": "difference",
        "difference": each.kind,
        "option": each.option or None,
        "id": each.id,
        "prompts_file": report.prompts or None,
        "line": each.row.line if each.row and report.prompts else None,
        "lock": report.lock,
        "lock_line": each.line,
        "files": [_beside(report.lock, file) for file in each.files],
        "hint": hint_of(report, [each]),
    }


def report_record(report: Report, exit_code: int) -> Mapping[str, Any]:
    """The end of a lock's differences, for `--json`."""
    return {
        "schema": SCHEMA,
        "type": "check",
        "prompts_file": report.prompts or None,
        "lock": report.lock,
        "rows": report.rows,
        "images": report.images,
        "differences": len(report.differences),
        "exit_code": exit_code,
    }


def annotation_of(report: Report, each: Difference) -> RowError:
    """A difference at its row in the prompts file, else at its line in the lock."""
    shown = _shown(report, each)
    what = f"{title_of(each)}{': ' if shown else ''}{shown}; {hint_of(report, [each])}"
    if each.row is None or not report.prompts:
        return RowError(what, report.lock, each.line, each.id)
    return RowError(what, each.row.file, each.row.line, each.id)


def counts_of(report: Report) -> Mapping[str, str]:
    """What there is of everything, for a table."""
    kinds = Counter(each.kind for each in report.differences)
    return {"rows": f"{report.rows:,}", "images": f"{report.images:,}"} | {
        kind: f"{count:,}" for kind, count in kinds.items()
    }


def accepted_record(row: LockedRow) -> Mapping[str, Any]:
    """An accepted row for `--json`, its files named as in the lock."""
    files = [file._asdict() for file in row.files]
    return {"schema": SCHEMA, "type": "accepted", "id": row.id, "files": files}


def accepted_line(row: LockedRow, lock: str) -> str:
    """An accepted row for people."""
    files = [f"{_beside(lock, each.path)} ({each.width}×{each.height})" for each in row.files]
    return f"accepted: row {row.id}: {', '.join(files)}"


def pruned_record(pruned: Pruned) -> Mapping[str, Any]:
    """What was removed and what not, for `--json`, named as in the lock."""
    return {"schema": SCHEMA, "type": "pruned", **pruned._asdict()}


def pruned_lines(pruned: Pruned, lock: str) -> Iterator[str]:
    """What was removed and what not, for people."""
    if pruned.rows:
        yield f"removed from {lock}: {', '.join(pruned.rows)}"
    for name in pruned.removed:
        yield f"removed: {_beside(lock, name)}"
    for name in pruned.kept:
        yield f"notice: kept {_beside(lock, name)}: somebody edited it"


def united_record(lock: str, united: United) -> Mapping[str, Any]:
    """What was united, for `--json`."""
    return {
        "schema": SCHEMA,
        "type": "merged",
        "lock": lock,
        "shards": [str(path) for path in united.shards],
        "missing": [f"{number}/{total}" for number, total in united.missing],
    }


def united_lines(united: United) -> Iterator[str]:
    """What was united, for people."""
    count = len(united.shards)
    yield f"united and removed: {count} lock{'s'[: count != 1]} of shards"
    if united.missing:
        missing = ", ".join(f"{number}/{total}" for number, total in united.missing)
        yield f"notice: no lock was there of shard {missing}"


def title_of(each: Difference) -> str:
    """A difference in a few words."""
    return f"{each.kind}: {each.option}" if each.option else each.kind


def hint_of(report: Report, same: Sequence[Difference]) -> str:
    """What can be done about differences of one kind: nothing that could destroy an image."""
    one = sum(max(len(each.files), 1) for each in same) == 1
    it, it_is = ("it", "it is") if one else ("them", "they are")
    match _hint_kind(same[0]):
        case "make":
            return f"make {it}: {_run(report, same)}"
        case "keep":
            return f"the next run replaces {it}; keep {it}: {_accept(report, same)}"
        case "restore":
            others = "another" if one else "others"
            return f"restore {it}, or make {others}: {_run(report, same)}"
        case "restore beside":
            return f"restore {it}: the next run makes all images of the row again"
        case "restore alone":
            return f"restore {it}: no run makes another while one of the row is edited"
        case "accept":
            return f"runs leave {it} alone; keep {it} as {it_is}: {_accept(report, same)}"
        case _:
            return "put the row back, or see --prune in `kontext check --help`"


def _hint_kind(each: Difference) -> str:
    match each.kind:
        case "new":
            return "make"
        case "left over":
            return "put back"
        case "missing":
            if each.is_edited:
                return "restore alone"
            return "restore beside" if each.has_others else "restore"
        case "edited by hand":
            return "accept"
        case _:
            return "accept" if each.is_edited else "keep"


def _run(report: Report, same: Sequence[Difference]) -> str:
    """The command line that makes the images of rows, with the flags that the lock remembers."""
    given = {key: each for key, each in report.header.defaults.items() if key not in WAYS}
    words = ["kontext", given.pop("operation"), *filter(None, [given.pop("prompt", None)])]
    words += ["-f", report.prompts] if report.prompts else ["--each"]
    rows = dict.fromkeys(_row_name(report, each) for each in same)
    images = [_beside(report.lock, name) for name in given.pop("images", ())]
    for image in images if report.prompts else [_beside(report.lock, name) for name in _few(rows)]:
        words += ["-i", image]
    folder = _beside(report.lock, report.header.output_dir)
    words += ["-d", folder] if folder != "." else []
    words += ["-p", given.pop("provider"), "-m", given.pop("model")]
    short = {row.name: row.short for row in OPTIONS}
    for name, value in given.items():
        if value is not False:
            words += [short.get(name) or flag(name), *([] if value is True else [str(value)])]
    if report.prompts:
        words += ["--only", ",".join(_few(rows))]
    return " ".join(map(quote, words))


def _accept(report: Report, same: Sequence[Difference]) -> str:
    ids = ",".join(_few(dict.fromkeys(each.id for each in same)))
    return f"kontext check {quote(report.name)} --accept {quote(ids)}"


def _row_name(report: Report, each: Difference) -> str:
    """A row as it is given in a command: by its id or input image, or by its number where it has
    neither."""
    row = each.row if report.prompts else None
    return each.id if row is None or "id" in row.others else str(row.index)


def _few(names: Iterable[str]) -> list[str]:
    """The first names; three dots for the others."""
    each = list(names)
    return each if len(each) <= _MOST_NAMED else [*each[:_MOST_NAMED], "…"]


def _shown(report: Report, each: Difference) -> str:
    return ", ".join(_beside(report.lock, file) for file in each.files)


def _beside(lock: str, name: str) -> str:
    """A path in a lock, from the working directory; a URL as it is."""
    if is_url(name):
        return name
    return os.path.normpath(os.path.join(os.path.dirname(lock), name))  # noqa: PTH118, PTH120
