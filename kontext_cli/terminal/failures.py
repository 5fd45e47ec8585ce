"""The rows of a batch that failed, grouped by their reasons, for its end."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from kontext_cli.errors import KontextError
from kontext_cli.job import OPEN, Job, State
from kontext_cli.terminal.cells import wrapped
from kontext_cli.terminal.jobs import STATE_STYLES
from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.style import NONE, Line, Piece
from kontext_cli.terminal.table import window_width
from kontext_cli.terminal.text import bill_text, rows_text

_MOST_NAMES = 10
_MOST_REASONS = 20
_INDENT = "  "
_UNBROKEN = 1 << 20
"""A width for logs, whose lines are searched and not looked at."""


@dataclass(slots=True)
class _Group:
    """The rows that ended in one state for one reason; only the first of them by name."""

    state: State
    reason: str
    bill: str
    count: int = 0
    names: list[str] = field(default_factory=list)


class Failures:
    """Collects failures as they come; there may be a million, so that few are kept."""

    def __init__(self) -> None:
        self._groups: dict[tuple[State, str, str], _Group] = {}
        self._others = 0

    def add(self, job: Job, error: KontextError) -> None:
        """Add a row that ended with an error."""
        state = State.RUNNING if job.state in OPEN else job.state
        key = (state, one_line(error.message), bill_text(error))
        if key not in self._groups and len(self._groups) >= _MOST_REASONS:
            self._others += 1
            return
        group = self._groups.setdefault(key, _Group(*key))
        group.count += 1
        if len(group.names) < _MOST_NAMES:
            group.names.append(str(job.index) if job.row_id is None else one_line(job.row_id))

    def lines(self) -> Iterator[Line]:
        """Each reason once, the most frequent first, with the rows below it."""
        on_a_terminal = sys.stderr is not None and sys.stderr.isatty()
        width = window_width(sys.stderr) if on_a_terminal else _UNBROKEN
        for group in sorted(self._groups.values(), key=lambda group: -group.count):
            start = f"{rows_text(group.count)} "
            state = _STATES.get(group.state, str(group.state))
            text = f"{start}{state}, {group.bill}: {group.reason}"
            first, *rest = wrapped(text, width - len(_INDENT))
            yield [
                Piece(first[: len(start)]),
                Piece(first[len(start) : len(start) + len(state)], _style(group)),
                Piece(first[len(start) + len(state) :]),
            ]
            more = group.count - len(group.names)
            rows = "row" if group.count == 1 else "rows"
            names = f"{rows} {', '.join(group.names)}{f' and {more:,} more' if more else ''}"
            yield from (_INDENT + line for line in rest)
            yield from (_INDENT + line for line in wrapped(names, width - len(_INDENT)))
        if self._others:
            yield f"{rows_text(self._others)} failed for other reasons"


_STATES = {State.UNKNOWN: "of unknown outcome", State.RUNNING: "still running"}


def _style(group: _Group) -> str:
    return STATE_STYLES.get(group.state, NONE)
