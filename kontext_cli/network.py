"""What carries requests: pools of connections, direct or through a proxy, and one TLS context."""

import logging
import os
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore2
import httpx2

from kontext_cli.errors import UsageError
from kontext_cli.proxies import proxies
from kontext_cli.resolving import CheckedNetwork, resolve

MOST_CONNECTIONS = 512
MOST_IDLE_CONNECTIONS = 256
"""As many as jobs may be in flight: each would else open a connection of its own for every poll."""
IDLE_SECONDS = 5.0
"""How long an idle connection is used again: on an older one a submit may meet its end."""

_LIMITS = httpx2.Limits(
    max_connections=MOST_CONNECTIONS,
    max_keepalive_connections=MOST_IDLE_CONNECTIONS,
    keepalive_expiry=IDLE_SECONDS,
)

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
            transport=DirectTransport(network) if app is None else httpx2.ASGITransport(app),
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


def tls_context() -> ssl.SSLContext:
    """The system's certificates, or those that SSL_CERT_FILE or SSL_CERT_DIR name.

    Raises UsageError where they cannot be loaded.
    """
    try:
        return _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:
        raise UsageError(
            f"the certificates cannot be loaded: {error.strerror or error}",
            hint="check SSL_CERT_FILE and SSL_CERT_DIR",
        ) from None


@lru_cache(maxsize=1)
def _tls_context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Built once: reading the certificates takes 19 ms."""
    return httpx2.create_ssl_context()


class DirectTransport(httpx2.AsyncBaseTransport):
    """Connections straight to the servers. The TLS context waits for the first https URL."""

    def __init__(self, network: httpcore2.AsyncNetworkBackend | None = None) -> None:
        self._network = network or CheckedNetwork(resolve, lambda _host, _port, _address: True)
        self._pools: dict[str, httpcore2.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises httpx2's errors, and UsageError for missing certificates."""
        pool = self._pool(request.url.scheme)
        url = request.url
        with _in_httpx_terms():
            response = await pool.handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=url.raw_scheme,
                        host=url.raw_host,
                        port=url.port,
                        target=url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx2.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response),
            extensions=response.extensions,
        )

    def _pool(self, scheme: str) -> httpcore2.AsyncConnectionPool:
        if scheme not in self._pools:
            self._pools[scheme] = httpcore2.AsyncConnectionPool(
                ssl_context=tls_context() if scheme == "https" else None,
                max_connections=_LIMITS.max_connections,
                max_keepalive_connections=_LIMITS.max_keepalive_connections,
                keepalive_expiry=_LIMITS.keepalive_expiry,
                network_backend=self._network,
            )
        return self._pools[scheme]

    async def aclose(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            await pool.aclose()


class _Body(httpx2.AsyncByteStream):
    """The bytes of an answer as they come."""

    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_terms():
            async with aclosing(self._response.aiter_stream()) as chunks:
                async for chunk in chunks:
                    yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


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
        named: Callable[[str], httpx2.TransportError] = getattr(httpx2, type(error).__name__)
        raise named(str(error)) from error


def _proxied() -> dict[str, httpx2.AsyncBaseTransport | None]:
    return {pattern: _through(proxy) if proxy else None for pattern, proxy in proxies().items()}


def _through(url: str) -> httpx2.AsyncHTTPTransport:
    """Tunnels through a proxy, which then resolves the names."""
    to_proxy = tls_context() if url.lower().startswith("https:") else None
    proxy = httpx2.Proxy(url, ssl_context=to_proxy)
    return httpx2.AsyncHTTPTransport(verify=tls_context(), proxy=proxy, limits=_LIMITS)


def _quieten() -> None:
    """The libraries log whole URLs, and at their lowest level whole headers."""
    for name in ("httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL)
        logger.propagate = False


def is_untrusted(error: Exception) -> bool:
    """Whether a server could not prove that it is who it should be: no other try will help."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def reason(error: Exception) -> str:
    """What happened, without the libraries' text: it may carry URLs and headers."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate does not hold: {cause.verify_message}"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return _REASONS.get(type(error).__name__, type(error).__name__)


def _causes(error: Exception) -> Iterator[BaseException]:
    cause = error.__cause__ or error.__context__
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
