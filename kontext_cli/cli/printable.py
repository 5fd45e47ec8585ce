"""The boundary to the terminal: strings from servers, files and prompts lose their teeth here."""

import re
import unicodedata

_LONGEST = 2_000
_BREAKS = re.compile(r"[\s\x1c-\x1f\x85\u2028\u2029]*[\r\n\t\v\f\x85\u2028\u2029]+\s*")
_HARMLESS = frozenset("\n\t")
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    """``text`` with control, bidi and zero-width characters written as escapes.

    Line feeds and tabs stay: what is printed in several lines was meant so by us.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_escaped, text))


def one_line(text: str) -> str:
    """``printable``, cut to size and without line breaks: for strings that are not ours."""
    text = _BREAKS.sub(" ", text).strip()
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _escaped(character: str) -> str:
    if character in _HARMLESS or unicodedata.category(character) not in _CONTROL:
        return character
    return ascii(character)[1:-1]
