"""Prompts as file names."""

import os
import re
import unicodedata

_MOST_BYTES = 60
_FALLBACK = "image"
# Letters and marks that show nothing: fillers, joiners, variation selectors.
_BLANK = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)}


def slugify(text: str) -> str:
    """A readable name of at most 60 bytes in UTF-8: words of any script, joined by `-`."""
    if text.isascii():  # the rest comes to the same for it, at ten times the cost
        return _cut("-".join(text.translate(_ASCII).split())) or _FALLBACK
    folded = "".join(map(_fold, unicodedata.normalize("NFC", re.sub(_BLANK, "", text))))
    lower = unicodedata.normalize("NFC", folded.lower())
    return _cut(_words(lower)) or _FALLBACK


def has_name_here(text: str) -> bool:
    """Whether the locale's file system encoding can express a name."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _fold(char: str) -> str:
    """A letter without its accent where that is plain ASCII (é, ﬁ, Ａ), else as it is (й, が)."""
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part)
    )
    return plain if plain and plain.isascii() else char


def _words(text: str) -> str:
    kept = "-"
    for char in text:
        # Many scripts write vowels as marks, which count as no letters by themselves.
        is_mark = unicodedata.category(char).startswith("M")
        is_letter = char.isalnum() or (is_mark and not kept[-1].isascii())
        if is_letter and has_name_here(char):
            kept += char
        elif kept[-1] != "-" and not is_mark:
            kept += "-"
    return kept.strip("-")


def _cut(slug: str) -> str:
    if len(slug) <= _MOST_BYTES and slug.isascii():
        return slug
    data = slug.encode()
    if len(data) <= _MOST_BYTES:
        return slug
    cut = data[:_MOST_BYTES].decode(errors="ignore")
    boundary = cut if slug[len(cut)] == "-" else cut.rpartition("-")[0]
    # A boundary far back would lose a long sentence of a script that has no spaces.
    return (boundary if len(boundary) > len(cut) // 2 else cut).strip("-")
