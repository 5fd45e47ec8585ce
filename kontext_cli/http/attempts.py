"""Repeat an exchange until it is answered: what both clients of the transport share."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

import httpx2

from kontext_cli.errors import KontextError
from kontext_cli.http.call import Kind, Reply
from kontext_cli.http.client import is_untrusted
from kontext_cli.http.failures import Unanswered
from kontext_cli.http.retry import TRIES, Patience, should_ask_again
from kontext_cli.http.throughput import Exchange, Limits, OutOfTime, TooSlow, Try
from kontext_cli.http.urls import without_query

REQUEST_TIMEOUT = httpx2.Timeout(connect=10.0, read=10.0, write=30.0, pool=None)
"""Of a request that has a small body and a prompt answer, in seconds."""

Trace = Callable[[str], None]
"""Receives a line for each request that was answered or failed."""

retries: ContextVar[Callable[[str], None]] = ContextVar("retries", default=lambda _line: None)
"""Receives a line before each retry. Set by whoever works for one job, to log it for that job."""


class Failed(Exception):
    """One attempt has failed, and whether another may succeed."""

    def __init__(
        self,
        error: KontextError,
        reply: Reply | None = None,
        *,
        again: bool = True,
        why: str | None = None,
    ) -> None:
        """``why`` says what happened this time; ``error`` is raised after the last attempt."""
        self.error = error
        self.why = why or error.message
        self.reply = reply
        self.again = again


class Attempts:
    """Makes the attempts of an exchange, and waits between them."""

    def __init__(
        self,
        errors: Unanswered,
        limits: Limits,
        *,
        trace: Trace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.errors = errors
        self.limits = limits
        self._trace = trace
        self._sleep = sleep

    async def until_answered(
        self,
        kind: Kind,
        send: Callable[[Try], Awaitable[Reply]],
        seconds: float,
        *,
        once: bool = False,
    ) -> Reply:
        """The first reply that is final. Raises Unreachable after the last attempt, which is the
        first if it is made ``once``."""
        exchange = Exchange(seconds, self.limits)
        patience = Patience()
        while True:
            try:
                with self.failures():
                    async with exchange.one_try() as attempt:
                        reply = await send(attempt)
                if not should_ask_again(kind, reply):
                    return reply
                failed = self.busy(reply)
            except Failed as failure:
                failed = failure
            if once:
                raise failed.error.replace(failed.why)
            await self.wait(patience, failed)

    @contextmanager
    def failures(self, what: str = "") -> Iterator[None]:
        """Turn the errors of one attempt into Failed; ``what`` names what was requested."""
        try:
            yield
        except httpx2.RequestError as error:
            raise Failed(
                self.errors.unreachable(error, what), again=not is_untrusted(error)
            ) from None
        except TooSlow:
            raise Failed(self.errors.too_slow(what)) from None
        except OutOfTime:
            raise Failed(self.errors.too_slow(what), again=False) from None
        except (httpx2.InvalidURL, UnicodeError):
            raise Failed(self.errors.nowhere(what), again=False) from None

    async def wait(self, patience: Patience, failed: Failed) -> None:
        """Wait before the next attempt. Raises the error where there is none."""
        wait = patience.next_wait(failed.reply) if failed.again else None
        if wait is None:
            raise failed.error from None
        retries.get()(f"{failed.why}, again in {_seconds(wait)} s, {patience.tries} of {TRIES}")
        await self._sleep(wait)

    def busy(self, reply: Reply) -> Failed:
        """The failure of an attempt that was answered with "too many requests" or a 5xx."""
        return Failed(self.errors.too_busy(reply), reply, why=self.errors.busy(reply))

    @asynccontextmanager
    async def answer(
        self, client: httpx2.AsyncClient, request: httpx2.Request
    ) -> AsyncIterator[httpx2.Response]:
        """The response to a request, its body unread. Raises httpx2.RequestError."""
        began = time.monotonic()
        try:
            response = await client.send(request, stream=True)
        except httpx2.RequestError as error:
            self._log(request, type(error).__name__)
            raise
        except UnicodeError:  # the client parses the target of a redirect that it does not follow
            raise httpx2.RemoteProtocolError("a redirect to no host") from None
        self._log(request, f"{response.status_code} in {time.monotonic() - began:.3f} s")
        try:
            yield response
        finally:
            await response.aclose()

    def _log(self, request: httpx2.Request, how: str) -> None:
        if self._trace is not None:
            self._trace(f"{request.method} {without_query(str(request.url))} → {how}")


def _seconds(wait: float) -> str:
    return f"{wait:.0f}" if wait >= 1 else f"{wait:.1f}"
