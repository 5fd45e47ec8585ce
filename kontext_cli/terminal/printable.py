"""Escapes untrusted text: strings from servers, files and prompts, before they are printed."""

import re
import unicodedata

_LONGEST = 2_000
_BREAKS = "\t\n\v\f\r\x85\u2028\u2029"
_SPACE = rf"\s{{2,}}|[{_BREAKS}]"
_ODD = r"[^ -~]"
_ODD_IN_LINES = r"[^\n\t -~]"
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    """``text`` with control, bidi and zero-width characters written as escapes.

    Line feeds and tabs are kept, for our own text of several lines.
    """
    return text if text.isprintable() else re.sub(_ODD_IN_LINES, _escape, text)


def escaped(text: str) -> str:
    """``printable`` for one line: line feeds and tabs are escaped as well."""
    return text if text.isprintable() else re.sub(_ODD, _escape, text)


def one_line(text: str) -> str:
    """``printable`` for untrusted text, truncated and with line breaks replaced by spaces."""
    if not text.isprintable():
        text = re.sub(_SPACE, _joined, text)
    text = text.strip()
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _joined(space: re.Match[str]) -> str:
    return space[0] if set(_BREAKS).isdisjoint(space[0]) else " "


def _escape(odd: re.Match[str]) -> str:
    return odd[0] if unicodedata.category(odd[0]) not in _CONTROL else ascii(odd[0])[1:-1]
