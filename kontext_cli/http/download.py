"""Downloads of images, without any key, from wherever a provider stores them."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Protocol, TypeVar

import httpx2

from kontext_cli.errors import BadMedia, Expired, Unreachable
from kontext_cli.http.attempts import REQUEST_TIMEOUT, Attempts, Failed
from kontext_cli.http.call import Reply
from kontext_cli.http.network import Forbidden
from kontext_cli.http.policy import Reach
from kontext_cli.http.redaction import without_quotes_of
from kontext_cli.http.retry import Patience
from kontext_cli.http.throughput import Exchange, Try
from kontext_cli.http.urls import host_of, redirected
from kontext_cli.sizes import MOST_BYTES

MOST_HOPS = 5
"""The redirects that are followed."""

_GONE = frozenset({403, 404, 410})

T = TypeVar("T")


class Sink(Protocol):
    """Where a download is written; ``restart`` empties it for another attempt."""

    def write(self, chunk: bytes, /) -> None: ...

    def restart(self) -> None: ...


class Downloads:
    """Downloads the images of one provider."""

    def __init__(
        self, provider: str, client: httpx2.AsyncClient, reach: Reach, attempts: Attempts
    ) -> None:
        self._provider = provider
        self._client = client
        self._reach = reach
        self._attempts = attempts
        self._errors = attempts.errors

    async def download(
        self, url: str, sink: Sink, check: Callable[[int | None], Awaitable[T]]
    ) -> T:
        """Write an image to ``sink`` and return what ``check`` returns.

        ``check`` is given the size the server announced, in bytes, and raises BadMedia where
        the file is not complete: then it is downloaded again. Raises Expired where the link is
        dead, Unreachable after the last attempt, BadMedia at once where the URL is not allowed.
        """
        limits = self._attempts.limits
        exchange = Exchange(limits.transfer, limits)
        patience = Patience()
        while True:
            try:
                with self._attempts.failures("its file"):
                    async with exchange.one_try() as attempt:
                        announced = await self._fetch(url, sink, attempt)
                with _incomplete(url):
                    return await check(announced)
            except Forbidden as forbidden:
                raise self._errors.bad_file(f"is {not_public(forbidden.host)}") from None
            except Failed as failed:
                await self._attempts.wait(patience, failed)
            sink.restart()

    async def _fetch(self, url: str, sink: Sink, attempt: Try) -> int | None:
        """Write what ``url`` holds to ``sink``; the size in bytes by its HTTP headers, if any.

        Raises Failed, Forbidden, httpx2's errors and KontextError.
        """
        for _hop in range(MOST_HOPS + 1):
            if not self._reach.may_download(url):
                raise self._errors.bad_file(f"is not on https: `{host_of(url)}`")
            if not self._reach.may_ask(url):
                raise Forbidden(host_of(url))
            request = self._client.build_request("GET", url, timeout=REQUEST_TIMEOUT)
            async with self._attempts.answer(self._client, request) as response:
                if not response.has_redirect_location:
                    return await self._save(response, sink, attempt)
                url = redirected(url, response.headers["location"])
        raise self._errors.bad_file(f"redirects more than {MOST_HOPS} times")

    async def _save(self, response: httpx2.Response, sink: Sink, attempt: Try) -> int | None:
        self._check_status(response)
        announced = self._announced(response)
        async with aclosing(response.aiter_raw()) as chunks:
            async for chunk in chunks:
                attempt.moved(len(chunk))
                sink.write(chunk)
        return announced

    def _check_status(self, response: httpx2.Response) -> None:
        if response.is_success:
            return
        status = response.status_code
        if status in _GONE:
            raise Expired(
                f"the link to the image is dead ({status})",
                hint="the image is lost; another has to be made, and paid for",
                billed="yes",
            )
        error = Unreachable(f"{self._provider}'s file server answered {status}", billed="yes")
        if status < 500 and status not in (408, 425, 429):
            raise error
        raise Failed(error, Reply(status, dict(response.headers), b""))

    def _announced(self, response: httpx2.Response) -> int | None:
        """The size of the file by its Content-Length, None where that does not count: chunks have
        an end of their own, which overrides it (RFC 9112, 6.3)."""
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise Failed(self._errors.bad_file("is compressed, which was not requested"))
        length = response.headers.get("content-length", "")
        if "transfer-encoding" in response.headers or not length.isdecimal():
            return None
        if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            raise self._errors.bad_file(f"is larger than {MOST_BYTES // 2**20} MiB")
        return int(length)


@contextmanager
def _incomplete(url: str) -> Iterator[None]:
    """Download again after BadMedia, whose message quotes the file, which may quote its own URL."""
    try:
        yield
    except BadMedia as error:
        raise Failed(error.replace(without_quotes_of(url, error.message))) from None


def not_public(host: str) -> str:
    """Where a host is that has no public address, for an error message."""
    return f"on `{host}`, which has no public address"
