"""Times and amounts of money as people type them: ``5m``, ``1h30m``, ``$5``, ``0.50 USD``."""

import re

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_UNIT = r"""(?:
    (?P<s>s|secs?|seconds?) | (?P<m>m|mins?|minutes?) | (?P<h>h|hrs?|hours?)
    | (?P<d>d|days?) | (?P<w>w|weeks?)
)(?![a-z])"""
_PART = re.compile(rf"(?P<count>\d+(?:\.\d+)?|\.\d+)\s*{_UNIT}\s*", re.VERBOSE | re.ASCII)
_BARE = re.compile(r"\d+(?:\.\d*)?(?:e\d+)?|\.\d+", re.ASCII)
_DOLLARS = re.compile(
    r"(?:us)?\$?\s*(?P<amount>\d+(?:\.\d*)?|\.\d+)\s*(?:\$|usd|us\$|dollars?)?", re.ASCII
)
_MOST_CHARACTERS = 40


def seconds(text: str, *, bare: bool = True) -> float:
    """The seconds in ``30s``, ``5m``, ``1.5h``, ``1h30m``, ``30d`` or, if ``bare``, ``300``.

    Raises ValueError for anything else.
    """
    typed = text.strip().lower()
    if len(typed) > _MOST_CHARACTERS:
        raise ValueError("too long")
    if bare and _BARE.fullmatch(typed):
        return float(typed)
    total, at = 0.0, 0
    while (part := _PART.match(typed, at)) is not None:
        unit = next(name for name in _SECONDS if part[name])
        total += float(part["count"]) * _SECONDS[unit]
        at = part.end()
    if at == 0 or at < len(typed):
        raise ValueError("not a time")
    return total


def us_dollars(text: str) -> float:
    """The amount in ``5``, ``0.50``, ``$5``, ``5$``, ``5 USD``. Raises ValueError for others."""
    typed = text.strip().lower()
    found = _DOLLARS.fullmatch(typed) if len(typed) <= _MOST_CHARACTERS else None
    if found is None:
        raise ValueError("not an amount of US dollars")
    return float(found["amount"])
