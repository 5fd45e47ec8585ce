"""How long a batch waits for its jobs, and how many of them may fail."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """``timeout`` is in seconds, for one job; the batch stops after ``most_failures``."""

    timeout: float
    most_failures: int | None = None
    waits: bool = True
    """False: leave the jobs at the provider."""
