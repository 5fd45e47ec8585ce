"""What GitHub Actions shows of a run: errors at their lines, and a table below its log.

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
class Flaw:
    """Something to show at a line of a prompts file; ``row`` is the row's id, else its number."""

    what: str
    file: str | None = None
    line: int | None = None
    row: int | str | None = None


class Annotations:
    """The flaws of a batch as they come, and its summary at the end."""

    def __init__(self) -> None:
        self._flaws: list[Flaw] = []
        self._count = 0

    def add(self, flaw: Flaw) -> None:
        """Show a flaw, unless GitHub shows as many as it will already."""
        self._count += 1
        if self._count <= MOST_ERRORS:
            _send(error_command(flaw))
        if len(self._flaws) < MOST_ROWS:
            self._flaws.append(flaw)

    def close(self, title: str, counts: Mapping[str, str], *, stop: str | None) -> str | None:
        """Say how many flaws were not shown, and write the summary of the step.

        ``counts`` is the table's head and only row. Returns why the summary could not be written.
        """
        _send_rest(self._count)
        target = os.environ.get("GITHUB_STEP_SUMMARY")
        if not target:
            return None
        path = Path(target)
        try:
            there = path.stat().st_size if path.exists() else 0
            text = step_summary(
                title, counts, self._flaws, self._count, stop=stop, most_bytes=MOST_BYTES - there
            )
            with path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
                file.write(text)
        except OSError as error:
            return f"the summary of this step cannot be written: {error.strerror or error}"
        return None


def annotate(details: Sequence[str]) -> None:
    """Show the mistakes of a prompts file, given as ``file:line: what``, at their lines.

    Does nothing where no runner of GitHub Actions reads what is printed.
    """
    if not on_actions():
        return
    for detail in details[:MOST_ERRORS]:
        _send(error_command(flaw_of(detail)))
    _send_rest(len(details))


def flaw_of(detail: str) -> Flaw:
    """What a line of the form ``file:line: what`` tells; all of it where it has no such place."""
    found = _DETAIL.fullmatch(detail)
    if found is None:
        return Flaw(detail)
    return Flaw(found["what"], found["file"], int(found["line"]))


def error_command(flaw: Flaw) -> str:
    """The workflow command that shows a flaw at its line: one line, whatever is in it."""
    properties = {"title": _TITLE}
    if flaw.file is not None:
        properties = {"file": _from_workspace(flaw.file), **_line(flaw), **properties}
    what = flaw.what if flaw.row is None else f"row {flaw.row}: {flaw.what}"
    return _command("error", what, properties)


def step_summary(
    title: str,
    counts: Mapping[str, str],
    flaws: Sequence[Flaw],
    flaw_count: int,
    *,
    stop: str | None,
    most_bytes: int,
) -> str:
    """The Markdown of a batch: a table of its counts, and one of the rows that failed.

    As many of those as fit in ``most_bytes`` of UTF-8; nothing where not even the first table
    does.
    """
    head = "\n".join(_head(title, counts, stop)) + "\n"
    rest = most_bytes - len(_bytes(head)) - len(_more(flaw_count))
    if rest < 0:
        return ""
    rows = list(_fitting(map(_flaw_row, flaws), rest - len(_FLAWS_HEAD)))
    table = [_FLAWS_HEAD, *rows] if rows else []
    left_out = flaw_count - len(rows)
    return "".join([head, *table, _more(left_out) if left_out else ""])


_FLAWS_HEAD = "\n| row | line | what |\n|--:|--:|---|\n"


def _head(title: str, counts: Mapping[str, str], stop: str | None) -> Iterator[str]:
    yield f"### {_cell(title)}"
    yield ""
    if stop:
        yield f"Stopped: {_cell(stop)}"
        yield ""
    yield f"| {' | '.join(map(_cell, counts))} |"
    yield "|" + "--:|" * len(counts)
    yield f"| {' | '.join(map(_cell, counts.values()))} |"


def _flaw_row(flaw: Flaw) -> str:
    row = "" if flaw.row is None else _cell(str(flaw.row))
    line = "" if flaw.line is None else flaw.line
    return f"| {row} | {line} | {_cell(flaw.what)} |\n"


def _fitting(rows: Iterator[str], rest: int) -> Iterator[str]:
    for row in rows:
        rest -= len(_bytes(row))
        if rest < 0:
            return
        yield row


def _more(count: int) -> str:
    return f"\n{count} more failed.\n"


def _cell(text: str) -> str:
    """Text that Markdown takes for nothing but text."""
    text = one_line(text)
    text = text if len(text) <= _CELL else text[:_CELL] + "…"
    return text.translate(_MARKDOWN)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _line(flaw: Flaw) -> dict[str, str]:
    return {} if flaw.line is None else {"line": str(flaw.line)}


def _from_workspace(file: str) -> str:
    """A path as GitHub knows it: from the workspace, where it is below it or the working folder.

    A link to the folder is as good as the folder.
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
    except ValueError:  # no file has such a name
        return Path(path)


def _send_rest(count: int) -> None:
    if count > MOST_ERRORS:
        what = f"{count - MOST_ERRORS} more failed; the log of this step names them all"
        _send(_command("warning", what, {"title": _TITLE}))


def _command(name: str, data: str, properties: Mapping[str, str]) -> str:
    pairs = ",".join(
        f"{key}={one_line(value).translate(_IN_PROPERTY)}" for key, value in properties.items()
    )
    return f"::{name} {pairs}::{one_line(data).translate(_IN_DATA)}"


def _send(command: str) -> None:
    write(sys.stderr, command + "\n")
