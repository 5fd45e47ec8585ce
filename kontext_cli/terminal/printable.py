"""The boundary to the terminal: strings from servers, files and prompts lose their teeth here."""

import re
import unicodedata

_LONGEST = 2_000
_BREAKS = "\t\n\v\f\r\x85\u2028\u2029"
_SPACE = re.compile(rf"\s{{2,}}|[{_BREAKS}]")
_ODD = re.compile(r"[^ -~]")
_ODD_IN_LINES = re.compile(r"[^\n\t -~]")
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    """``text`` with control, bidi and zero-width characters written as escapes.

    Line feeds and tabs stay: what is printed in several lines was meant so by us.
    """
    return text if text.isprintable() else _ODD_IN_LINES.sub(_tamed, text)


def escaped(text: str) -> str:
    """``text`` as exactly as one line can show it: line feeds and tabs are escapes as well."""
    return text if text.isprintable() else _ODD.sub(_tamed, text)


def one_line(text: str) -> str:
    """``printable``, cut to size and without line breaks: for strings that are not ours."""
    if not text.isprintable():
        text = _SPACE.sub(_joined, text)
    text = text.strip()
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _joined(space: re.Match[str]) -> str:
    return space[0] if set(_BREAKS).isdisjoint(space[0]) else " "


def _tamed(odd: re.Match[str]) -> str:
    return odd[0] if unicodedata.category(odd[0]) not in _CONTROL else ascii(odd[0])[1:-1]
