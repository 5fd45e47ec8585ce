"""Formats flags, amounts, times and lists for messages, and finds misspelled words."""

from collections.abc import Iterable, Sequence

_SHORTEST = 2
"""The fewest letters of a word that is considered a misspelling."""
_LONG = 5
"""The fewest letters of a word that may have two typos."""
_NO_FLAGS = ("prompt", "route", "dialect")


def flag(field: str) -> str:
    """The flag of a field: ``--num-images`` for ``num_images``; some fields have none."""
    return field if field in _NO_FLAGS else "--" + field.replace("_", "-")


def dollars(usd: float) -> str:
    """An amount in US dollars: four decimals at most, never fewer than two."""
    text = f"{usd:.4f}"
    return f"${text[:-2]}{text[-2:].rstrip('0')}"


def seconds_text(seconds: float) -> str:
    """A time in seconds, as precise as users need it: ``3``, or ``0.4`` below one second."""
    return f"{seconds:.0f}" if seconds >= 1 else f"{seconds:.1g}"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: ``fal``, ``fal and sandbox``, ``fal, chainhub and sandbox``."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def nearest(typed: str, words: Iterable[str]) -> str | None:
    """The word that was probably meant: one with the same beginning, or the fewest typos.

    Either one of the two begins with the other, or at most two letters (one in short words) are
    wrong, missing, extra or swapped. Case and leading dashes are ignored.
    """
    wanted = _plain(typed)
    if len(wanted) < _SHORTEST:
        return None
    most_typos = 1 if len(wanted) < _LONG else 2
    found: list[tuple[int, int, str]] = []
    for word in words:
        plain = _plain(word)
        gap = abs(len(plain) - len(wanted))
        if plain.startswith(wanted):
            found.append((0, gap, word))
        elif gap <= most_typos:
            found.append((_typos(wanted, plain), gap, word))
        if len(plain) >= _SHORTEST and wanted.startswith(plain):
            found.append((most_typos, gap, word))
    if not found:
        return None
    typos, _, word = min(found)
    return word if typos <= most_typos else None


def _plain(word: str) -> str:
    return word.lstrip("-").replace("_", "-").casefold()


def _typos(one: str, other: str) -> int:
    """The number of letters that are wrong, missing, extra, or swapped with the next one."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, there in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != there))
            if i > 1 and j > 1 and (letter, one[i - 2]) == (other[j - 2], there):
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
