"""Counts skipped rows by reason."""

from collections import Counter

from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.text import rows_text

_WHY_SKIPPED = {"saved": "already saved"}


class Skips:
    """Skipped rows, reported together: there may be thousands."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()

    def add(self, reason: str) -> None:
        """Count a row."""
        self._reasons[reason] += 1

    def taken(self) -> str | None:
        """A sentence about the rows counted since the last call; None if there are none."""
        if not self._reasons:
            return None
        reasons = {_WHY_SKIPPED.get(reason, reason): n for reason, n in self._reasons.items()}
        count = self._reasons.total()
        self._reasons.clear()
        if len(reasons) == 1:
            return f"{rows_text(count)} skipped: {one_line(*reasons)}"
        parts = ", ".join(f"{number:,} {one_line(reason)}" for reason, number in reasons.items())
        return f"{rows_text(count)} skipped: {parts}"
