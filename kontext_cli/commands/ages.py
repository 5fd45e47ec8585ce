"""Ages of jobs, as they are typed."""

from datetime import timedelta

from kontext_cli.errors import UsageError
from kontext_cli.quantities import seconds


def age_of(flag: str, text: str) -> timedelta:
    """The age in `30d`, `12h` or `90m`, the value of a flag. Raises UsageError for others."""
    try:
        return timedelta(seconds=seconds(text, bare=False))
    except (ValueError, OverflowError):
        raise UsageError(f"`{flag} {text}` is not an age", hint="as in 30d, 12h, 90m") from None
