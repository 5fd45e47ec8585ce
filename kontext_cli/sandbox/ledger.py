"""What the emulated providers accepted and what was asked of them, for tests to look at."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, fields
from threading import Condition
from typing import Any

_KEPT = 10_000
_HEAD = 40
_LONGEST_WORD = 10_000
"""Characters without a space; what has more is an image in base64."""
_LEVELS = 8
"""How deep payloads are shown; a graph of ComfyUI has five levels."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted submit: what a provider would bill."""

    dialect: str
    endpoint: str
    prompt: str
    request_id: str
    seed: int
    payload: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """The entry for JSON; inline images are abbreviated."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        return record | {"payload": _shortened(self.payload, levels=_LEVELS)}


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


class Ledger:
    """Every accepted submit and the last 10,000 requests; safe to read from another thread."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._accepted: Counter[str] = Counter()
        self._requests: deque[Seen] = deque(maxlen=_KEPT)

    def accepted(self, prompt: str) -> int:
        """How many submits of this prompt were accepted."""
        with self._changed:
            return self._accepted[prompt]

    def wait_for(self, count: int, *, seconds: float) -> bool:
        """Block until `count` submits were accepted in all; False if that takes too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._accepted.total() >= count, seconds)

    def record(self) -> dict[str, Any]:
        """What was accepted, for JSON: how many submits in all, by prompt, and each."""
        with self._changed:
            return {
                "accepted": self._accepted.total(),
                "by_prompt": dict(self._accepted),
                "entries": [entry.record() for entry in self._entries],
            }

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The accepted submits, oldest first."""
        with self._changed:
            return tuple(self._entries)

    @property
    def requests(self) -> tuple[Seen, ...]:
        """The requests, oldest first."""
        with self._changed:
            return tuple(self._requests)

    def accept(self, entry: Entry) -> None:
        """Write down an accepted submit."""
        with self._changed:
            self._entries.append(entry)
            self._accepted[entry.prompt] += 1
            self._changed.notify_all()

    def see(self, seen: Seen) -> None:
        """Write down a request."""
        with self._changed:
            self._requests.append(seen)


def _shortened(value: Any, *, levels: int) -> Any:
    if isinstance(value, str) and value.startswith("data:"):
        head, comma, data = value.partition(",")
        return f"{head[:_HEAD]}{comma}… ({len(data):,} characters)"
    if (
        isinstance(value, str)
        and len(value) > _LONGEST_WORD
        and value.isascii()
        and " " not in value
    ):
        return f"{value[:_HEAD]}… ({len(value):,} characters)"
    if not isinstance(value, list | dict):
        return value
    if not levels:
        return "…"
    if isinstance(value, list):
        return [_shortened(each, levels=levels - 1) for each in value]
    return {key: _shortened(each, levels=levels - 1) for key, each in value.items()}
