"""One job: its state, its handle, what the provider made, what is saved."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from threading import Lock
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from kontext_cli.errors import KontextError
from kontext_cli.options import Metadata

Operation = Literal["generate", "edit"]
FileFormat = Literal["jpeg", "png", "webp"]
"""What a saved file can be: the first two on request, WebP where a provider sends that unasked."""

ROW_ID = "id:"
"""Before the id that a row has in its file, in what the row is known by."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = (50, 40, 30, 20, 10, 0)
_CHANCE_BITS = 25
_EPOCH = 1_735_689_600  # 2025-01-01


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

    @property
    def exit_code(self) -> int:
        """The exit code for a job in this state that has no error."""
        return _EXIT_CODES.get(self, 0)


_EXIT_CODES = {
    State.SUBMITTING: 7,
    State.QUEUED: 7,
    State.RUNNING: 7,
    State.FAILED: 4,
    State.CANCELED: 4,
    State.EXPIRED: 4,
    State.MODERATED: 5,
    State.UNKNOWN: 11,
}


ACCEPTED = frozenset({State.QUEUED, State.RUNNING, State.READY})
"""The states of a job that was accepted and is not downloaded yet."""
OPEN = ACCEPTED | {State.SUBMITTING}
"""The states that are not final."""


class Handle(NamedTuple):
    """Identifies a job at its provider: the provider's id, and what else it needs for its calls.

    ``data`` is JSON that belongs to the provider, who alone reads it; the journal stores it. Its
    names must differ from ``request_id``.
    """

    request_id: str
    data: Mapping[str, Any] = MappingProxyType({})

    def with_data(self, **changes: Any) -> "Handle":
        """A copy with some of the provider's data changed."""
        return self._replace(data={**self.data, **changes})


class Output(NamedTuple):
    """One image the provider made: an https or data URL, or base64.

    ``rejected`` says what its file is if it cannot be saved: it is not fetched again.
    """

    url: str | None = None
    b64: str | None = None
    flagged: bool = False
    rejected: str | None = None


class Note(str):
    """A line of the program about a job, such as a retry; other lines are its provider's log."""

    __slots__ = ()


class Progress(NamedTuple):
    """What one answer of a provider says about a job.

    ``logs`` is every line so far. ``handle`` replaces the job's handle where the answer has
    other URLs. ``usd`` is the provider's own figure of the cost. ``done`` means that the
    queue calls the job completed: only its result says whether it succeeded.
    """

    state: State
    position: int | None = None
    logs: tuple[str, ...] = ()
    done: bool = False
    outputs: tuple[Output, ...] = ()
    seed: int | None = None
    usd: float | None = None
    reply: Mapping[str, Any] = {}  # a dict, as JSON takes no other mapping
    handle: Handle | None = None


class File(NamedTuple):
    """A verified image on disk, or in a store, under its final name; sizes in bytes and pixels.

    ``number`` counts the images of its job from 1; ``modified`` is the file's time when it was
    saved, in nanoseconds, and ``etag`` that of a store, to detect changes since.
    """

    path: Path
    sha256: str
    bytes: int
    width: int
    height: int
    format: FileFormat
    number: int = 1
    modified: int = 0
    etag: str = ""


class Cost(NamedTuple):
    """What a job costs in US dollars, and who says so."""

    usd: float | None
    source: Literal["provider", "estimate", "unknown"]


class Source(NamedTuple):
    """An input image as it was given: an absolute path, a URL, or ``-``; sha256 of its bytes.

    To check that the same image is sent when a job is repeated; the bytes are not stored.
    """

    name: str
    sha256: str | None


class Origin(NamedTuple):
    """The machine that file names belong to, and the working folder that they were relative to.

    ``machine`` identifies the state folder, ``host`` is the name of the machine for people.
    """

    machine: str
    host: str
    folder: Path


class Target(NamedTuple):
    """The files asked for when a job was submitted; paths are absolute.

    ``replaces`` are the files that an earlier job made for the same row of a batch: these are
    replaced by the new ones, unless they were changed. ``metadata`` is what the images are to
    carry; with ``sidecar``, the same lies beside them. ``origin`` is None in a journal that
    belongs to one machine.
    """

    paths: tuple[Path, ...]
    overwrite: bool = False
    keep_flagged: bool = False
    replaces: tuple[File, ...] = ()
    metadata: Metadata = "off"
    sidecar: bool = False
    origin: Origin | None = None


@dataclass(slots=True, eq=False, repr=False)
class Job:
    """One request handed to one provider, from plan to file.

    ``digest`` is the identity of what was asked for; ``target`` is None where the image goes
    to standard output. ``server`` is the base URL that it was sent to, if that is a server of the
    user's own: it is nowhere else. ``package`` adds its provider, if that is not one of ours.
    ``handle`` and ``outputs`` are needed to continue after a crash.
    ``answer_by`` is when its run stops waiting for the answer to the submit.
    In a batch, ``row`` is what its row is known by, ``index`` where that stands, and ``attempt``
    counts the jobs of the row.
    """

    operation: Operation
    provider: str
    model: str
    endpoint: str
    request: Mapping[str, Any]
    seed: int | None
    cost: Cost
    id: str
    digest: str = ""
    sources: tuple[Source, ...] = ()
    target: Target | None = None
    batch: str | None = None
    row: str | None = None
    attempt: int = 1
    index: int | None = None
    state: State = State.PLANNED
    server: str | None = None
    package: str | None = None
    handle: Handle | None = None
    request_id: str | None = None
    position: int | None = None
    outputs: tuple[Output, ...] = ()
    files: tuple[File, ...] = ()
    reply: Mapping[str, Any] = field(default_factory=dict)
    skipped: bool = False
    error: KontextError | None = None
    answer_by: datetime | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    finished_at: datetime | None = None

    @property
    def row_id(self) -> str | None:
        """The `id` that the row has in its file, None where it has none."""
        known_by = self.row or ""
        return known_by.removeprefix(ROW_ID) if known_by.startswith(ROW_ID) else None


class _Ids:
    """Ids that sort by time: 35 bits of 32 ms since 2025, 25 bits of chance, ever upward.

    Within 32 ms all but the first go on from the one before: if each were drawn anew until it is
    higher, those of all processes would crowd at the upper end.
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = Lock()

    def next(self) -> str:
        now = max(int((time.time() - _EPOCH) * 1000) >> 5, 0) << _CHANCE_BITS
        chance = _chance(_CHANCE_BITS)
        with self._lock:
            drawn = now + chance if now > self._last else self._last + 1 + (chance & 4095)
            self._last = drawn
        return "".join([_PAIRS[drawn >> shift & 1023] for shift in _SHIFTS])


def _chance(bits: int) -> int:
    """As `secrets.randbits` does it, whose module takes 4 ms to import."""
    return int.from_bytes(os.urandom(8), "little") >> (64 - bits)


_IDS = _Ids()


def new_id() -> str:
    """A job id: twelve letters and digits without look-alikes that sort by time (60 bits)."""
    return _IDS.next()
