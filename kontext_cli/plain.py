"""JSON values from outside, as far as every reader of JSON takes them."""

import math
from typing import Any

_LEVELS = 16
"""How deep what a provider reports may be; it comes to three."""


def plain(value: Any, *, levels: int = _LEVELS) -> Any:
    """The value without what has no word in JSON: infinite numbers, and endless depth."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        inner = levels - 1
        return {key: plain(each, levels=inner) for key, each in value.items()} if levels else None
    if isinstance(value, list):
        return [plain(each, levels=levels - 1) for each in value] if levels else None
    return value
