"""Measurements and goals as a Markdown table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from clients import OFFICIAL, OURS

_NONE = "–"
_HEADINGS = ("", "kontext", "compared with", "measured", "goal", "result")


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound on a measured value, and a stricter one that would be nice to reach."""

    bound: float | None = None
    stretch: float | None = None
    unit: str = "×"
    at_least: bool = False

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        bound = f"{sign} {self.bound:.3g} {self.unit}" if self.bound is not None else ""
        stretch = (
            f"stretch {sign} {self.stretch:.3g} {self.unit}" if self.stretch is not None else ""
        )
        return ", ".join(filter(None, (bound, stretch)))

    def verdict(self, value: float) -> str:
        """Whether the value is within the bounds."""
        if self.stretch is not None and self._holds(value, self.stretch):
            return "reached" if self.bound is None else "reached, stretch too"
        return "reached" if self.bound is not None and self._holds(value, self.bound) else "missed"

    def _holds(self, value: float, bound: float) -> bool:
        return value >= bound if self.at_least else value <= bound


@dataclass(frozen=True, slots=True)
class Row:
    """One line: our value, what it is compared with, and the result; ``value`` is None where none
    was measured. A row without a goal is for information."""

    what: str
    ours: str
    peer: str = ""
    value: float | None = None
    unit: str = "×"
    goal: Goal | None = None

    def cells(self) -> tuple[str, ...]:
        """The text of each column."""
        measured = number(self.value, self.unit)
        verdict = ""
        if self.goal is not None:
            verdict = "not measured" if self.value is None else self.goal.verdict(self.value)
        peer = "" if self.peer.startswith(_NONE) else self.peer
        return (self.what, self.ours, peer, measured, str(self.goal or ""), verdict)


@dataclass(slots=True)
class Section:
    """The rows of one set of measurements, and remarks about them.

    ``figures`` are what docs/draw_performance.py draws and writes: each measure's value by client.
    Times are in seconds.
    """

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, other: "Section") -> None:
        """Add what another set of measurements found."""
        self.rows += other.rows
        self.notes += other.notes
        self.figures |= other.figures

    def keep(self, measure: str, values: Mapping[str, float | None]) -> None:
        """Keep the figures of a measure, of the clients that have one."""
        self.figures[measure] = {
            client: value for client, value in values.items() if value is not None
        }


def markdown(rows: Iterable[Row]) -> list[str]:
    """The lines of a table, its columns aligned so that it reads in a terminal, too."""
    lines = [_HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    ruled = [_line(lines[0], widths), _line(tuple("-" * width for width in widths), widths)]
    return [*ruled, *(_line(line, widths) for line in lines[1:])]


def number(value: float | None, unit: str) -> str:
    """Three digits and a unit; a dash for None."""
    if value is None:
        return _NONE
    digits = f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return f"{digits} {unit}".rstrip()


def ms(seconds: float | None) -> str:
    """Seconds as milliseconds, or as seconds from one on."""
    if seconds is not None and seconds >= 1:
        return number(seconds, "s")
    return number(None if seconds is None else seconds * 1000, "ms")


def against(
    what: str,
    values: Mapping[str, float | None],
    peer: str = OFFICIAL,
    goal: Goal | None = None,
    show: Callable[[float | None], str] = ms,
) -> Row:
    """Our value beside that of a peer, and their ratio."""
    ours, theirs = values[OURS], values[peer]
    return Row(what, show(ours), f"{show(theirs)} {peer}", ratio(ours, theirs), goal=goal)


def count(value: float | None) -> str:
    """A number of requests."""
    return number(value, "")


def ratio(value: float | None, base: float | None) -> float | None:
    """One through the other; None where either is missing."""
    return None if value is None or not base else value / base


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
