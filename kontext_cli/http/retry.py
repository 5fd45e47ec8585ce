"""When to retry, and how long to wait first. Pure, but for the random jitter.

A submit is money: it is sent again only where it was certainly not accepted. Everything else is a
GET and may be asked again.
"""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kontext_cli.http.call import Kind, Reply

TRIES = 5
WINDOW = 15.0
"""Seconds from the first failure to the last try, apart from the waits a provider asks for."""
LONGEST_RETRY_AFTER = 30.0

_FIRST = 0.5
_BUSY = frozenset({408, 425, 429})
_RECORD = frozenset({"id", "status", "result"})
"""What no refusal has, and the record of a job does where the status carries the result."""
_NOT_A_REFUSAL = frozenset({408, 409, 499})
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes of OpenAI's that come with a 429 as well, and are not about the rate."""


def should_ask_again(kind: Kind, reply: Reply) -> bool:
    """Whether ``reply`` to a GET is a temporary failure, and not the state of the job.

    A job's own record is an answer, whatever its status: one that failed may come with a 503.
    The result of a completed job is its outcome, whatever its status, so long as the provider
    itself said it: a web page in its place comes from a gateway, and a success that is not JSON
    was cut short on the way.
    """
    if reply.status in _BUSY:
        return True
    if reply.object.keys() >= _RECORD:
        return False
    if kind == "result":
        cut_short = reply.status == 200 and reply.json is None
        return cut_short or (reply.status >= 500 and reply.is_html)
    return reply.status >= 500


def was_refused(reply: Reply, *, blocking: bool) -> bool:
    """Whether a submit that got this answer was certainly not accepted.

    A 503 counts where a queue itself says so; behind a blocking call the work may have begun.
    """
    if reply.status == 503:
        said_so = "retry-after" in reply.headers or bool(reply.object)
        return said_so and not blocking
    return 400 <= reply.status < 500 and reply.status not in _NOT_A_REFUSAL


def may_submit_again(reply: Reply, *, blocking: bool) -> bool:
    """Whether a submit that got this answer is worth sending again, and safe to."""
    if reply.status == 429:
        error = reply.object.get("error")
        values = error.values() if isinstance(error, dict) else ()
        return not any(each in _NO_CREDIT for each in values if isinstance(each, str))
    return reply.status == 503 and was_refused(reply, blocking=blocking)


def retry_after(reply: Reply | None) -> float | None:
    """The seconds a provider asks us to wait, clamped; None where it does not say.

    Seconds or an HTTP date (RFC 9110, section 10.2.3); a date is held against the reply's own
    Date header, since the clock here may be wrong. Replicate says it in the body as well.
    """
    if reply is None:
        return None
    value = reply.headers.get("retry-after", "").strip()
    if not value and reply.status == 429:
        value = str(reply.object.get("retry_after", ""))
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _until(value, reply.headers.get("date"))
    if not seconds >= 0:  # also false for NaN
        return None
    return min(seconds, LONGEST_RETRY_AFTER)


def _until(date: str, now: str | None) -> float:
    try:
        then = parsedate_to_datetime(date)
        since = parsedate_to_datetime(now) if now else datetime.now(UTC)
        return max((then - since).total_seconds(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return -1.0


class Patience:
    """How long one thing is tried: at most five times, within about 15 s of its first failure."""

    def __init__(
        self,
        roll: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tries = 1
        self._roll = roll
        self._clock = clock
        self._give_up_at: float | None = None

    def next_wait(self, reply: Reply | None = None) -> float | None:
        """Seconds until the next try, None when it is time to give up.

        The waits double from half a second, each shortened by up to a half at random so that
        many clients do not come back together. What a provider asks for comes on top.
        """
        now = self._clock()
        if self._give_up_at is None:
            self._give_up_at = now + WINDOW
        backoff = _FIRST * 2.0 ** (self.tries - 1) * (1 - self._roll() / 2)
        if self.tries >= TRIES or now + backoff > self._give_up_at:
            return None
        self.tries += 1
        wait: float = max(backoff, retry_after(reply) or 0.0)
        self._give_up_at += wait - backoff
        return wait
