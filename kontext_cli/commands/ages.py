"""Ages of jobs, as they are typed."""

from datetime import timedelta

from kontext_cli.errors import UsageError
from kontext_cli.quantities import seconds


def age_of(text: str) -> timedelta:
    """The age in `30d`, `12h` or `90m`. Raises UsageError for anything else."""
    try:
        return timedelta(seconds=seconds(text, bare=False))
    except (ValueError, OverflowError):
        raise UsageError(f"`{text}` is not an age", hint="as in 30d, 12h, 90m") from None
