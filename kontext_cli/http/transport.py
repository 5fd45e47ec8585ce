"""The requests to one provider: with its key to its own base, without it to any other URL."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from kontext_cli import __version__
from kontext_cli.errors import UnexpectedReply, Unreachable
from kontext_cli.failpoint import reached
from kontext_cli.http.attempts import REQUEST_TIMEOUT, Attempts, Failed, Trace
from kontext_cli.http.call import Call, Kind, Reply
from kontext_cli.http.certificates import tls_context
from kontext_cli.http.client import AHEAD, SHARED, client, is_untrusted, reason
from kontext_cli.http.download import Downloads, Sink, not_public
from kontext_cli.http.events import bodies
from kontext_cli.http.failures import Unanswered
from kontext_cli.http.network import CheckedNetwork, Forbidden, Resolve, resolve
from kontext_cli.http.policy import Reach
from kontext_cli.http.redaction import Redaction
from kontext_cli.http.retry import Patience, may_submit_again, retry_after
from kontext_cli.http.throughput import Limits, Try
from kontext_cli.http.urls import host_of

MOST_REPLY_BYTES = 128 * 2**20
"""Four inline PNGs of a megapixel, in base64, come to a fifth of this; counted decoded."""

_LIMITS = Limits()
_PIECE = 2**16
_ENDING = 0.02
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
_SHAREABLE: frozenset[Kind] = frozenset({"status", "stream"})
"""Calls whose answers are checked again before they end a job: they may share a connection."""
T = TypeVar("T")
Throttled = Callable[[float | None], None]
"""Called for each submit that was refused as too many, with the seconds to wait if it named any."""


class Submission:
    """The state of one submit. ``sent`` becomes true before its first byte may have left."""

    def __init__(self, on_the_way: Callable[[], None] = lambda: None) -> None:
        """``on_the_way`` is called when the whole request is sent."""
        self.sent = False
        self._on_the_way = on_the_way

    async def watch(self, event: str, info: Any) -> None:
        """Receive the events of the connection: once headers are sent, the request may arrive.

        Those of a CONNECT go to a proxy, which has not seen the job yet.
        """
        if event.endswith("send_request_headers.started"):
            self.sent = self.sent or info["request"].method != b"CONNECT"
        elif event.endswith("send_request_body.complete") and self.sent:
            reached("sent")
            self._on_the_way()


class Transport:
    """Two clients: one that carries a provider's key and follows no redirect, one without a key
    for its files.

    ``key_bases`` are the URLs below which the key may go, the provider's own base first;
    ``headers`` carry the key. ``app`` answers in place of the network (the sandbox). ``trace``
    receives a line for every request, ``throttled`` is called for each submit that was refused as
    too many. ``if_unreachable`` is the hint where no connection can be made, in place of one about
    the network. ``resolve`` looks up the hosts that a provider names: only public addresses are
    connected to.
    """

    def __init__(
        self,
        provider: str,
        key_bases: Sequence[str],
        headers: Mapping[str, str],
        *,
        app: Any = None,
        if_unreachable: str | None = None,
        trace: Trace | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        throttled: Throttled = lambda _wait: None,
        limits: Limits = _LIMITS,
        resolve: Resolve = resolve,
    ) -> None:
        """Raises UsageError where the proxy settings or certificates cannot be used."""
        self._provider = provider
        self.reach = reach = Reach(key_bases)
        """The URLs that may be requested."""
        self._errors = Unanswered(provider, if_unreachable)
        self._key_headers = headers
        self._redaction = Redaction.of_headers(headers.values())
        self._in_process = app is not None
        self.submits_once = False
        """Once true, no submit is sent a second time, nor what is asked before one."""
        self._throttled = throttled
        self._limits = limits
        self._attempts = Attempts(self._errors, limits, trace=trace, sleep=sleep)
        if not self._in_process and not reach.on_loopback:
            tls_context()  # certificates that cannot be loaded are reported before anything is sent
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
        self._downloads = Downloads(provider, self._media, reach, self._attempts)

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
                reply = await self._send(self._request(call, _SUBMIT_TIMEOUT, submission))
            except httpx2.RequestError as error:
                if submission.sent and not isinstance(error, _NEVER_SENT):
                    raise self._errors.lost_reply(reason(error)) from None
                failed = Failed(self._errors.unreachable(error), again=not is_untrusted(error))
            except UnexpectedReply:
                raise self._errors.lost_reply("it is longer than any answer should be") from None
            else:
                if not may_submit_again(reply, blocking=blocking):
                    return reply
                self._throttled(retry_after(reply))
                failed = self._attempts.busy(reply)
            submission.sent = False
            if self.submits_once:
                raise failed.error.replace(failed.why) from None
            await self._attempts.wait(patience, failed)

    async def ask(self, call: Call, *, alone: bool = False) -> Reply:
        """Make a call that costs nothing, with retries after temporary failures.

        ``alone`` gives a status call a connection of its own, as all other calls have. Raises
        Unreachable after the last attempt, and where the answer is a redirect or too long.
        """
        limits = self._limits
        try:
            reply = await self._attempts.until_answered(
                call.kind,
                lambda attempt: self._send(
                    self._request(call, REQUEST_TIMEOUT, attempt=attempt, alone=alone), attempt
                ),
                limits.transfer if call.kind in ("result", "upload") else limits.answer,
                once=self.submits_once and call.kind in ("list", "upload"),
            )
        except UnexpectedReply as error:
            raise Unreachable(error.message) from None
        if 300 <= reply.status < 400:
            raise self._errors.sent_elsewhere(call, reply)
        return reply

    async def open_ahead(self, call: Call) -> None:
        """Begin to open the connection that the result call ``call`` will be made on.

        With https only: in the clear, opening it takes no longer than this.
        """
        if call.url.startswith("https:") and self.reach.may_have_key(call.url):
            extensions = {AHEAD: "open"}
            await self._api.request(call.method, call.url, extensions=extensions)

    async def listen(self, call: Call) -> AsyncGenerator[Mapping[str, Any]]:
        """The JSON objects of a stream of server-sent events.

        Ends when the provider ends it, and early, without an error, where anything goes wrong:
        the caller can always poll instead. In process it is empty: no answer is streamed there.
        """
        if self._in_process:
            return
        with suppress(httpx2.RequestError, Unreachable):
            request = self._request(call, _STREAM_TIMEOUT)
            async with self._attempts.answer(self._api, request) as response:
                media_type = response.headers.get("content-type", "")
                if response.status_code != 200 or not media_type.startswith("text/event-stream"):
                    return
                async with aclosing(response.aiter_bytes()) as chunks:
                    try:
                        async with aclosing(bodies(chunks, self._redaction.of)) as objects:
                            async for body in objects:
                                yield body
                    finally:
                        await _to_the_end(chunks)

    async def put(self, url: str, content: bytes, media_type: str) -> Reply:
        """Write ``content`` to a URL made for it, without any key.

        Raises Unreachable after the last attempt, UnexpectedReply where the URL is not https or
        resolves to a non-public address.
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
            async with self._attempts.answer(self._media, request) as response:
                return await self._read(response)

        named = f"{self._provider} names a place for the image"
        if not self.reach.may_download(url):
            raise UnexpectedReply(f"{named} that is not on https")
        try:
            if not self.reach.may_ask(url):
                raise Forbidden(host_of(url))
            return await self._attempts.until_answered("upload", send, self._limits.transfer)
        except Forbidden as forbidden:
            raise UnexpectedReply(f"{named} {not_public(forbidden.host)}") from None

    async def download(
        self, url: str, sink: Sink, check: Callable[[int | None], Awaitable[T]]
    ) -> T:
        """Write an image to ``sink``, without any key, and return what ``check`` returns.

        `Downloads.download` has the details.
        """
        return await self._downloads.download(url, sink, check)

    async def _send(self, request: httpx2.Request, attempt: Try | None = None) -> Reply:
        async with self._attempts.answer(self._api, request) as response:
            return await self._read(response, attempt)

    def _request(
        self,
        call: Call,
        timeout: httpx2.Timeout,
        submission: Submission | None = None,
        attempt: Try | None = None,
        *,
        alone: bool = False,
    ) -> httpx2.Request:
        """The HTTP request of a call, with the key. Raises Unreachable for a URL not below ours."""
        if not self.reach.may_have_key(call.url):
            raise Unreachable(
                f"{self._provider} names a URL for the job that is not below its own: "
                "the key is not sent there"
            )
        headers = dict(self._key_headers)
        content: bytes | AsyncIterator[bytes] | None = None
        if call.kind == "stream":
            headers["Accept"] = "text/event-stream"
        if body := call.body():
            headers["Content-Type"], content = body
            if call.kind == "upload" and attempt:
                headers["Content-Length"] = str(len(content))
                content = _pieces(content, attempt)
        return self._api.build_request(
            call.method,
            call.url,
            headers=headers,
            content=content,
            timeout=timeout,
            extensions={
                SHARED: call.kind in _SHAREABLE and not alone,
                AHEAD: "use" if call.kind == "result" else None,
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


async def _to_the_end(chunks: AsyncIterator[bytes]) -> None:
    """Read the rest of an answer if it has arrived, so that its connection can be reused."""
    with suppress(TimeoutError, httpx2.RequestError):
        async with asyncio.timeout(_ENDING):
            async for _ in chunks:
                pass


async def _pieces(content: bytes, attempt: Try) -> AsyncIterator[bytes]:
    """A body in pieces, to measure the progress of the upload."""
    for start in range(0, len(content), _PIECE):
        piece = content[start : start + _PIECE]
        yield piece
        attempt.moved(len(piece))
    attempt.waits()
