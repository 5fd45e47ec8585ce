"""`kontext cost`: what was spent, from the journal alone."""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from kontext_cli.commands.ages import age_of
from kontext_cli.journal import Journal
from kontext_cli.journal.spending import By, Group, Spent, Sum, grouped
from kontext_cli.settings.paths import journal_location
from kontext_cli.terminal.output import to_stderr
from kontext_cli.terminal.records import SCHEMA
from kontext_cli.terminal.result import Result
from kontext_cli.terminal.spending import spending_lines

_ALL: tuple[By, ...] = ("day", "provider", "model", "batch")


def sum_up(*, since: str | None, by: By | None) -> Result:
    """What was spent by day, provider, model and batch, or by one of them, and in total.

    Raises UsageError for an age that is none, and JournalFault.
    """
    spent = _spent(None if since is None else age_of("--since", since))
    tables = {each: grouped(spent, each) for each in ([by] if by else _ALL)}
    total = grouped(spent, "total").get(None) or {"estimate": Sum()}
    nothing = "nothing was spent" if since is None else f"nothing was spent in the last {since}"
    return Result(
        text=spending_lines(tables, total, is_brief=by is None),
        records=_records({**tables, "total": {None: total}}),
        messages=() if spent else [nothing],
    )


def _spent(within: timedelta | None) -> list[Spent]:
    journal = Journal.read(journal_location(os.environ), log=to_stderr)
    if journal is None:
        return []
    with journal:
        return journal.spent(within)


def _records(tables: Mapping[By, Mapping[str | None, Group]]) -> Iterator[dict[str, Any]]:
    """One for each source of a group's costs."""
    for by, groups in tables.items():
        for key, group in groups.items():
            for source, each in group.items():
                is_known = source != "unknown"
                yield {
                    "schema": SCHEMA,
                    "type": "cost",
                    "by": by,
                    "key": key,
                    "jobs": each.jobs,
                    "usd": round(each.usd, 6) if is_known else None,
                    "source": source,
                    "in_doubt": round(each.in_doubt, 6) if is_known else None,
                }
