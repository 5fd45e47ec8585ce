"""Checks of the journal: is it whole, how much is in it, what was moved aside."""

from collections.abc import Iterator
from pathlib import Path

from kontext_cli.doctor.finding import Finding
from kontext_cli.doctor.folders import size_text
from kontext_cli.errors import JournalFault
from kontext_cli.journal.file import Condition, condition

_NAME = "journal"


def check_journal(folder: Path) -> Iterator[Finding]:
    """The journal of a state folder, which is not changed. Raises JournalFault."""
    journal = condition(folder)
    yield _state(journal)
    if journal.aside:
        count = len(journal.aside)
        files = "1 damaged journal was" if count == 1 else f"{count:,} damaged journals were"
        yield Finding(
            _NAME,
            f"{files} moved aside, and the jobs in there are not known: {journal.aside[-1]}",
            "note",
            "keep it until you miss no job, then remove it",
        )


def _state(journal: Condition) -> Finding:
    if journal.damage is not None:
        return Finding(
            _NAME,
            f"{journal.path} is damaged ({journal.damage}): the next command repairs it or "
            "moves it aside",
            "problem",
            "copy it first if it has jobs that you need",
            JournalFault.exit_code,
        )
    if not journal.bytes:
        return Finding(_NAME, f"none yet; it will be {journal.path}")
    jobs = "1 job" if journal.jobs == 1 else f"{journal.jobs:,} jobs"
    text = f"{journal.path}: {jobs}, {size_text(journal.bytes)}"
    if journal.unfinished:
        text += f", {journal.unfinished:,} unfinished"
        return Finding(_NAME, text, "note", "kontext fetch")
    return Finding(_NAME, text)
