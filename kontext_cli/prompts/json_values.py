"""Values of JSON as rows have them, and what is wrong with text that is none."""

import json
from typing import Any

from kontext_cli.prompts.keys import MOST_DIGITS, Pair, Refused, described

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


def decoded(text: str) -> Any:
    """The value that is all of ``text``; an object is a tuple of pairs. Raises Refused."""
    try:
        return DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise Refused(f"it is not valid JSON: {fault(error)} at column {error.colno}") from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None


def fault(error: json.JSONDecodeError) -> str:
    """What is wrong with a text that is no JSON."""
    known = (ours for start, ours in _FAULTS.items() if error.msg.startswith(start))
    return next(known, "something is wrong")


def pairs_of(value: Any, where: str) -> tuple[Pair, ...]:
    """What a row says that was written as ``value``: a text is its prompt. Raises Refused."""
    if isinstance(value, str):
        return (("prompt", value),)
    if isinstance(value, tuple):
        return value
    raise Refused(f"{where} should be a text or an object, not {described(value)}")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise Refused(f"it has a number of {len(digits):,} digits; at most {MOST_DIGITS} go")
    return int(digits)


def _constant(name: str) -> None:
    raise Refused(f"it is not valid JSON: there is no number `{name}`")


# An object becomes the tuple of its pairs, so that none is lost where a key is there twice.
DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_int=_whole, parse_constant=_constant)
