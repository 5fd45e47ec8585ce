"""The findings of `kontext doctor`: on a terminal under headings, in a pipe a line each."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from kontext_cli.doctor.finding import Finding, Verdict
from kontext_cli.settings.settings import Setting
from kontext_cli.terminal.cells import width_of, wrapped
from kontext_cli.terminal.printable import escaped, one_line
from kontext_cli.terminal.style import BOLD, DIM, ERROR, NOTICE, SAVED, Line, Piece
from kontext_cli.terminal.table import is_for_people, tabbed, window_width

_STYLES: Mapping[Verdict, str] = {"ok": SAVED, "note": NOTICE, "problem": ERROR}
_VERDICT = 9
"""Cells of the longest verdict, and of the space before what it is about."""
_SETTINGS = "settings"
"""The group that the settings themselves belong to."""
_NARROW = 60
"""Columns below which a text stands below its name."""


def report_lines(
    settings: Mapping[str, Setting],
    groups: Mapping[str, Sequence[Finding]],
    *,
    config: Path | None,
) -> Iterator[Line]:
    """The settings with their origins, then the findings under the heading of their group.

    ``config`` is the config file, whose name alone stands for it on a terminal.
    In a pipe: `setting`, name, value, origin, or verdict, group, name, text, hint; between tabs.
    """
    if not is_for_people():
        for name, setting in settings.items():
            yield tabbed(("setting", name, setting.value, setting.origin))
        for title, findings in groups.items():
            for each in findings:
                text, hint = one_line(each.text), one_line(each.hint or "")
                yield tabbed((each.verdict, title, each.name, text, hint))
        return
    width = window_width()
    folder = "" if config is None else f"{config.parent}{os.sep}"
    for number, (title, findings) in enumerate(groups.items()):
        if number:
            yield ""
        yield [Piece(title, BOLD)]
        if title == _SETTINGS:
            yield from _setting_lines(settings, folder, width)
        yield from _findings(findings, width)


def summary(findings: Iterable[Finding], *, online: bool) -> Iterator[str]:
    """How many problems and notes there are, and whether the keys were tried."""
    verdicts = [each.verdict for each in findings]
    counts = [
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for word in ("problem", "note")
        if (count := verdicts.count(word))
    ]
    yield ", ".join(counts) or "no problem was found"
    if not online:
        yield "hint: keys and servers were not tried: kontext doctor --online"


def _setting_lines(settings: Mapping[str, Setting], folder: str, width: int) -> Iterator[Line]:
    """Name, value and origin side by side; what has no room there is in a line of its own."""
    rows = [
        (escaped(name), escaped(setting.value), escaped(setting.origin.removeprefix(folder)))
        for name, setting in settings.items()
    ]
    names, values, origins = (max(map(width_of, each)) for each in zip(*rows, strict=True))
    is_narrow = width < _NARROW
    at = 4 if is_narrow else names + 4
    values = min(values, max(width - at - origins - 2, 0))
    for name, value, origin in rows:
        if is_narrow:
            yield f"  {name}"
        start = " " * at if is_narrow else f"  {name}{' ' * (names - width_of(name))}  "
        if width_of(value) <= values:
            yield [Piece(f"{start}{value}{' ' * (values - width_of(value))}  "), Piece(origin, DIM)]
        else:
            yield f"{start}{value}"
            yield [Piece(f"{' ' * (at + values + 2)}{origin}", DIM)]


def _findings(findings: Sequence[Finding], width: int) -> Iterator[Line]:
    names = max((width_of(escaped(each.name)) for each in findings), default=0)
    is_narrow = width < _NARROW
    at = 2 + _VERDICT + (0 if is_narrow else names + 2)
    for each in findings:
        name, texts = escaped(each.name), [*wrapped(one_line(each.text), width - at)]
        verdict = Piece(f"  {each.verdict:<{_VERDICT}}", _STYLES[each.verdict])
        if is_narrow:
            yield [verdict, Piece(name)]
        else:
            space = " " * (names + 2 - width_of(name))
            yield [verdict, Piece(f"{name}{space}{texts.pop(0)}")]
        for text in texts:
            yield f"{' ' * at}{text}"
        if each.hint is not None:
            yield _hint(one_line(each.hint), at, width)


def _hint(hint: str, at: int, width: int) -> Line:
    """What to do, in one line, so that a command can be copied."""
    label = "hint: "
    is_long = at + len(label) + width_of(hint) > width
    return [Piece(f"{' ' * (2 if is_long else at)}{label}", DIM), Piece(hint)]
