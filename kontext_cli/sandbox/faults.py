"""Injected faults: by name, for a whole app or by a marker in a prompt.

A marker is ``[fault:NAME]`` or ``[fault:NAME*K]``; K limits it to the first K times its point is
reached, counted per prompt up to the acceptance of a job and per job after that.
"""

import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

from starlette.exceptions import HTTPException

_MARKER = re.compile(r"\[fault:([a-z0-9*-]+)\]")
_SPELLED = re.compile(r"([a-z0-9-]+)(?:\*([0-9]{1,9}))?")


class Point(StrEnum):
    """The step of a job at which a fault strikes."""

    SUBMIT = "submit"
    """Before the job is accepted: it is not in the ledger."""
    REPLY = "reply"
    """After the job is accepted: only its reply is affected."""
    OUTCOME = "outcome"
    """How the job ends, decided when it is accepted."""
    STATUS = "status"
    RESULT = "result"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: where it strikes, how often by default (None: always), what it does."""

    point: Point
    times: int | None
    does: str


FAULTS = {
    "401": Fault(Point.SUBMIT, None, "the key is rejected"),
    "402": Fault(Point.SUBMIT, None, "no credit is left"),
    "403": Fault(Point.SUBMIT, None, "the account is locked; at AIMLAPI, out of credit"),
    "429": Fault(Point.SUBMIT, 1, "too many requests, Retry-After: 1"),
    "503": Fault(Point.SUBMIT, 1, "unavailable, refused in JSON, Retry-After: 1"),
    "html-502": Fault(Point.SUBMIT, 1, "a proxy's HTML page in place of a reply"),
    "reset": Fault(Point.SUBMIT, 1, "the connection drops; the job was not accepted"),
    "lost-reply": Fault(Point.REPLY, 1, "the connection drops; the job was accepted"),
    "slow": Fault(Point.REPLY, None, "the reply to the submit takes five seconds"),
    "failed": Fault(Point.OUTCOME, None, "completed with an error, 500"),
    "crashed": Fault(Point.OUTCOME, None, "internal_server_error, 500"),
    "timed-out": Fault(Point.OUTCOME, None, "request_timeout, 504"),
    "invalid": Fault(Point.OUTCOME, None, "image_load_error, 422"),
    "refused": Fault(Point.OUTCOME, None, "content_policy_violation, 422"),
    "flagged": Fault(Point.OUTCOME, None, "black images, has_nsfw_concepts"),
    "empty": Fault(Point.OUTCOME, None, "completed without an image"),
    "fewer": Fault(Point.OUTCOME, None, "one image fewer than asked for"),
    "png-for-jpeg": Fault(Point.OUTCOME, None, "bytes of the other format than asked for"),
    "forgotten": Fault(Point.OUTCOME, None, "the server is restarted, and forgets it (ComfyUI)"),
    "stuck": Fault(Point.OUTCOME, None, "never leaves the queue; a blocking call never answers"),
    "poll-503": Fault(Point.STATUS, 1, "a proxy's HTML page on a status request"),
    "poll-reset": Fault(Point.STATUS, 1, "the connection drops on a status request"),
    "unknown-status": Fault(Point.STATUS, 1, "the status word WARMING_UP, with more fields"),
    "result-503": Fault(Point.RESULT, 1, "a proxy's HTML page in place of the result"),
    "media-503": Fault(Point.MEDIA, 1, "a proxy's HTML page with its status"),
    "media-404": Fault(Point.MEDIA, None, "the file is gone"),
    "media-redirect": Fault(Point.MEDIA, 1, "302 to the same file by another URL"),
    "truncated-media": Fault(Point.MEDIA, 1, "closed before the announced length was sent"),
    "cut-media": Fault(Point.MEDIA, None, "half of the image, of a consistent length"),
    "wrong-media": Fault(Point.MEDIA, None, "an HTML page with status 200"),
}


class Faults:
    """Which fault is due: those of the whole app, then those a prompt names."""

    def __init__(self, everywhere: str | None = None) -> None:
        self._everywhere = [_spelled(everywhere)] if everywhere else []
        self._struck: Counter[tuple[str, str]] = Counter()

    def due(self, point: Point, *, prompt: str, of: str) -> str | None:
        """The name of the fault that strikes now, counted; `of` is what it is counted for."""
        for name, times in (*self._everywhere, *_marked(prompt)):
            fault = FAULTS[name]
            limit = fault.times if times is None else times
            if fault.point is point and (limit is None or self._struck[name, of] < limit):
                self._struck[name, of] += 1
                return name
        return None


def _spelled(text: str) -> tuple[str, int | None]:
    match = _SPELLED.fullmatch(text)
    if match is None or match[1] not in FAULTS:
        raise ValueError(f"the sandbox has no fault `{text}`; it has {', '.join(FAULTS)}")
    return match[1], int(match[2]) if match[2] else None


def _marked(prompt: str) -> list[tuple[str, int | None]]:
    try:
        return [_spelled(text) for text in _MARKER.findall(prompt)]
    except ValueError as error:
        # Otherwise a test with a misspelled fault would pass without it. The names are not listed:
        # some of them are words by which clients recognize moderation.
        what = str(error).partition(";")[0]
        raise HTTPException(400, f"{what}; `kontext sandbox --fault help` lists them") from error
