"""Rows for which there was nothing to do, counted by reason."""

from collections import Counter

from kontext_cli.terminal.printable import one_line
from kontext_cli.terminal.text import rows_text

_WHY_SKIPPED = {"saved": "saved already"}


class Skips:
    """The rows for which there was nothing to do: told together, or thousands would scroll by."""

    def __init__(self) -> None:
        self._reasons: Counter[str] = Counter()

    def add(self, reason: str) -> None:
        """Count a row."""
        self._reasons[reason] += 1

    def taken(self) -> str | None:
        """All that were counted since the last time, in a sentence; None where none were."""
        if not self._reasons:
            return None
        told = {_WHY_SKIPPED.get(reason, reason): n for reason, n in self._reasons.items()}
        count = self._reasons.total()
        self._reasons.clear()
        if len(told) == 1:
            return f"{rows_text(count)} skipped: {one_line(*told)}"
        parts = ", ".join(f"{number:,} {one_line(reason)}" for reason, number in told.items())
        return f"{rows_text(count)} skipped: {parts}"
