"""The boundary to the terminal: strings from servers, files and prompts lose their teeth here."""

import re
import unicodedata

_LONGEST = 2_000
_BREAKS = "\t\n\v\f\r\x85\u2028\u2029"
_SPACE = re.compile(rf"\s{{2,}}|[{_BREAKS}]")
_HARMLESS = frozenset("\n\t")
_CONTROL = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


def printable(text: str) -> str:
    """``text`` with control, bidi and zero-width characters written as escapes.

    Line feeds and tabs stay: what is printed in several lines was meant so by us.
    """
    if _is_plain(text):
        return text
    return "".join(each if each in _HARMLESS else _escaped(each) for each in text)


def escaped(text: str) -> str:
    """``text`` as exactly as one line can show it: line feeds and tabs are escapes as well."""
    return text if _is_plain(text) else "".join(map(_escaped, text))


def one_line(text: str) -> str:
    """``printable``, cut to size and without line breaks: for strings that are not ours."""
    if not _is_plain(text):
        text = _SPACE.sub(_joined, text)
    text = text.strip()
    return printable(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _joined(space: re.Match[str]) -> str:
    return space[0] if set(_BREAKS).isdisjoint(space[0]) else " "


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _CONTROL:
        return character
    return ascii(character)[1:-1]
