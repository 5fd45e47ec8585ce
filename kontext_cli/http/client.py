"""HTTP clients: connections, direct or through a proxy, and one TLS context.

Servers and proxies have been seen to answer twice. On a connection that is used again the second
answer would be taken for that to the next request: a job for another job, an image for another
image. So each request has a connection of its own, on which the first answer is its own. Only
calls marked ``SHARED`` take turns on one, and no outcome may be read from their answers.

Opening a connection takes two or three round trips. For a request that will follow soon, ``AHEAD``
opens one that stays unused until then.
"""

import asyncio
import logging
import os
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager, suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from importlib.util import find_spec
from typing import Any

import httpcore2
import httpx2

from kontext_cli.errors import UsageError
from kontext_cli.http.addresses import Address
from kontext_cli.http.certificates import tls_context
from kontext_cli.http.connections import Stream
from kontext_cli.http.network import CheckedNetwork, resolve
from kontext_cli.http.proxies import proxies

IDLE_SECONDS = 4.0
"""How long an idle connection is used again. Servers close theirs after 5 s and more (uvicorn)."""
_Idle = deque[httpcore2.AsyncConnectionInterface]
SHARED = "kontext.shared"
"""The extension of a request that may go out on a connection that was used before."""

AHEAD = "kontext.ahead"
"""The extension of a request that uses a connection opened ahead. ``open`` opens it: nothing is
sent, and the response is empty. ``use`` sends the request on it, if there is one."""
_CONNECT_SECONDS = 10.0
_AHEAD_SECONDS = 30.0
"""How long such a connection may wait. Servers close it earlier or later, which is noticed."""

_REASONS = {
    "ConnectTimeout": "no connection in time",
    "ReadTimeout": "no answer in time",
    "WriteTimeout": "sending took too long",
    "RemoteProtocolError": "it hung up in the middle of the answer",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
    "ProxyError": "the proxy refused",
    "DecodingError": "its answer cannot be decoded",
    "ConnectError": "no connection",
}


def client(
    headers: Mapping[str, str],
    *,
    app: Any = None,
    through_proxies: bool = True,
    network: httpcore2.AsyncNetworkBackend | None = None,
) -> httpx2.AsyncClient:
    """A client that follows no redirect and keeps no cookie.

    ``app`` answers in place of the network; ``network`` makes the connections of requests that go
    through no proxy. Raises UsageError where the proxy settings or certificates cannot be used.
    """
    _quieten()
    try:
        return httpx2.AsyncClient(
            headers=headers,
            transport=Network(network) if app is None else httpx2.ASGITransport(app),
            mounts=_proxied() if through_proxies and app is None else None,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            trust_env=False,
        )
    except (ValueError, ImportError, httpx2.InvalidURL):
        raise UsageError(
            "the proxy settings are not usable",
            hint="check HTTPS_PROXY and ALL_PROXY; SOCKS proxies need the package `socksio`",
        ) from None


class Network(httpx2.AsyncBaseTransport):
    """Connections to the servers. The TLS context waits for the first https URL."""

    def __init__(
        self,
        network: httpcore2.AsyncNetworkBackend | None = None,
        proxy: httpcore2.Proxy | None = None,
    ) -> None:
        """``network`` makes the connections; ``proxy`` is what they go through."""
        self._network = network or CheckedNetwork(resolve, _any_address)
        self._proxy = proxy
        self._pools: dict[str, httpcore2.AsyncConnectionPool] = {}
        self._idle: defaultdict[str, _Idle] = defaultdict(deque)
        self._ahead: defaultdict[str, deque[_Ahead]] = defaultdict(deque)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises httpx2's errors, and UsageError for missing certificates."""
        core = httpcore2.Request(
            method=request.method,
            url=_core_url(request.url),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        origin = core.url.origin
        if request.extensions.get(AHEAD) == "open":
            await self._open_ahead(origin)
            return httpx2.Response(204)
        idle = self._idle[str(origin)] if request.extensions.get(SHARED) else None
        connection = await _taken(idle) if idle else None
        if request.extensions.get(AHEAD) == "use":
            connection = await self._opened_ahead(origin)
        connection = connection or self._pool(request.url.scheme).create_connection(origin)
        with _in_httpx_terms():
            try:
                response = await connection.handle_async_request(core)
            except BaseException:
                await connection.aclose()
                raise
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response, connection, idle),
            extensions=response.extensions,
        )

    def _pool(self, scheme: str) -> httpcore2.AsyncConnectionPool:
        """What makes connections, direct or through the proxy. It keeps none: for each request it
        would walk over all of them."""
        if scheme not in self._pools:
            self._pools[scheme] = httpcore2.AsyncConnectionPool(
                ssl_context=tls_context() if scheme == "https" else None,
                proxy=self._proxy,
                keepalive_expiry=IDLE_SECONDS,
                network_backend=self._network,
            )
        return self._pools[scheme]

    async def _open_ahead(self, origin: httpcore2.Origin) -> None:
        """Begin to open a connection; through a proxy, they are not opened ahead."""
        if self._proxy is None:
            await self._close_old(origin)
            self._ahead[str(origin)].append(_Ahead(asyncio.ensure_future(self._stream(origin))))

    async def _opened_ahead(
        self, origin: httpcore2.Origin
    ) -> httpcore2.AsyncConnectionInterface | None:
        """The oldest connection that was opened ahead and is still open."""
        await self._close_old(origin)
        ahead = self._ahead[str(origin)]
        while ahead:
            with suppress(httpcore2.NetworkError, httpcore2.TimeoutException):
                stream = await ahead.popleft().stream
                if not stream.get_extra_info("is_readable"):
                    return httpcore2.AsyncHTTP11Connection(origin, stream)
                await stream.aclose()
        return None

    async def _stream(self, origin: httpcore2.Origin) -> httpcore2.AsyncNetworkStream:
        host = origin.host.decode("ascii")
        stream = await self._network.connect_tcp(host, origin.port, _CONNECT_SECONDS)
        if origin.scheme == b"https":
            stream = await stream.start_tls(tls_context(), host, _CONNECT_SECONDS)
        return stream

    async def _close_old(self, origin: httpcore2.Origin) -> None:
        """Close the connections that were opened ahead too long ago."""
        ahead = self._ahead[str(origin)]
        oldest = asyncio.get_running_loop().time() - _AHEAD_SECONDS
        while ahead and ahead[0].since < oldest:
            await ahead.popleft().aclose()

    async def aclose(self) -> None:
        """Close the idle connections; all others are closed with their answers."""
        for ahead in self._ahead.values():
            while ahead:
                await ahead.popleft().aclose()
        for idle in self._idle.values():
            while idle:
                await idle.pop().aclose()


class _Ahead:
    """A connection that is being opened, and when that began."""

    def __init__(self, stream: asyncio.Future[httpcore2.AsyncNetworkStream]) -> None:
        self.stream = stream
        self.since = stream.get_loop().time()

    async def aclose(self) -> None:
        """Close it, however far it has come."""
        self.stream.cancel()
        for opened in await asyncio.gather(self.stream, return_exceptions=True):
            if isinstance(opened, httpcore2.AsyncNetworkStream):
                await opened.aclose()


async def _taken(idle: _Idle) -> httpcore2.AsyncConnectionInterface | None:
    """The connection that was used last, if it can be used again. Old ones are closed."""
    while idle and idle[0].has_expired():
        await idle.popleft().aclose()
    while idle:
        connection = idle.pop()
        if not connection.has_expired():
            return connection
        await connection.aclose()
    return None


class _Body(httpx2.AsyncByteStream):
    """The bytes of an answer as they come. Its connection is closed at the end, or goes to the
    ``idle`` ones to be used again."""

    def __init__(
        self,
        response: httpcore2.Response,
        connection: httpcore2.AsyncConnectionInterface,
        idle: _Idle | None,
    ) -> None:
        self._response = response
        self._connection = connection
        self._idle = idle

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_terms():
            async with aclosing(self._response.aiter_stream()) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def aclose(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None and not _has_surplus(self._response):
            await self._response.aclose()
            stream = self._response.extensions.get("network_stream")
            if isinstance(stream, Stream) and self._connection.is_available():
                stream.rest()
                idle.append(self._connection)
                return
        await self._connection.aclose()


def _has_surplus(response: httpcore2.Response) -> bool:
    """Whether more came than this answer, and waits in the parser to be taken for the next.

    The library does not tell; where it hides its parser elsewhere one day, connections are used
    once, which is slower and as safe.
    """
    try:
        parser = response.stream._connection._h11_state  # type: ignore[union-attr]
        return bool(parser.trailing_data[0])
    except AttributeError:
        return True


@contextmanager
def _in_httpx_terms() -> Iterator[None]:
    """The errors of the connections, by the names they have in the client."""
    try:
        yield
    except (
        httpcore2.TimeoutException,
        httpcore2.NetworkError,
        httpcore2.ProtocolError,
        httpcore2.ProxyError,
        httpcore2.UnsupportedProtocol,
    ) as error:
        names = (kind.__name__ for kind in type(error).__mro__ if hasattr(httpx2, kind.__name__))
        named: Callable[[str], httpx2.TransportError] = getattr(httpx2, next(names))
        raise named(str(error)) from error


def _proxied() -> dict[str, httpx2.AsyncBaseTransport | None]:
    return {pattern: _through(proxy) if proxy else None for pattern, proxy in proxies().items()}


def _through(url: str) -> Network:
    """Tunnels through a proxy, which then resolves the names. Raises ValueError, ImportError."""
    proxy = httpx2.Proxy(url)
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ImportError("socksio")
    tls = tls_context() if proxy.url.scheme == "https" else None
    core = httpcore2.Proxy(_core_url(proxy.url), auth=proxy.raw_auth, ssl_context=tls)
    return Network(_WayToProxy(resolve, _any_address), core)


class _ProxyDown(httpcore2.ConnectError):
    """No connection to a proxy; the message names its host and port, and why."""


class _WayToProxy(CheckedNetwork):
    """Connections to a proxy; errors name the proxy."""

    async def connect_tcp(
        self, host: str, port: int, *args: Any, **kwargs: Any
    ) -> httpcore2.AsyncNetworkStream:
        """Connect. Raises _ProxyDown."""
        try:
            return await super().connect_tcp(host, port, *args, **kwargs)
        except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
            where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            raise _ProxyDown(f"its proxy `{where}` does not answer: {reason(error)}") from None


def _any_address(_host: str, _port: int, _address: Address) -> bool:
    return True


def _core_url(url: httpx2.URL) -> httpcore2.URL:
    return httpcore2.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _quieten() -> None:
    """The libraries log whole URLs, and at their lowest level whole headers."""
    for name in ("httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False


def is_untrusted(error: Exception) -> bool:
    """Whether the certificate of a server was rejected, so that a retry cannot help."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def is_proxy_down(error: Exception) -> bool:
    """Whether there was no connection to the proxy."""
    return any(isinstance(cause, _ProxyDown) for cause in _causes(error))


def reason(error: Exception) -> str:
    """What happened, without the libraries' text: it may carry URLs and headers."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {cause.verify_message}"
        if isinstance(cause, _ProxyDown):
            return str(cause)
        if isinstance(cause, OSError) and (why := cause.strerror):
            # asyncio puts words of its own and a tuple in place of the system's
            if cause.errno and "call failed" in why.lower():
                why = os.strerror(cause.errno)
            return why.lower()
    return _REASONS.get(type(error).__name__, type(error).__name__)


def _causes(error: Exception) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
