"""The one place that speaks HTTP: keys to their own base alone, retries, downloads."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar
from urllib.parse import urljoin

import httpx2

from kontext_cli import __version__
from kontext_cli.errors import (
    BadMedia,
    Expired,
    KontextError,
    OutcomeUnknown,
    UnexpectedReply,
    Unreachable,
    UsageError,
)
from kontext_cli.failpoint import reached
from kontext_cli.providers.call import Call, Kind, Reply
from kontext_cli.retry import Patience, may_submit_again, should_ask_again
from kontext_cli.urls import is_loopback, may_download, without_query

MOST_REPLY_BYTES = 128 * 2**20
"""Four inline PNGs of a megapixel, in base64, come to a fifth of this."""
MOST_HOPS = 5
DOWNLOAD_SECONDS = 300.0

_REQUEST_TIMEOUT = httpx2.Timeout(connect=10.0, read=10.0, write=30.0, pool=None)
_SUBMIT_TIMEOUT = httpx2.Timeout(connect=10.0, read=None, write=60.0, pool=None)
_UPLOAD_TIMEOUT = httpx2.Timeout(connect=10.0, read=60.0, write=60.0, pool=None)
_NEVER_SENT = (
    httpx2.ConnectError,
    httpx2.ConnectTimeout,
    httpx2.PoolTimeout,
    httpx2.ProxyError,
    httpx2.UnsupportedProtocol,
)
_GONE = frozenset({403, 404, 410})

T = TypeVar("T")
Trace = Callable[[str], None]


class Sink(Protocol):
    """Where a download is written; ``restart`` empties it for another try."""

    def write(self, chunk: bytes, /) -> None: ...

    def restart(self) -> None: ...


class Submission:
    """One submit under way. ``sent`` turns true before its first byte may have left."""

    def __init__(self) -> None:
        self.sent = False

    async def watch(self, event: str, _info: Any) -> None:
        """Follow the connection: headers that start to go out are a request that may arrive."""
        if event.endswith("send_request_headers.started"):
            self.sent = True
        elif event.endswith("send_request_body.complete"):
            reached("sent")


class Transport:
    """Two clients: one that carries a provider's key and follows no redirect, one without a key
    for its files.

    ``key_bases`` are the URLs below which the key may go, the provider's own base first. ``app``
    answers in place of the network (the sandbox). ``trace`` is told of every request.
    """

    def __init__(
        self,
        provider: str,
        key_bases: Sequence[str],
        authorization: str | None = None,
        *,
        app: Any = None,
        trace: Trace = lambda _line: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._provider = provider
        self._key_bases = tuple(f"{base}/" for base in key_bases)
        self._authorization = authorization
        self._in_process = app is not None
        self.on_loopback = is_loopback(key_bases[0])
        """Whether the provider is on this machine, where its files may be too."""
        self._trace = trace
        self._sleep = sleep
        self._api = self._client(app, {"Accept": "application/json"})
        self._media = self._client(app, {"Accept": "image/*", "Accept-Encoding": "identity"})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._api.aclose()
        await self._media.aclose()

    async def submit(self, call: Call, submission: Submission, *, blocking: bool) -> Reply:
        """Send a submit once; again only where it was certainly not accepted.

        Raises Unreachable where it never left, OutcomeUnknown where it may have been accepted.
        """
        patience = Patience()
        while True:
            submission.sent = self._in_process
            try:
                reply = await self._send(call, _SUBMIT_TIMEOUT, submission)
            except httpx2.RequestError as error:
                if submission.sent and not isinstance(error, _NEVER_SENT):
                    raise self._lost_reply(_kind(error)) from error
                wait, last = patience.next_wait(), self._unreachable(error)
            except UnexpectedReply as error:
                raise self._lost_reply("it is longer than any answer should be") from error
            else:
                if not may_submit_again(reply, blocking=blocking):
                    return reply
                wait, last = patience.next_wait(reply), self._too_busy(reply)
            submission.sent = False
            if wait is None:
                raise last
            await self._sleep(wait)

    async def ask(self, call: Call) -> Reply:
        """Make a call that costs nothing, and again while the failure is one of the moment.

        Raises Unreachable after the last try.
        """
        return await self._until_answered(call.kind, lambda: self._send(call, _REQUEST_TIMEOUT))

    async def put(self, url: str, content: bytes, media_type: str) -> Reply:
        """Write ``content`` to a URL made for it, without any key.

        Raises Unreachable after the last try.
        """

        async def send() -> Reply:
            request = self._media.build_request(
                "PUT",
                url,
                content=content,
                headers={"Content-Type": media_type, "Accept": "*/*"},
                timeout=_UPLOAD_TIMEOUT,
            )
            async with self._answer(self._media, request) as response:
                return await self._read(response)

        return await self._until_answered("upload", send)

    async def _until_answered(self, kind: Kind, send: Callable[[], Awaitable[Reply]]) -> Reply:
        patience = Patience()
        while True:
            try:
                reply = await send()
            except httpx2.RequestError as error:
                wait, last = patience.next_wait(), self._unreachable(error)
            else:
                if not should_ask_again(kind, reply):
                    return reply
                wait, last = patience.next_wait(reply), self._too_busy(reply)
            if wait is None:
                raise last
            await self._sleep(wait)

    async def download(
        self, url: str, sink: Sink, check: Callable[[int | None], Awaitable[T]]
    ) -> T:
        """Write a picture to ``sink``, without any key, and return what ``check`` makes of it.

        ``check`` is given the size the server announced, in bytes, and raises BadMedia where
        the file is not whole: that is a reason to fetch it again. Raises Expired where the link
        is dead, Unreachable after the last try.
        """
        patience = Patience()
        last: KontextError
        while True:
            try:
                async with asyncio.timeout(DOWNLOAD_SECONDS):
                    announced = await self._fetch(url, sink)
                return await check(announced)
            except BadMedia as error:
                wait, last = patience.next_wait(), error
            except _Failing as failing:
                wait, last = patience.next_wait(failing.reply), failing.error
            except httpx2.RequestError as error:
                wait, last = patience.next_wait(), self._unreachable(error, "its file")
            except TimeoutError:
                raise Unreachable(f"{self._provider}'s file came too slowly") from None
            if wait is None:
                raise last
            sink.restart()
            await self._sleep(wait)

    async def _send(
        self, call: Call, timeout: httpx2.Timeout, submission: Submission | None = None
    ) -> Reply:
        headers = {}
        content = None
        if self._authorization:
            if not call.url.startswith(self._key_bases):
                raise AssertionError("a key was about to leave for another host")
            headers["Authorization"] = self._authorization
        if call.json is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.json, ensure_ascii=False, separators=(",", ":")).encode()
        request = self._api.build_request(
            call.method,
            call.url,
            headers=headers,
            content=content,
            timeout=timeout,
            extensions={"trace": submission.watch} if submission else None,
        )
        async with self._answer(self._api, request) as response:
            return await self._read(response)

    async def _read(self, response: httpx2.Response) -> Reply:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_REPLY_BYTES:
                raise UnexpectedReply(f"{self._provider} answered with more than 128 MiB")
        return Reply(response.status_code, dict(response.headers), bytes(body))

    async def _fetch(self, url: str, sink: Sink) -> int | None:
        """Write what ``url`` holds to ``sink``; the announced size in bytes, where there is one."""
        for _hop in range(MOST_HOPS + 1):
            if not may_download(url, from_loopback=self.on_loopback):
                raise BadMedia(
                    f"{self._provider} names a file that is not on https: {without_query(url)}",
                    billed="yes",
                )
            request = self._media.build_request("GET", url, timeout=_REQUEST_TIMEOUT)
            async with self._answer(self._media, request) as response:
                if response.has_redirect_location:
                    url = urljoin(url, response.headers["location"])
                    continue
                await self._refuse_unless_found(response)
                async for chunk in response.aiter_raw():
                    sink.write(chunk)
                length = response.headers.get("content-length", "")
                return int(length) if length.isdecimal() else None
        raise UnexpectedReply(f"{self._provider}'s file redirects more than {MOST_HOPS} times")

    async def _refuse_unless_found(self, response: httpx2.Response) -> None:
        if response.is_success:
            return
        status = response.status_code
        if status in _GONE:
            raise Expired(f"the link to the picture is dead ({status})", billed="yes")
        error = Unreachable(f"{self._provider}'s file server answered {status}", billed="yes")
        if status < 500 and status not in (408, 425, 429):
            raise error
        raise _Failing(error, Reply(status, dict(response.headers), b""))

    @asynccontextmanager
    async def _answer(
        self, client: httpx2.AsyncClient, request: httpx2.Request
    ) -> AsyncIterator[httpx2.Response]:
        began = time.monotonic()
        line = f"{request.method} {without_query(str(request.url))}"
        try:
            response = await client.send(request, stream=True)
        except httpx2.RequestError as error:
            self._trace(f"{line} → {type(error).__name__}")
            raise
        self._trace(f"{line} → {response.status_code} in {time.monotonic() - began:.3f} s")
        try:
            yield response
        finally:
            await response.aclose()

    def _client(self, app: Any, headers: dict[str, str]) -> httpx2.AsyncClient:
        try:
            return httpx2.AsyncClient(
                headers={"User-Agent": f"kontext-cli/{__version__}", **headers},
                transport=httpx2.ASGITransport(app) if app else None,
                follow_redirects=False,
                # A proxy cannot reach this machine's own loopback.
                trust_env=not self.on_loopback,
            )
        except OSError as error:
            raise UsageError(
                f"the certificates cannot be loaded: {error.strerror or error}",
                hint="check SSL_CERT_FILE and SSL_CERT_DIR",
            ) from None
        except (ValueError, httpx2.InvalidURL):
            raise UsageError(
                "the proxy settings are not usable", hint="check HTTPS_PROXY"
            ) from None

    def _lost_reply(self, how: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{self._provider} was sent the job, but its answer was lost ({how}): "
            "it may have been accepted and may have been billed",
            billed="maybe",
        )

    def _unreachable(self, error: httpx2.RequestError, what: str = "") -> Unreachable:
        whom = f"{self._provider}: {what}" if what else self._provider
        return Unreachable(
            f"{whom} cannot be reached ({_kind(error)})", hint="check the network and try again"
        )

    def _too_busy(self, reply: Reply) -> Unreachable:
        return Unreachable(
            f"{self._provider} goes on answering {reply.status}", hint="try again in a while"
        )


class _Failing(Exception):
    """A file server's answer that is worth another try."""

    def __init__(self, error: KontextError, reply: Reply) -> None:
        self.error = error
        self.reply = reply


def _kind(error: httpx2.RequestError) -> str:
    """What happened, without the library's text: it may carry URLs and headers."""
    cause = error.__cause__ or error.__context__
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return {
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no answer in time",
        "WriteTimeout": "sending took too long",
        "RemoteProtocolError": "it hung up in the middle of the answer",
        "ReadError": "the connection broke",
        "WriteError": "the connection broke",
        "ProxyError": "the proxy refused",
        "DecodingError": "its answer cannot be decoded",
        "ConnectError": "no connection",
    }.get(type(error).__name__, type(error).__name__)
