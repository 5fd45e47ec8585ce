"""What is known of images, for people and for programs."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kontext_cli.engine.known import Image
from kontext_cli.files.records import Record
from kontext_cli.terminal.cells import fitted, flat, wrapped
from kontext_cli.terminal.printable import escaped
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.style import BOLD, DIM, NONE, Line, Piece
from kontext_cli.terminal.table import is_for_people, tabbed, window_width

_NOTHING = "nothing is known of it"
_LABEL_WIDTH = len("AISystemUsed  ")
_SHOWN = 2_000
"""Characters of a value on a terminal."""
_FIRST = ("prompt", "operation", "provider", "model", "endpoint", "seed", "options", "inputs")
_LEFT_OUT = ("schema", "type")


def info_lines(known: Sequence[Image]) -> Iterator[Line]:
    """For standard output: blocks on a terminal; elsewhere path, origin, name and value, separated
    by tabs, a line each."""
    for number, each in enumerate(known):
        if is_for_people():
            if number:
                yield ""
            yield from _block(each)
        else:
            rows = list(_rows(each)) or [("", "", _NOTHING)]
            yield from (tabbed([str(each.path), *row]) for row in rows)


def info_record(known: Image) -> dict[str, Any]:
    """For `--json`."""
    return {
        "schema": SCHEMA,
        "type": "info",
        "path": str(known.path.absolute()),
        "sha256": known.sha256,
        "records": [{"origin": origin, "record": record} for origin, record in known.records],
        "found": [each._asdict() for each in known.findings],
    }


def _rows(known: Image) -> Iterator[tuple[str, str, str]]:
    for origin, record in _united(known.records):
        for name, value in _values(record):
            yield origin, name, value
    yield from known.findings


def _united(records: Sequence[Record]) -> list[Record]:
    """The records, equal ones as one of all their origins. The journal has no version."""
    origins: dict[str, list[Record]] = {}
    for each in records:
        compared = {name: value for name, value in each.values.items() if name != "version"}
        origins.setdefault(json.dumps(compared, sort_keys=True), []).append(each)
    return [
        Record(", ".join(each.origin for each in same), same[0].values) for same in origins.values()
    ]


def _values(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The values of a record as text, those that repeat the image first; it may be anybody's."""
    names = [name for name in _FIRST if name in record]
    names += [name for name in record if name not in _FIRST and name not in _LEFT_OUT]
    for name in names:
        value = record[name]
        if value not in (None, [], {}):
            yield name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    return json.dumps(value)


def _block(known: Image) -> Iterator[Line]:
    path = str(known.path)
    yield [Piece(escaped(path), BOLD, path)]
    before = None
    for origin, name, value in _rows(known):
        if origin != before:
            yield from _wrapped(_label("from"), origin, DIM)
        before = origin
        yield from _fact(name, value)
    if before is None:
        yield [Piece(_NOTHING, DIM)]
    if known.records:
        yield from _wrapped(_label("again"), shlex.join(["kontext", "replay", path]), DIM)


def _fact(name: str, value: str) -> Iterator[Line]:
    """A label and its value, wrapped; a long label stands on a line of its own."""
    shown = escaped(flat(name[:_SHOWN]))
    label = _label(shown)
    if len(shown) >= _LABEL_WIDTH:
        yield [Piece(fitted(shown, window_width()), DIM)]
        label = _label("")
    rest = len(value) - _SHOWN
    paragraphs = value[:_SHOWN].splitlines()
    if rest > 0:
        paragraphs.append(f"… and {rest:,} more characters; --json has all of it")
    for paragraph in paragraphs:
        yield from _wrapped(label, paragraph)
        label = _label("")


def _wrapped(label: list[Piece], text: str, style: str = NONE) -> Iterator[Line]:
    for line in wrapped(escaped(flat(text)), window_width() - _LABEL_WIDTH):
        yield [*label, Piece(line, style)]
        label = _label("")


def _label(name: str) -> list[Piece]:
    return [Piece(name.ljust(_LABEL_WIDTH), DIM if name else NONE)]
