"""A row that is being worked on."""

from dataclasses import dataclass

from kontext_cli.batch.entry import Entry
from kontext_cli.batch.lane import Lane
from kontext_cli.job import Job


@dataclass(slots=True)
class InFlight:
    """A row that is being worked on; ``job`` is None until it belongs to this run."""

    entry: Entry
    lane: Lane
    job: Job | None = None
