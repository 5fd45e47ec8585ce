"""A prompts file: its encoding, its kind, and the reader for it."""

import codecs
import re
from pathlib import PurePath
from typing import Literal

from kontext_cli.prompts.jsonl import is_text, read_json_lines
from kontext_cli.prompts.lines import lines, split
from kontext_cli.prompts.rows import Mistake, Row, Rows
from kontext_cli.prompts.table import read_table

Kind = Literal["txt", "jsonl", "csv", "tsv"]

_KINDS: dict[str, Kind] = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
}
# UTF-32 stands first: in little-endian order its mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def kind_of(name: str) -> Kind | None:
    """The kind that a file's suffix stands for; None where the content has to tell."""
    return _KINDS.get(PurePath(name).suffix.lower())


def read_prompts(data: bytes, kind: Kind | None) -> tuple[list[Row], list[Mistake]]:
    """The rows that can be used, and all mistakes of the file in the order of its lines.

    Types are checked; ranges and choices are not, and a row may lack its prompt. Without a
    kind, JSON Lines are told from text by the first line that is neither blank nor a comment.
    """
    text = _decoded(data)
    if isinstance(text, Mistake):
        return [], [text]
    rows = Rows()
    match kind or _sniffed(text):
        case "txt":
            _read_text(text, rows)
        case "jsonl":
            read_json_lines(text, rows)
        case "csv":
            read_table(text, rows, delimiter=",")
        case "tsv":
            read_table(text, rows, delimiter="\t")
    return rows.good, sorted(rows.mistakes, key=lambda mistake: mistake.line)


def _decoded(data: bytes) -> str | Mistake:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return Mistake(1, f"it is {name}, save it as UTF-8")
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = 1 + len(re.findall(rb"\r\n?|\n", body[: error.start]))
        return Mistake(line, f"it is not UTF-8 (byte 0x{body[error.start]:02x}), save it as UTF-8")


def _sniffed(text: str) -> Kind:
    for line in split(text):
        start = line.lstrip()
        if start and not start.startswith("#"):
            return "jsonl" if start.startswith("{") or is_text(start) else "txt"
    return "txt"


def _read_text(text: str, rows: Rows) -> None:
    for number, line in enumerate(lines(text, rows), start=1):
        prompt = line.strip()
        if prompt and not prompt.startswith("#"):
            rows.add(number, (("prompt", prompt),))
