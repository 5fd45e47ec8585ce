"""Text measured in the cells of a terminal, where a wide character takes two."""

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_EMOJI_STYLE = "\ufe0f"
"""Makes the character before it an emoji, which most terminals draw two cells wide."""
_ELLIPSIS = "…"
_COMMAND = re.compile("`[^`]+`")
_NO_BREAK = "\0"
"""In place of a space; an escaped text does not contain it."""


def width_of(text: str) -> int:
    """The number of cells that a text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def flat(text: str) -> str:
    """A text as one line, with one space where there was space of any kind."""
    return " ".join(text.split())


def fitted(text: str, cells: int) -> str:
    """A text cut to a number of cells, with an ellipsis where it was cut."""
    if len(text) * 2 <= cells or width_of(text) <= cells:
        return text
    return _start(text, cells - 1).rstrip() + _ELLIPSIS if cells > 0 else ""


def wrapped(text: str, cells: int) -> Iterator[str]:
    """The lines of an escaped text, broken between words where it is wider than ``cells``.

    A word that is wider itself, and a command between backticks, are not broken, so that they can
    be copied.
    """
    if not text.isascii():  # with room for characters that take two
        cells = max(cells * len(text) // width_of(text), 1)
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _NO_BREAK), text)
    lines = textwrap.wrap(whole, max(cells, 1), break_long_words=False, break_on_hyphens=False)
    yield from (line.replace(_NO_BREAK, " ") for line in lines or [""])


def _start(text: str, cells: int) -> str:
    if text.isascii():
        return text[: max(cells, 0)]
    used = 0
    for place, char in enumerate(text):
        used += _cells(char)
        if used > cells:
            return text[:place]
    return text


@lru_cache(maxsize=4_096)
def _cells(char: str) -> int:
    if char.isascii():
        return 1
    if char == _EMOJI_STYLE:
        return 1
    if unicodedata.east_asian_width(char) in "WF":
        return 2
    return 0 if unicodedata.category(char) in ("Mn", "Me") else 1
