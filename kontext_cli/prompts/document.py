"""JSON documents: an array of strings and objects, each element is a row."""

import json
import re

from kontext_cli.prompts.json_values import DECODER, fault, pairs_of
from kontext_cli.prompts.keys import Refused
from kontext_cli.prompts.rows import Rows, count_ends

_SPACE = re.compile(r"[ \t\n\r]*")
_ANYTHING = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_BEGUN = re.compile(r"[ \t\n\r]*[\[{][ \t]*[\[{]?[ \t]*[\n\r]")


def is_document(text: str) -> bool:
    """Whether a text is one JSON array or object, or begins like one: with a bracket alone in its
    first line."""
    start = _after_space(text, 0)
    if text[start : start + 1] not in ("[", "{"):
        return False
    if _BEGUN.match(text):
        return True
    try:
        _, end = _ANYTHING.raw_decode(text, start)
    except (ValueError, RecursionError):
        return False
    return _after_space(text, end) == len(text)


def is_array(text: str) -> bool:
    """Whether a text begins with a JSON array."""
    return text.startswith("[", _after_space(text, 0))


def is_in_one_line(text: str) -> bool:
    """Whether a text has only one line."""
    text = text.strip()
    return "\n" not in text and "\r" not in text


def read_array(text: str, rows: Rows) -> None:
    """Add each element as a row. Reading ends at the first syntax error."""
    _Array(text, rows).read()


class _Array:
    """A reader at a position in the text, and its line there."""

    def __init__(self, text: str, rows: Rows) -> None:
        self._text = text
        self._rows = rows
        self._at = 0
        self._line = 1

    def read(self) -> None:
        try:
            self._open()
            while self._element():
                pass
            if self._char():
                raise self._fault("unexpected text after the array", self._at)
        except Refused as refused:
            # A line end at the end of the file does not begin another line.
            past_the_end = self._at == len(self._text) and self._text.endswith(("\n", "\r"))
            self._rows.refuse(self._line - past_the_end, str(refused))

    def _open(self) -> None:
        char = self._char()
        if char == "{":
            raise Refused(_how_to_write_objects(self._text))
        if char != "[":
            raise Refused("it should be an array of strings and objects: `[…]`")
        self._move(self._at + 1)

    def _element(self) -> bool:
        """Read an element and the comma after it; False at the end of the array."""
        if self._char() == "]":
            self._move(self._at + 1)
            return False
        start, line = self._at, self._line
        try:
            value, end = DECODER.raw_decode(self._text, start)
            self._rows.add(line, pairs_of(value, "an element"))
        except json.JSONDecodeError as error:
            raise self._fault(fault(error), error.pos) from None
        except RecursionError:
            raise Refused("it is nested too deeply") from None
        except Refused as refused:
            self._rows.refuse(line, str(refused))
            end = self._end_of_value(start)
        self._move(end)
        self._comma()
        return True

    def _comma(self) -> None:
        char = self._char()
        if char == ",":
            self._move(self._at + 1)
            if self._char() == "]":
                raise self._fault("trailing comma", self._at)
        elif char != "]":
            what = "expected ',' or ']'" if char else "the array is not closed"
            raise self._fault(what, self._at)

    def _end_of_value(self, start: int) -> int:
        try:
            return _ANYTHING.raw_decode(self._text, start)[1]
        except json.JSONDecodeError as error:
            raise self._fault(fault(error), error.pos) from None

    def _char(self) -> str:
        """The next character that is not a space, empty at the end."""
        self._move(_after_space(self._text, self._at))
        return self._text[self._at : self._at + 1]

    def _move(self, at: int) -> None:
        self._line += count_ends(self._text, self._at, at)
        self._at = at

    def _fault(self, what: str, at: int) -> Refused:
        """A syntax error; moves the reader to its line."""
        self._move(max(at, self._at))
        if at == len(self._text):
            return Refused(f"invalid JSON: {what}")
        before = max(self._text.rfind("\n", 0, at), self._text.rfind("\r", 0, at))
        return Refused(f"invalid JSON: {what} at column {at - before}")


def _how_to_write_objects(text: str) -> str:
    """Says how to write a file that begins with an object."""
    start = _after_space(text, 0)
    try:
        _, end = _ANYTHING.raw_decode(text, start)
    except (ValueError, RecursionError):
        return "it should be an array of strings and objects: `[…]`"
    if _after_space(text, end) < len(text):
        return "it has one object per line: name it `.jsonl`"
    return "it is one object; put it into an array, `[{…}]`, or write it on one line of a `.jsonl`"


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
