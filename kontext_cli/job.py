"""One request handed to one provider: its states, what the provider made, what lies on disk."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from kontext_cli.errors import KontextError

Operation = Literal["generate", "edit"]

_ID_FIRST = "abcdefghjkmnpqrstvwxyz"
_ID_REST = "0123456789" + _ID_FIRST
_ID_LENGTH = 10


class State(StrEnum):
    """Where a job is: planned → submitting → queued → running → ready → saved, or an end."""

    PLANNED = "planned"
    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    SAVED = "saved"
    FAILED = "failed"
    MODERATED = "moderated"
    CANCELED = "canceled"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Handle:
    """What it takes to ask a queue about a job again: its id and URLs, all on the provider's base.

    ``status_url`` is None where the provider has no status route; ``misses`` counts the times
    the job was not found yet.
    """

    request_id: str
    status_url: str | None
    response_url: str
    cancel_url: str
    misses: int = 0


@dataclass(frozen=True, slots=True)
class Output:
    """One picture the provider made: an https or data URL, or base64; ``bytes`` is its own word."""

    url: str | None = field(default=None, repr=False)
    b64: str | None = field(default=None, repr=False)
    bytes: int | None = None
    flagged: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What one answer of a provider says about a job.

    ``logs`` is every line so far. ``handle`` replaces the job's handle where the answer teaches
    another way to ask. ``usd`` is the provider's own figure of the cost. ``done`` means that the
    queue calls the job completed: whether it succeeded, only its result tells.
    """

    state: State
    position: int | None = None
    logs: tuple[str, ...] = ()
    done: bool = False
    outputs: tuple[Output, ...] = ()
    seed: int | None = None
    usd: float | None = None
    reply: Mapping[str, Any] = field(default_factory=dict)
    handle: Handle | None = None


@dataclass(frozen=True, slots=True)
class File:
    """A verified picture on disk under its final name; sizes in bytes and pixels."""

    path: Path
    sha256: str
    bytes: int
    width: int
    height: int
    format: Literal["jpeg", "png"]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job costs in US dollars, and who says so."""

    usd: float | None
    source: Literal["provider", "estimate", "unknown"]


@dataclass(slots=True)
class Job:
    """One request handed to one provider, from plan to file."""

    operation: Operation
    provider: str
    model: str
    endpoint: str
    request: Mapping[str, Any]
    seed: int | None
    cost: Cost
    id: str
    state: State = State.PLANNED
    request_id: str | None = None
    position: int | None = None
    files: tuple[File, ...] = ()
    reply: Mapping[str, Any] = field(default_factory=dict)
    skipped: bool = False
    error: KontextError | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None


def new_id() -> str:
    """A job id: ten letters and digits without look-alikes, the first a letter (49 bits)."""
    return secrets.choice(_ID_FIRST) + "".join(
        secrets.choice(_ID_REST) for _ in range(_ID_LENGTH - 1)
    )
