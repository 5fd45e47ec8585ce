"""In which line of a TOML file a key is set: `tomllib` does not say."""

import re


def line_of(text: str, table: str, key: str) -> int | None:
    """The line that sets ``key`` of ``table`` (`""` is the top of the file), counted from 1.

    None if it is not found, as for a key with an escape.
    """
    numbered = [*enumerate(text.split("\n"), start=1)]
    start = _start(numbered, table) - 1
    key_pattern = re.compile(rf"""(^\s*|[\[.{{,]\s*)["']?{re.escape(key)}["']?\s*([=.\]]|$)""")
    for number, line in (*numbered[start:], *numbered[:start]):
        if key_pattern.search(line):
            return number
    return None


def _start(numbered: list[tuple[int, str]], table: str) -> int:
    """The line of the table's own heading, else of one below it, else the first."""
    for end in (r"\s*\]", r"\b"):
        heading = re.compile(rf"\s*\[\s*{re.escape(table)}{end}")
        for number, line in numbered:
            if table and heading.match(line):
                return number
    return 1
