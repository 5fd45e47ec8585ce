"""CSV and TSV: a header row with the keys, then one row per record."""

import csv
import re
from collections.abc import Callable, Iterator
from typing import Any

from kontext_cli.options import OPTIONS
from kontext_cli.prompts.keys import KEYS, MOST_DIGITS, listed, nearest, unknown_keys
from kontext_cli.prompts.rows import Rows, lines

_WHOLE = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_OTHER_DELIMITER = re.compile(
    r"(\w+) *[,;|\t]"
)  # some spreadsheets use the delimiter of their locale
_NAMES = {",": "comma", "\t": "tab"}
_SWITCHES = {"true": True, "false": False}


def read_table(text: str, rows: Rows, *, delimiter: str) -> None:
    """Add each record after the header as a row, unless all its cells are blank.

    If the header has a fault, the rows are not read.
    """
    records, before = _records(text, rows, delimiter), len(rows.faults)
    start, header = next(records, (0, []))
    if not header or len(rows.faults) > before:  # after a fault, this may not be the header
        return
    names = [name.strip() for name in header]
    if wrong := _wrong_names(names, delimiter):
        rows.refuse(start, "; ".join(wrong))
        return
    for line, cells in records:
        if len(cells) > len(names):
            rows.refuse(line, _too_many(cells, names, delimiter))
        else:
            pairs = zip(names, cells, strict=False)
            rows.add(line, ((name, _value(name, cell)) for name, cell in pairs))


def _records(text: str, rows: Rows, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The valid records that are not blank, each with its first line."""
    reader = csv.reader(lines(text, rows), delimiter=delimiter, strict=True)
    while True:
        start, faults = reader.line_num + 1, len(rows.faults)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            rows.refuse(start, _fault(str(error), start, reader.line_num))
            continue
        if any(map(str.strip, cells)) and len(rows.faults) == faults:
            yield start, cells


def _fault(error: str, start: int, line: int) -> str:
    if "end of data" in error:
        return "a quote is never closed"
    if "field limit" in error:
        most = f"{csv.field_size_limit():,}"
        return f"a cell has more than {most} characters; perhaps a quote is never closed"
    where = "" if line == start else f" in line {line}"
    return f'unexpected text after a closing quote{where}; write `""` for a quote within a cell'


def _wrong_names(names: list[str], delimiter: str) -> list[str]:
    if len(names) == 1 and (first := _OTHER_DELIMITER.match(names[0])) and nearest(first[1]):
        return [f"the columns should be separated by {_NAMES[delimiter]}s"]
    given = dict.fromkeys(filter(None, names))
    if not any(name in KEYS or nearest(name) for name in given):
        return [f"the first row should contain the column names; the keys are {listed()}"]
    wrong = unknown_keys([name for name in given if name not in KEYS])
    wrong += [f"`{name}` appears twice" for name in given if name in KEYS and _twice(name, names)]
    if "" in names:
        wrong.append(f"column {names.index('') + 1} has no name")
    return wrong


def _twice(name: str, names: list[str]) -> bool:
    return names.count(name) > 1


def _too_many(cells: list[str], names: list[str], delimiter: str) -> str:
    return (
        f"{len(cells)} fields, expected {len(names)}; "
        f"put quotes around a cell that contains a {_NAMES[delimiter]}"
    )


def _value(key: str, cell: str) -> Any:
    """The value of a cell, None if it is blank; text that does not parse stays a string."""
    if key == "prompt":  # the same one where git or an editor changes the ends of lines
        return cell.replace("\r\n", "\n") or None
    cell = cell.strip()
    return _FROM_TEXT.get(key, str)(cell) if cell else None


def _number(cell: str) -> Any:
    if _WHOLE.fullmatch(cell):
        return int(cell) if len(cell) <= MOST_DIGITS else cell
    return float(cell) if _DECIMAL.fullmatch(cell) else cell


def _switch(cell: str) -> Any:
    return _SWITCHES.get(cell.lower(), cell)


def _images(cell: str) -> list[str]:
    return [image for piece in cell.split(";") if (image := piece.strip())]


_OF_TYPE: dict[type, Callable[[str], Any]] = {
    str: str,
    int: _number,
    float: _number,
    bool: _switch,
}
_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    **{row.name: _OF_TYPE[row.type] for row in OPTIONS},
    "images": _images,
}
