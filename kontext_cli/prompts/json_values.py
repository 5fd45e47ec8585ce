"""Decodes JSON values of rows, with short messages for syntax errors."""

import json
from typing import Any

from kontext_cli.prompts.keys import MOST_DIGITS, Pair, Refused, described

_FAULTS = {  # by how Python's messages begin
    "Expecting value": "expected a value",
    "Expecting property name": "expected a key in double quotes",
    "Expecting ':'": "expected ':'",
    "Expecting ','": "expected ','",
    "Unterminated string": "unterminated string",
    "Invalid control character": "unescaped control character",
    "Invalid \\": "invalid escape",
    "Illegal trailing comma": "trailing comma",
    "Extra data": "unexpected text after the value",
}


def decoded(text: str) -> Any:
    """The value that is all of ``text``; an object is a tuple of pairs. Raises Refused."""
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refused(f"invalid JSON: {fault(error)} at column {error.colno}") from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None


def fault(error: json.JSONDecodeError) -> str:
    """A short message for a syntax error."""
    known = (ours for start, ours in _FAULTS.items() if error.msg.startswith(start))
    return next(known, "invalid syntax")


def pairs_of(value: Any, where: str) -> tuple[Pair, ...]:
    """The pairs of a row: an object's own, or a string as its prompt. Raises Refused."""
    if isinstance(value, str):
        return (("prompt", value),)
    if isinstance(value, tuple):
        return value
    raise Refused(f"{where} should be a string or an object, not {described(value)}")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise Refused(
            f"it has a number with {len(digits):,} digits; at most {MOST_DIGITS} are allowed"
        )
    return int(digits)


def _constant(name: str) -> None:
    raise Refused(f"invalid JSON: `{name}` is not allowed")


# An object becomes a tuple of pairs, so that a key that appears twice is noticed.
DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_whole, parse_constant=_constant)
