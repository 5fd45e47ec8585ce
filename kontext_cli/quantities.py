"""Durations and amounts of money as people type them: ``5m``, ``1h30m``, ``$5``, ``0.50 USD``."""

import re

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNIT = r"""(?:
    (?P<s>s|secs?|seconds?) | (?P<m>m|mins?|minutes?) | (?P<h>h|hrs?|hours?)
    | (?P<d>d|days?) | (?P<w>w|weeks?)
)(?![a-z])"""
_PART = rf"(?P<count>\d+(?:\.\d+)?|\.\d+)\s*{_UNIT}\s*"
_BARE = r"\d+(?:\.\d*)?(?:e\d+)?|\.\d+"
_DOLLARS = r"(?:us)?\$?\s*(?P<amount>\d+(?:\.\d*)?|\.\d+)\s*(?:\$|usd|us\$|dollars?)?"
_MOST_CHARACTERS = 40


def seconds(text: str, *, bare: bool = True) -> float:
    """The seconds in ``30s``, ``5m``, ``1.5h``, ``1h30m``, ``30d`` or, if ``bare``, ``300``.

    Raises ValueError for anything else.
    """
    typed = text.strip().lower()
    if len(typed) > _MOST_CHARACTERS:
        raise ValueError("too long")
    if bare and re.fullmatch(_BARE, typed, re.ASCII):
        return float(typed)
    parts = re.compile(_PART, re.VERBOSE | re.ASCII)
    total, at = 0.0, 0
    while (part := parts.match(typed, at)) is not None:
        unit = next(name for name in _SECONDS if part[name])
        total += float(part["count"]) * _SECONDS[unit]
        at = part.end()
    if at == 0 or at < len(typed):
        raise ValueError("not a time")
    return total


def us_dollars(text: str) -> float:
    """The amount in ``5``, ``0.50``, ``$5``, ``5$``, ``5 USD``. Raises ValueError for others."""
    typed = text.strip().lower()
    found = re.fullmatch(_DOLLARS, typed, re.ASCII) if len(typed) <= _MOST_CHARACTERS else None
    if found is None:
        raise ValueError("not an amount of US dollars")
    return float(found["amount"])
