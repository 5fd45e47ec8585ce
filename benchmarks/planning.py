"""Many rows without a provider: planned, and run again when all of them are saved."""

import rows
from table import Goal, Row, Section, number


def measure() -> Section:
    """A hundred thousand rows."""
    seconds, megabytes = rows.plan(100_000)
    section = Section(
        [
            *_rows("100,000 rows planned", seconds, megabytes, Goal(6, unit="s"), 150),
            *_rows("100,000 finished rows run again", *rows.again(100_000), Goal(8, unit="s"), 200),
        ]
    )
    section.figures["100,000 rows planned"] = {"s": seconds, "MB": megabytes}
    return section


def million() -> Section:
    """A million rows, planned only."""
    return Section(_rows("1,000,000 rows planned", *rows.plan(1_000_000), None, 1_200))


def _rows(
    what: str, seconds: float, megabytes: float, goal: Goal | None, most_megabytes: float
) -> list[Row]:
    memory = Goal(most_megabytes, unit="MB")
    return [
        Row(what, number(seconds, "s"), "", seconds, "s", goal),
        Row(f"{what}: peak memory", number(megabytes, "MB"), "", megabytes, "MB", memory),
    ]
