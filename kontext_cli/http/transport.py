"""The one place that speaks HTTP: keys to their own base alone, retries, downloads."""

import asyncio
import json
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import httpx2

from kontext_cli import __version__
from kontext_cli.errors import (
    BadMedia,
    Expired,
    KontextError,
    UnexpectedReply,
    Unreachable,
)
from kontext_cli.failpoint import reached
from kontext_cli.http.call import Call, Kind, Reply
from kontext_cli.http.client import SHARED, client, is_untrusted, reason, tls_context
from kontext_cli.http.events import bodies
from kontext_cli.http.failures import Unanswered
from kontext_cli.http.network import CheckedNetwork, Forbidden, Resolve, resolve
from kontext_cli.http.policy import Reach
from kontext_cli.http.redaction import Redaction, without_quotes_of
from kontext_cli.http.retry import TRIES, Patience, may_submit_again, retry_after, should_ask_again
from kontext_cli.http.throughput import Exchange, Limits, OutOfTime, TooSlow, Try
from kontext_cli.http.urls import (
    host_of,
    redirected,
    without_query,
)
from kontext_cli.sizes import MOST_BYTES

MOST_REPLY_BYTES = 128 * 2**20
"""Four inline PNGs of a megapixel, in base64, come to a fifth of this; counted decoded."""
MOST_HOPS = 5

_LIMITS = Limits()
_PIECE = 2**16
_ENDING = 0.02
_REQUEST_TIMEOUT = httpx2.Timeout(connect=10.0, read=10.0, write=30.0, pool=None)
_SUBMIT_TIMEOUT = httpx2.Timeout(connect=10.0, read=None, write=60.0, pool=None)
# The stream pings every 15 s (fal's queue documentation).
_STREAM_TIMEOUT = httpx2.Timeout(connect=10.0, read=40.0, write=30.0, pool=None)
_UPLOAD_TIMEOUT = httpx2.Timeout(connect=10.0, read=60.0, write=60.0, pool=None)
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_HINTS: frozenset[Kind] = frozenset({"status", "stream"})
"""The calls whose answers decide nothing: they may share a connection, one after another."""
_GONE = frozenset({403, 404, 410})

T = TypeVar("T")
retries: ContextVar[Callable[[str], None]] = ContextVar("retries", default=lambda _line: None)
"""Told of each further try, in a line: set by whoever works for one job, who knows what to do
with it."""
Trace = Callable[[str], None]
Throttled = Callable[[float | None], None]
"""Told of each submit that was refused as too many, with the seconds to wait where it said them."""


class Sink(Protocol):
    """Where a download is written; ``restart`` empties it for another try."""

    def write(self, chunk: bytes, /) -> None: ...

    def restart(self) -> None: ...


class Submission:
    """One submit under way. ``sent`` turns true before its first byte may have left."""

    def __init__(self) -> None:
        self.sent = False

    async def watch(self, event: str, info: Any) -> None:
        """Follow the connection: headers that start to go out are a request that may arrive.

        Those of a CONNECT go to a proxy, which knows nothing of the job yet.
        """
        if event.endswith("send_request_headers.started"):
            self.sent = self.sent or info["request"].method != b"CONNECT"
        elif event.endswith("send_request_body.complete") and self.sent:
            reached("sent")


class Transport:
    """Two clients: one that carries a provider's key and follows no redirect, one without a key
    for its files.

    ``key_bases`` are the URLs below which the key may go, the provider's own base first;
    ``headers`` carry the key. ``app`` answers in place of the network (the sandbox). ``trace``
    receives a line for every request, ``throttled`` is called for each submit that was refused as
    too many. ``resolve`` looks up the hosts that a provider names: only public addresses are
    connected to.
    """

    def __init__(
        self,
        provider: str,
        key_bases: Sequence[str],
        headers: Mapping[str, str],
        *,
        app: Any = None,
        trace: Trace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        throttled: Throttled = lambda _wait: None,
        limits: Limits = _LIMITS,
        resolve: Resolve = resolve,
    ) -> None:
        """Raises UsageError where the proxy settings or certificates cannot be used."""
        self._provider = provider
        self.reach = reach = Reach(key_bases)
        """Where its requests may go."""
        self._errors = Unanswered(provider)
        self._key_headers = headers
        self._redaction = Redaction.of_headers(headers.values())
        self._in_process = app is not None
        self.is_closing = False
        """Once true, no submit is sent a second time."""
        self._trace = trace
        self._sleep = sleep
        self._throttled = throttled
        self._limits = limits
        if not self._in_process and not reach.on_loopback:
            tls_context()  # certificates that cannot be loaded are told before anything is done
        agent = {"User-Agent": f"kontext-cli/{__version__}"}
        # A proxy cannot reach this machine's own loopback.
        through_proxies = not reach.on_loopback
        self._api = client(
            {**agent, "Accept": "application/json", "Accept-Encoding": "gzip"},
            app=app,
            through_proxies=through_proxies,
        )
        self._media = client(
            {**agent, "Accept": "image/*", "Accept-Encoding": "identity"},
            app=app,
            through_proxies=through_proxies,
            network=CheckedNetwork(resolve, reach.may_connect),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._api.aclose()
        finally:
            await self._media.aclose()

    async def submit(self, call: Call, submission: Submission, *, blocking: bool) -> Reply:
        """Send a submit once; again only where it was certainly not accepted.

        Raises Unreachable where it never left, OutcomeUnknown where it may have been accepted.
        """
        patience = Patience()
        while True:
            submission.sent = self._in_process
            try:
                reply = await self._send(call, _SUBMIT_TIMEOUT, submission=submission)
            except httpx2.RequestError as error:
                if submission.sent and not isinstance(error, _NEVER_SENT):
                    raise self._errors.lost_reply(reason(error)) from None
                failing = _Failing(self._errors.unreachable(error), again=not is_untrusted(error))
            except UnexpectedReply:
                raise self._errors.lost_reply("it is longer than any answer should be") from None
            else:
                if not may_submit_again(reply, blocking=blocking):
                    return reply
                self._throttled(retry_after(reply))
                failing = self._busy(reply)
            submission.sent = False
            if self.is_closing:
                raise failing.error from None
            await self._wait(patience, failing)

    async def ask(self, call: Call, *, alone: bool = False) -> Reply:
        """Make a call that costs nothing, and again while the failure is one of the moment.

        ``alone`` gives a status call a connection of its own, as all other calls have.

        Raises Unreachable after the last try, and where the answer is a redirect or has no end.
        """
        limits = self._limits
        try:
            reply = await self._until_answered(
                call.kind,
                lambda attempt: self._send(call, _REQUEST_TIMEOUT, attempt=attempt, alone=alone),
                limits.transfer if call.kind == "result" else limits.answer,
            )
        except UnexpectedReply as error:
            raise Unreachable(error.message) from None
        if 300 <= reply.status < 400:
            raise self._errors.sent_elsewhere(call, reply)
        return reply

    async def listen(self, call: Call) -> AsyncGenerator[Mapping[str, Any]]:
        """The bodies that a provider sends one after another, as server-sent events.

        Ends where the provider ends it, and early, without a word, where anything is amiss: who
        listens can always ask instead. Nothing comes in process, where no answer is in parts.
        """
        if self._in_process:
            return
        with suppress(httpx2.RequestError, Unreachable):
            request = self._request(call, _STREAM_TIMEOUT)
            async with self._answer(self._api, request) as response:
                media_type = response.headers.get("content-type", "")
                if response.status_code != 200 or not media_type.startswith("text/event-stream"):
                    return
                async with aclosing(response.aiter_bytes()) as chunks:
                    try:
                        async with aclosing(bodies(chunks, self._redaction.of)) as told:
                            async for body in told:
                                yield body
                    finally:
                        await _to_the_end(chunks)

    async def put(self, url: str, content: bytes, media_type: str) -> Reply:
        """Write ``content`` to a URL made for it, without any key.

        Raises Unreachable after the last try, UnexpectedReply where the URL leads to where no
        server has any business to send us.
        """

        async def send(attempt: Try) -> Reply:
            request = self._media.build_request(
                "PUT",
                url,
                content=_pieces(content, attempt),
                headers={
                    "Content-Type": media_type,
                    "Content-Length": str(len(content)),
                    "Accept": "*/*",
                },
                timeout=_UPLOAD_TIMEOUT,
            )
            async with self._answer(self._media, request) as response:
                return await self._read(response)

        named = f"{self._provider} names a place for the image"
        if not self.reach.may_download(url):
            raise UnexpectedReply(f"{named} that is not on https")
        try:
            if not self.reach.may_ask(url):
                raise Forbidden(host_of(url))
            return await self._until_answered("upload", send, self._limits.transfer)
        except Forbidden as forbidden:
            raise UnexpectedReply(f"{named} {_inside(forbidden.host)}") from None

    async def download(
        self, url: str, sink: Sink, check: Callable[[int | None], Awaitable[T]]
    ) -> T:
        """Write a picture to ``sink``, without any key, and return what ``check`` makes of it.

        ``check`` is given the size the server announced, in bytes, and raises BadMedia where
        the file is not whole: that is a reason to fetch it again. Raises Expired where the link
        is dead, Unreachable after the last try, BadMedia at once where no picture may come from.
        """
        exchange = Exchange(self._limits.transfer, self._limits)
        patience = Patience()
        while True:
            try:
                with self._failures("its file"):
                    async with exchange.one_try() as attempt:
                        announced = await self._fetch(url, sink, attempt)
                with _another_try_for(BadMedia, url):
                    return await check(announced)
            except Forbidden as forbidden:
                raise self._errors.bad_file(f"is {_inside(forbidden.host)}") from None
            except _Failing as failing:
                await self._wait(patience, failing)
            sink.restart()

    async def _until_answered(
        self, kind: Kind, send: Callable[[Try], Awaitable[Reply]], seconds: float
    ) -> Reply:
        exchange = Exchange(seconds, self._limits)
        patience = Patience()
        while True:
            try:
                with self._failures():
                    async with exchange.one_try() as attempt:
                        reply = await send(attempt)
                if not should_ask_again(kind, reply):
                    return reply
                failed = self._busy(reply)
            except _Failing as failing:
                failed = failing
            await self._wait(patience, failed)

    @contextmanager
    def _failures(self, what: str = "") -> Iterator[None]:
        """Take the ways in which an exchange goes wrong for reasons to try it again."""
        try:
            yield
        except httpx2.RequestError as error:
            raise _Failing(
                self._errors.unreachable(error, what), again=not is_untrusted(error)
            ) from None
        except TooSlow:
            raise _Failing(self._errors.too_slow(what)) from None
        except OutOfTime:
            raise _Failing(self._errors.too_slow(what), again=False) from None
        except (httpx2.InvalidURL, UnicodeError):
            raise _Failing(self._errors.nowhere(what), again=False) from None

    async def _wait(self, patience: Patience, failing: "_Failing") -> None:
        """Wait until it may be tried again. Raises the error when it is time to give up."""
        wait = patience.next_wait(failing.reply) if failing.again else None
        if wait is None:
            raise failing.error from None
        retries.get()(f"{failing.why}, again in {_seconds(wait)} s, {patience.tries} of {TRIES}")
        await self._sleep(wait)

    def _busy(self, reply: Reply) -> "_Failing":
        return _Failing(self._errors.too_busy(reply), reply, why=self._errors.busy(reply))

    async def _send(
        self,
        call: Call,
        timeout: httpx2.Timeout,
        *,
        submission: Submission | None = None,
        attempt: Try | None = None,
        alone: bool = False,
    ) -> Reply:
        request = self._request(call, timeout, submission, alone=alone)
        async with self._answer(self._api, request) as response:
            return await self._read(response, attempt)

    def _request(
        self,
        call: Call,
        timeout: httpx2.Timeout,
        submission: Submission | None = None,
        *,
        alone: bool = False,
    ) -> httpx2.Request:
        """A call as it goes out, with the key. Raises Unreachable where that may not go there."""
        if not self.reach.may_have_key(call.url):
            raise Unreachable(
                f"{self._provider} names a URL for the job that is not below its own: "
                "the key does not go there"
            )
        headers = dict(self._key_headers)
        content = None
        if call.kind == "stream":
            headers["Accept"] = "text/event-stream"
        if call.json is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.json, ensure_ascii=False, separators=(",", ":")).encode()
        return self._api.build_request(
            call.method,
            call.url,
            headers=headers,
            content=content,
            timeout=timeout,
            extensions={
                SHARED: call.kind in _HINTS and not alone,
                **({"trace": submission.watch} if submission else {}),
            },
        )

    async def _read(self, response: httpx2.Response, attempt: Try | None = None) -> Reply:
        body = bytearray()
        async with aclosing(response.aiter_bytes()) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > MOST_REPLY_BYTES:
                    raise UnexpectedReply(f"{self._provider} answered with more than 128 MiB")
                if attempt:
                    attempt.moved(len(chunk))
        clean = self._redaction
        headers = {name: clean.of_text(value) for name, value in response.headers.items()}
        return Reply(response.status_code, headers, clean.of(bytes(body)))

    async def _fetch(self, url: str, sink: Sink, attempt: Try) -> int | None:
        """Write what ``url`` holds to ``sink``; the size in bytes by HTTP's own word, if any.

        Raises _Failing, Forbidden, httpx2's errors and KontextError.
        """
        for _hop in range(MOST_HOPS + 1):
            if not self.reach.may_download(url):
                raise self._errors.bad_file(f"is not on https: `{host_of(url)}`")
            if not self.reach.may_ask(url):
                raise Forbidden(host_of(url))
            request = self._media.build_request("GET", url, timeout=_REQUEST_TIMEOUT)
            async with self._answer(self._media, request) as response:
                if not response.has_redirect_location:
                    return await self._save(response, sink, attempt)
                url = redirected(url, response.headers["location"])
        raise self._errors.bad_file(f"redirects more than {MOST_HOPS} times")

    async def _save(self, response: httpx2.Response, sink: Sink, attempt: Try) -> int | None:
        self._refuse_unless_found(response)
        announced = self._announced(response)
        async with aclosing(response.aiter_raw()) as chunks:
            async for chunk in chunks:
                attempt.moved(len(chunk))
                sink.write(chunk)
        return announced

    def _refuse_unless_found(self, response: httpx2.Response) -> None:
        if response.is_success:
            return
        status = response.status_code
        if status in _GONE:
            raise Expired(f"the link to the picture is dead ({status})", billed="yes")
        error = Unreachable(f"{self._provider}'s file server answered {status}", billed="yes")
        if status < 500 and status not in (408, 425, 429):
            raise error
        raise _Failing(error, Reply(status, dict(response.headers), b""))

    def _announced(self, response: httpx2.Response) -> int | None:
        """The size of the file by its Content-Length, None where that does not count: chunks have
        an end of their own, which overrides it (RFC 9112, 6.3)."""
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise _Failing(self._errors.bad_file("is packed, which was not asked for"))
        length = response.headers.get("content-length", "")
        if "transfer-encoding" in response.headers or not length.isdecimal():
            return None
        if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            raise self._errors.bad_file(f"is larger than {MOST_BYTES // 2**20} MiB")
        return int(length)

    @asynccontextmanager
    async def _answer(
        self, client: httpx2.AsyncClient, request: httpx2.Request
    ) -> AsyncIterator[httpx2.Response]:
        began = time.monotonic()
        try:
            response = await client.send(request, stream=True)
        except httpx2.RequestError as error:
            self._tell(request, type(error).__name__)
            raise
        except UnicodeError:  # the client reads where a redirect leads, though it does not follow
            raise httpx2.RemoteProtocolError("a redirect to no host") from None
        self._tell(request, f"{response.status_code} in {time.monotonic() - began:.3f} s")
        try:
            yield response
        finally:
            await response.aclose()

    def _tell(self, request: httpx2.Request, how: str) -> None:
        if self._trace is not None:
            self._trace(f"{request.method} {without_query(str(request.url))} → {how}")


class _Failing(Exception):
    """Something that went wrong, and whether it is worth another try."""

    def __init__(
        self,
        error: KontextError,
        reply: Reply | None = None,
        *,
        again: bool = True,
        why: str | None = None,
    ) -> None:
        """``why`` says what happened this time, ``error`` what is said when it is given up."""
        self.error = error
        self.why = why or error.message
        self.reply = reply
        self.again = again


@contextmanager
def _another_try_for(kind: type[KontextError], url: str) -> Iterator[None]:
    """Take an error for a reason to try again; it quotes the file, which may quote its own URL."""
    try:
        yield
    except kind as error:
        error.message = without_quotes_of(url, error.message)
        raise _Failing(error) from None


async def _to_the_end(chunks: AsyncIterator[bytes]) -> None:
    """Read what is left of an answer, if that is at hand: its connection can be used again."""
    with suppress(TimeoutError, httpx2.RequestError):
        async with asyncio.timeout(_ENDING):
            async for _ in chunks:
                pass


async def _pieces(content: bytes, attempt: Try) -> AsyncIterator[bytes]:
    """A body in pieces, each sent before the next: only so can be seen how it gets on."""
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE]
        yield piece
        attempt.moved(len(piece))
    attempt.waits()


def _seconds(wait: float) -> str:
    return f"{wait:.0f}" if wait >= 1 else f"{wait:.1f}"


def _inside(host: str) -> str:
    return f"on `{host}`, which has no public address"
