"""JSON Lines: a text or an object a line."""

import json
from typing import Any

from kontext_cli.prompts.keys import MOST_DIGITS, Pair, Refused, described
from kontext_cli.prompts.lines import lines
from kontext_cli.prompts.rows import Rows

_FAULTS = {  # by how Python's messages begin
    "Expecting value": "expected a value",
    "Expecting property name": "expected a key in double quotes",
    "Expecting ':'": "expected ':'",
    "Expecting ','": "expected ','",
    "Unterminated string": "no quote closes the text begun",
    "Invalid control character": "a tab or another control character is not escaped",
    "Invalid \\": "there is no such escape",
    "Illegal trailing comma": "there is a comma too many",
    "Extra data": "something follows the value",
}


def read_json_lines(text: str, rows: Rows) -> None:
    """Each line that is not blank is a row."""
    for number, line in enumerate(lines(text, rows), start=1):
        if not line.strip():
            continue
        try:
            rows.add(number, _pairs(line.rstrip("\r\n")))
        except Refused as refused:
            rows.refuse(number, str(refused))


def is_text(line: str) -> bool:
    """Whether a line is one whole text of JSON."""
    try:
        return line.startswith('"') and isinstance(_DECODER.decode(line), str)
    except ValueError:
        return False


def _pairs(line: str) -> tuple[Pair, ...]:
    value = _value(line)
    if isinstance(value, str):
        return (("prompt", value),)
    if isinstance(value, tuple):
        return value
    raise Refused(f"a line should be a text or an object, not {described(value)}")


def _value(line: str) -> Any:
    try:
        return _DECODER.decode(line)
    except json.JSONDecodeError as error:
        known = (ours for start, ours in _FAULTS.items() if error.msg.startswith(start))
        fault = next(known, "something is wrong")
        raise Refused(f"it is not valid JSON: {fault} at column {error.colno}") from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise Refused(f"it has a number of {len(digits):,} digits; at most {MOST_DIGITS} go")
    return int(digits)


def _constant(name: str) -> None:
    raise Refused(f"it is not valid JSON: there is no number `{name}`")


# An object becomes the tuple of its pairs, so that none is lost where a key is there twice.
_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_whole, parse_constant=_constant)
