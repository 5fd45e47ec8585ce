"""Reads a prompts file, by its kind."""

import codecs
import re
from collections.abc import Iterator
from pathlib import PurePath
from typing import Literal, NamedTuple

from kontext_cli.errors import UsageError
from kontext_cli.prompts.document import is_array, is_document, is_in_one_line, read_array
from kontext_cli.prompts.jsonl import is_text, read_json_lines
from kontext_cli.prompts.rows import Fault, Rows, lines, split
from kontext_cli.prompts.table import read_table

Kind = Literal["txt", "jsonl", "json", "csv", "tsv"]

_KINDS: dict[str, Kind] = {
    ".txt": "txt",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
}
_SUPPORTED = "use .txt, .jsonl, .json, .csv, .tsv, `-` or `/dev/fd/N`"
# Each line of these would become a prompt, and be paid for.
_OF_OTHER_PROGRAMS = re.compile(
    r"\.(ya?ml|toml|ini|cfg|xml|html?|json5|jsonc|hjson|geojson|ipynb|parquet|arrow"
    r"|md|mdx|markdown|rst|adoc|org|tex|rtf|pdf|docx?|odt|pages|epub"
    r"|xlsx?|xlsm|ods|numbers|db|sqlite3?|sql"
    r"|jpe?g|png|webp|gif|avif|bmp|tiff?|heic|heif|svg|psd|mp4|mov"
    r"|gz|bz2|xz|zst|zip|7z|rar|tar|tgz|py|js|ts|sh|ps1|bat|lock)"
)
_SOLVE = "keep the rows that are right of both sides, and remove all marks"
_CONFLICT = re.compile(r"(<{7}|>{7}|={7}|\|{7})(?:[ \r\n]|$)")
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def kind_of(name: str) -> Kind | None:
    """The kind of a file by its suffix; None if it depends on the content.

    Raises UsageError for the suffixes of unsupported formats.
    """
    suffix = PurePath(name).suffix.lower()
    if _OF_OTHER_PROGRAMS.fullmatch(suffix):
        raise UsageError(
            f"`{name}` is not a prompts file: `{suffix}` is not supported", hint=_SUPPORTED
        )
    return _KINDS.get(suffix)


def read_prompts(data: bytes, kind: Kind | None, rows: Rows) -> None:
    """Add the valid rows of a file to ``rows``, and all faults with their lines.

    Types are checked, but not ranges and choices; the prompt may be missing. Without a kind, a
    JSON array is detected from the whole text, and JSON Lines from the first line that is neither
    blank nor a comment. A JSON document is never read as lines of text, nor is a file with the
    marks of a merge conflict read at all.
    """
    text = _decoded(data)
    before = len(rows.faults)
    if isinstance(text, _NotText):
        rows.refuse(text.line, text.reason)
    elif conflicts := [*_conflicts(text)]:
        for number, mark in conflicts:
            rows.refuse(number, f"`{mark}` is the mark of a merge conflict; {_SOLVE}")
    elif kind is None:
        _read(text, _sniffed(text), rows)
    elif wrong := _misnamed(text, kind):
        rows.refuse(1, wrong)
    else:
        _read(text, kind, rows)
    rows.faults[before:] = sorted(rows.faults[before:], key=_line)


def _line(fault: Fault) -> int:
    return fault.line


def _read(text: str, kind: Kind, rows: Rows) -> None:
    match kind:
        case "txt":
            _read_text(text, rows)
        case "jsonl":
            read_json_lines(text, rows)
        case "json":
            read_array(text, rows)
        case "csv":
            read_table(text, rows, delimiter=",")
        case "tsv":
            read_table(text, rows, delimiter="\t")


def _conflicts(text: str) -> Iterator[tuple[int, str]]:
    """The marks that an unfinished merge left, each with the number of its line."""
    if any(mark * 7 in text for mark in "<>=|"):
        for number, line in enumerate(split(text), start=1):
            if found := _CONFLICT.match(line):
                yield number, found[1]


def _misnamed(text: str, kind: Kind) -> str | None:
    """The fault of a JSON document with another suffix; None for any other text."""
    if kind == "json" or not is_document(text) or (kind == "jsonl" and is_in_one_line(text)):
        return None
    what, suffix = ("array", ".json") if is_array(text) else ("object", ".jsonl")
    if suffix == ".jsonl" and not is_in_one_line(text):
        return "it is one JSON object on several lines: put it into an array, in a `.json`"
    return f"it is a JSON {what}: name it `{suffix}`"


class _NotText(NamedTuple):
    """Why the bytes are not UTF-8, and the line of the first such byte."""

    line: int
    reason: str


def _decoded(data: bytes) -> str | _NotText:
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            return _NotText(1, f"it is {name}, save it as UTF-8")
    body = data.removeprefix(codecs.BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        line = 1 + len(re.findall(rb"\r\n?|\n", body[: error.start]))
        byte = body[error.start]
        return _NotText(line, f"it is not UTF-8 (byte 0x{byte:02x}), save it as UTF-8")


def _sniffed(text: str) -> Kind:
    if is_document(text) and (is_array(text) or not is_in_one_line(text)):
        return "json"
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
