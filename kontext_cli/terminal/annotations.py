"""GitHub Actions: annotations of lines with errors, and a table in the job summary.

The runner reads workflow commands from standard error as it does from standard output, shows ten
errors and ten warnings of a step, and takes a summary of 1 MiB
(docs.github.com, "Workflow commands for GitHub Actions"; actions/runner, ScriptHandler.cs).
"""

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kontext_cli.terminal.output import on_actions, write
from kontext_cli.terminal.printable import one_line

MOST_ERRORS = 10
MOST_ROWS = 200
MOST_BYTES = 1 << 20
_CELL = 300
_TITLE = "kontext"
_DETAIL = re.compile(r"(?P<file>.+?):(?P<line>\d+): (?P<what>.*)", re.DOTALL)
_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = _IN_DATA | str.maketrans({":": "%3A", ",": "%2C"})
_MARKDOWN = str.maketrans({mark: f"&#{ord(mark)};" for mark in "&<>|`\\*_~[]!#@$"})


@dataclass(frozen=True, slots=True)
class RowError:
    """An error to show at a line of a prompts file; ``row`` is the row's id, else its number."""

    what: str
    file: str | None = None
    line: int | None = None
    row: int | str | None = None


class Annotations:
    """Annotations of a batch as its rows fail, and the job summary at the end."""

    def __init__(self) -> None:
        self._errors: list[RowError] = []
        self._count = 0

    def add(self, error: RowError) -> None:
        """Annotate an error, up to the number that GitHub shows."""
        self._count += 1
        if self._count <= MOST_ERRORS:
            _send(error_command(error))
        if len(self._errors) < MOST_ROWS:
            self._errors.append(error)

    def close(self, title: str, counts: Mapping[str, str], *, stop: str | None) -> str | None:
        """Print how many errors were not annotated, and write the job summary.

        ``counts`` are the columns of its table. Returns why the summary could not be written.
        """
        _send_rest(self._count)
        target = os.environ.get("GITHUB_STEP_SUMMARY")
        if not target:
            return None
        path = Path(target)
        try:
            there = path.stat().st_size if path.exists() else 0
            text = step_summary(
                title, counts, self._errors, self._count, stop=stop, most_bytes=MOST_BYTES - there
            )
            with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
        except OSError as error:
            return f"cannot write the job summary: {error.strerror or error}"
        return None


def annotate(details: Sequence[str]) -> None:
    """Annotate the errors of a prompts file, given as ``file:line: what``, at their lines.

    Does nothing outside GitHub Actions.
    """
    if not on_actions():
        return
    for detail in details[:MOST_ERRORS]:
        _send(error_command(parse_detail(detail)))
    _send_rest(len(details))


def parse_detail(detail: str) -> RowError:
    """Parse ``file:line: what``; text in another form becomes an error without a place."""
    found = _DETAIL.fullmatch(detail)
    if found is None:
        return RowError(detail)
    return RowError(found["what"], found["file"], int(found["line"]))


def error_command(error: RowError) -> str:
    """The workflow command that annotates an error, always in one line."""
    properties = {"title": _TITLE}
    if error.file is not None:
        properties = {"file": _from_workspace(error.file), **_line(error), **properties}
    what = error.what if error.row is None else f"row {error.row}: {error.what}"
    return _command("error", what, properties)


def step_summary(
    title: str,
    counts: Mapping[str, str],
    errors: Sequence[RowError],
    error_count: int,
    *,
    stop: str | None,
    most_bytes: int,
) -> str:
    """The Markdown of a batch: a table of its counts, and one of its failed rows.

    At most ``most_bytes`` of UTF-8: failed rows that do not fit are counted; empty if the first
    table does not fit.
    """
    head = "\n".join(_head(title, counts, stop)) + "\n"
    rest = most_bytes - len(_bytes(head)) - len(_more(error_count))
    if rest < 0:
        return ""
    rows = list(_fitting(map(_error_row, errors), rest - len(_ERRORS_HEAD)))
    table = [_ERRORS_HEAD, *rows] if rows else []
    left_out = error_count - len(rows)
    return "".join([head, *table, _more(left_out) if left_out else ""])


_ERRORS_HEAD = "\n| row | line | error |\n|--:|--:|---|\n"


def _head(title: str, counts: Mapping[str, str], stop: str | None) -> Iterator[str]:
    yield f"### {_cell(title)}"
    yield ""
    if stop:
        yield f"Stopped: {_cell(stop)}"
        yield ""
    yield f"| {' | '.join(map(_cell, counts))} |"
    yield "|" + "--:|" * len(counts)
    yield f"| {' | '.join(map(_cell, counts.values()))} |"


def _error_row(error: RowError) -> str:
    row = "" if error.row is None else _cell(str(error.row))
    line = "" if error.line is None else error.line
    return f"| {row} | {line} | {_cell(error.what)} |\n"


def _fitting(rows: Iterator[str], rest: int) -> Iterator[str]:
    for row in rows:
        rest -= len(_bytes(row))
        if rest < 0:
            return
        yield row


def _more(count: int) -> str:
    return f"\n{count} more failed.\n"


def _cell(text: str) -> str:
    """Text escaped for a Markdown table, cut to size."""
    text = one_line(text)
    text = text if len(text) <= _CELL else text[:_CELL] + "…"
    return text.translate(_MARKDOWN)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _line(error: RowError) -> dict[str, str]:
    return {} if error.line is None else {"line": str(error.line)}


def _from_workspace(file: str) -> str:
    """A path relative to the workspace, or to the working directory, if it is inside.

    Symbolic links are resolved.
    """
    folders = [os.environ.get("GITHUB_WORKSPACE") or os.curdir, os.curdir]
    for folder in folders:
        for place in (_absolute, _resolved):
            path, root = place(file), place(folder)
            if path.is_relative_to(root):
                return path.relative_to(root).as_posix()
    return file


def _absolute(path: str) -> Path:
    return Path(os.path.normpath(Path(path).absolute()))


def _resolved(path: str) -> Path:
    try:
        return Path(os.path.realpath(path))
    except ValueError:  # not a valid file name
        return Path(path)


def _send_rest(count: int) -> None:
    if count > MOST_ERRORS:
        what = f"{count - MOST_ERRORS} more failed; all are listed in the log of this step"
        _send(_command("warning", what, {"title": _TITLE}))


def _command(name: str, data: str, properties: Mapping[str, str]) -> str:
    pairs = ",".join(
        f"{key}={one_line(value).translate(_IN_PROPERTY)}" for key, value in properties.items()
    )
    return f"::{name} {pairs}::{one_line(data).translate(_IN_DATA)}"


def _send(command: str) -> None:
    write(sys.stderr, command + "\n")
