"""What the benchmarks' provider knows of a job's client."""

from dataclasses import dataclass


@dataclass(slots=True)
class Record:
    """What the client of one job did, in seconds of the monotonic clock, which processes share."""

    prompt: str
    latency: float
    arrived: float
    """The first byte of the submit."""
    ready: float
    requests: int = 1
    """All of them, from the submit to the image."""
    polls: int = 0
    """Status requests and status streams."""
    download_begun: float | None = None
    """The first byte of the request for the image."""
    download_ended: float | None = None
    """The client closed the connection after the image; recorded for PNGs only."""
