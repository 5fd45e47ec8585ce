"""Checks of the journal: is it whole, how much is in it, what was moved aside."""

from collections.abc import Iterator, Mapping

from kontext_cli.doctor.finding import Finding
from kontext_cli.doctor.folders import size_text
from kontext_cli.errors import JournalFault
from kontext_cli.journal.file import Condition, condition
from kontext_cli.journal.store import database_condition
from kontext_cli.settings.paths import journal_location

_NAME = "journal"


def check_journal(environ: Mapping[str, str], *, online: bool) -> Iterator[Finding]:
    """The journal, in its folder or database, which is not changed; a database is asked ``online``
    only. Raises UsageError or JournalFault."""
    location = journal_location(environ)
    if isinstance(location, str):
        yield _database(location, online=online)
        return
    journal = condition(location)
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


def _database(url: str, *, online: bool) -> Finding:
    if not online:
        return Finding(_NAME, "in the database of KONTEXT_JOURNAL, which `--online` asks")
    found = database_condition(url)
    where = f"{found.name}: PostgreSQL {found.server}, {1000 * found.seconds:.0f} ms a query"
    return _counted(f"{where}, {_count(found.jobs)}", found.unfinished)


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
    text = f"{journal.path}: {_count(journal.jobs)}, {size_text(journal.bytes)}"
    return _counted(text, journal.unfinished)


def _counted(text: str, unfinished: int) -> Finding:
    if unfinished:
        return Finding(_NAME, f"{text}, {unfinished:,} unfinished", "note", "kontext fetch")
    return Finding(_NAME, text)


def _count(jobs: int) -> str:
    return "1 job" if jobs == 1 else f"{jobs:,} jobs"
