"""A prompts file: its encoding, its kind, and the reader for it."""

import codecs
import re
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
_READ = "`-`, `/dev/fd/N`, .txt, .jsonl, .json, .csv and .tsv are read"
# A line of any of these would make a prompt, and be paid for.
_OF_OTHER_PROGRAMS = re.compile(
    r"\.(ya?ml|toml|ini|cfg|xml|html?|json5|jsonc|hjson|geojson|ipynb|parquet|arrow"
    r"|md|mdx|markdown|rst|adoc|org|tex|rtf|pdf|docx?|odt|pages|epub"
    r"|xlsx?|xlsm|ods|numbers|db|sqlite3?|sql"
    r"|jpe?g|png|webp|gif|avif|bmp|tiff?|heic|heif|svg|psd|mp4|mov"
    r"|gz|bz2|xz|zst|zip|7z|rar|tar|tgz|py|js|ts|sh|ps1|bat|lock)"
)
# UTF-32 stands first: in little-endian order its mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def kind_of(name: str) -> Kind | None:
    """The kind that a file's suffix stands for; None where the content has to tell.

    Raises UsageError for the suffixes of formats that hold no prompts.
    """
    suffix = PurePath(name).suffix.lower()
    if _OF_OTHER_PROGRAMS.fullmatch(suffix):
        raise UsageError(f"`{name}` is no prompts file: `{suffix}` is not read", hint=_READ)
    return _KINDS.get(suffix)


def read_prompts(data: bytes, kind: Kind | None, rows: Rows) -> None:
    """Add the rows of a file that can be used to ``rows``, and all its faults, by their lines.

    Types are checked; ranges and choices are not, and a row may lack its prompt. Without a
    kind, a JSON array is told by all of the text, and JSON Lines by the first line that is neither
    blank nor a comment. One JSON document is never taken for lines of text.
    """
    text = _decoded(data)
    before = len(rows.faults)
    if isinstance(text, _NotText):
        rows.refuse(text.line, text.reason)
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


def _misnamed(text: str, kind: Kind) -> str | None:
    """What to say of a JSON document that is named for something else; None where it is none."""
    if kind == "json" or not is_document(text) or (kind == "jsonl" and is_in_one_line(text)):
        return None
    what, suffix = ("array", ".json") if is_array(text) else ("object", ".jsonl")
    if suffix == ".jsonl" and not is_in_one_line(text):
        return "it is one JSON object over several lines: put it into an array, in a `.json`"
    return f"it is a JSON {what}: name it `{suffix}`"


class _NotText(NamedTuple):
    """Bytes that are no UTF-8: the line where that shows, and why."""

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
