"""Where keys and downloads go, as other programs read the same URL."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.answers import MEDIA, REQUEST_ID, WHOLE, Answer
from fuzz.erratic import Erratic, check_requests, is_here
from fuzz.examples import fuzzed
from fuzz.readers import READERS, Reader, browser, careless_server, strict
from kontext_cli.engine.reading import read
from kontext_cli.errors import KontextError, UsageError
from kontext_cli.http.addresses import literal
from kontext_cli.http.call import Call
from kontext_cli.http.transport import Transport
from kontext_cli.http.urls import check_base_url, host_of, is_loopback, may_download, may_have_key
from kontext_cli.providers import provider_class
from kontext_cli.providers.dialects.fal_queue import FalQueue
from runs import KEY, at_once

HOME = "https://queue.fal.run"
BASES = (
    HOME,
    "https://proxy.example/fal",
    "https://proxy.example:8443/a/b",
    "http://127.0.0.1:8000/fal",
)
PARTS = (
    *("/", "//", "\\", "\\\\", ".", "..", "/../", "/./", "..;", "%2e%2e", "%2E.", ".%2e"),
    "%252e%252e",
    *("%2f", "%5c", "%00", "%0d%0a", "%", "%zz", "%c0%ae", "?", "#", "@", ":", ";", ":443", ":0"),
    ":80",
    *("@evil.example", "evil.example", ".evil.example", "user:pw@", "[::1]", "[", "]"),
    "[::ffff:7f00:1]",
    *("127.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.0.0.1", "localhost", "169.254.169.254"),
    *("10.0.0.1", "[fe80::1%25eth0]", "xn--", "xn--a", "é", "。", "．", "／", "\u200b", "\u00ad"),
    "İ",
    *("\t", "\n", "\r", " ", "\0", "\x7f", "\x85", "\u2028", "\ud800", "^", "|", "<", "`", "{"),
    '"',
    *("https:", "http:", "HTTPS://", "data:", "ftp:", "requests", REQUEST_ID, "status", "a", "*"),
    "~",
)
pieces = st.sampled_from(PARTS) | st.text(max_size=3)


@st.composite
def mangled(draw: st.DrawFn, url: st.SearchStrategy[str]) -> str:
    """A good URL with some of its characters replaced by what confuses."""
    text = draw(url)
    for _ in range(draw(st.integers(0, 3))):
        # most of what is done to a host makes it none
        at = draw(st.integers(0, len(text)) | st.integers(len(text) // 2, len(text)))
        text = text[:at] + draw(pieces) + text[at + draw(st.integers(0, 3)) :]
    return text


def job_url(base: str) -> str:
    return f"{base}/fal-ai/flux-pro/requests/{REQUEST_ID}"


bases = st.sampled_from(BASES)
job_urls = mangled(bases.map(job_url) | bases)
media_urls = mangled(
    st.sampled_from([MEDIA, "https://v3.fal.media", "http://127.0.0.1:8000/a.jpg"])
)


class TestReaders:
    """The oracles, held against what the standards say of some URLs."""

    @pytest.mark.parametrize("read_url", READERS)
    def test_agree_on_plain_urls(self, read_url: Reader) -> None:
        for base in BASES:
            found, own = read_url(job_url(base)), read_url(base)
            assert found is not None
            assert own is not None
            assert found.is_below(own)
            assert found.path[-1] == REQUEST_ID

    @pytest.mark.parametrize(
        ("url", "server"),
        [
            ("https:queue.fal.run\\@evil.example/", ("https", "queue.fal.run", 443)),
            ("https://a@queue.fal.run:/", ("https", "queue.fal.run", 443)),
            ("HTTP:///127.1:80", ("http", "127.0.0.1", 80)),
            ("http://0x7f000001./", ("http", "127.0.0.1", 80)),
            ("https://ex\tample.com/", ("https", "example.com", 443)),
            ("https://ｅxample。com/", ("https", "example.com", 443)),
            ("https://[::FFFF:127.0.0.1]/", ("https", "[::ffff:7f00:1]", 443)),
            ("https://example.com:0/", ("https", "example.com", 0)),
            ("https://127.0.0.256/", None),
            ("https://a b/", None),
            ("https://a:b/", None),
        ],
    )
    def test_a_browser(self, url: str, server: tuple[str, str, int] | None) -> None:
        found = browser(url)
        assert (found and found.server) == server

    def test_dots_in_every_spelling(self) -> None:
        for reader, url in (
            (strict, "https://a.example/b/../c/%2e%2E/./d"),
            (browser, "https://a.example/b\\..\\c/.%2e/%2e/d"),
            (careless_server, "https://a.example/b/%252e%252e/c%5c..;x/d"),
        ):
            found = reader(url)
            assert found is not None
            assert found.path == ("d",)

    def test_the_strict_one_takes_no_less_than_the_grammar(self) -> None:
        assert strict("https://a.example/é") is None
        assert strict("https://a.example\\b") is None
        assert strict("https://a.example/%zz") is None


class TestKeys:
    @fuzzed(150)
    @given(url=job_urls, base=bases)
    @example("https://queue.fal.run:0/x", HOME)
    @example("https://queue.fal.run:00443/x", HOME)
    def test_go_below_their_base_for_every_reader(self, url: str, base: str) -> None:
        if not may_have_key(url, base):
            return
        for read_url in READERS:
            found, own = read_url(url), read_url(base)
            assert own is not None
            assert found is None or (found.userinfo == "" and found.is_below(own))

    @fuzzed(75)
    @given(
        name=st.sampled_from(["fal", "chainhub"]),
        base=st.none() | bases,
        request_id=st.just(REQUEST_ID) | pieces | st.text(),
        urls=st.fixed_dictionaries(
            {}, optional=dict.fromkeys(["status_url", "response_url", "cancel_url"], job_urls)
        ),
    )
    @example("fal", None, "..", {})
    @example("chainhub", BASES[1], REQUEST_ID, {"response_url": f"{HOME}/a/{REQUEST_ID}/%2e%2e/b"})
    def test_follow_no_url_of_a_reply_elsewhere(
        self, name: Any, base: str | None, request_id: str, urls: dict[str, str]
    ) -> None:
        provider = provider_class(name)(base)
        assert isinstance(provider, FalQueue)
        try:
            handle = read(provider.handle, "fal-ai/flux-pro/kontext", request_id, urls)
        except KontextError:
            return
        calls = [provider.poll, provider.stream, provider.result, provider.cancel]
        seen = asked(provider, [call for each in calls if (call := each(handle)) is not None])
        check_requests(seen, provider.key_bases)

    @fuzzed(150)
    @given(url=mangled(bases))
    @example("http://127.0.0.1:0")
    def test_go_to_no_base_in_plain_text_but_on_this_machine(self, url: str) -> None:
        try:
            check_base_url(url, "X")
        except UsageError:
            return
        found = browser(url)
        assert found is not None
        assert found.userinfo == ""
        assert found.scheme == "https" or is_here(found.host)


def asked(provider: FalQueue, calls: Sequence[Call]) -> Any:
    """What arrives where calls are made with a key; some are not made at all."""
    nowhere = Erratic([])

    async def ask() -> None:
        async with Transport(
            provider.name,
            provider.key_bases,
            provider.headers(KEY),
            app=nowhere,
            sleep=at_once,
        ) as transport:
            for call in calls:
                with suppress(KontextError):
                    await transport.ask(call)

    asyncio.run(ask())
    return nowhere.requests


class Sink(bytearray):
    """Where a download goes."""

    def write(self, chunk: bytes) -> None:
        self.extend(chunk)

    def restart(self) -> None:
        self.clear()


class TestDownloads:
    @fuzzed(100)
    @given(url=media_urls)
    def test_come_from_the_host_that_we_think_of(self, url: str) -> None:
        assert is_loopback(url) in (True, False)
        if not may_download(url, from_loopback=False):
            return
        for read_url in READERS:
            found = read_url(url)
            assert found is None or (
                (found.scheme, found.host.strip("[]"), found.userinfo)
                == ("https", shown(host_of(url)), "")
            )

    @fuzzed(100)
    @given(
        url=media_urls,
        locations=st.lists(st.text(max_size=5) | media_urls, max_size=3),
        base=st.sampled_from([HOME, BASES[3]]),
    )
    @example("https://127.0.0.1/a.jpg", [], HOME)
    @example(MEDIA, ["//169.254.169.254/latest"], HOME)
    @example(MEDIA, ["https://[::ffff:10.0.0.1]/a"], HOME)
    @example(MEDIA, ["https://v3.fal.media:x/"], HOME)
    @example(MEDIA, ["https://vxn--.fal.media/"], HOME)
    def test_follow_no_redirect_into_our_network(
        self, url: str, locations: list[str], base: str
    ) -> None:
        hops = [
            Answer(302, headers={"location": each.encode(errors="replace").decode("latin-1")})
            for each in locations
        ]
        server = Erratic([*hops, Answer(body=WHOLE[0])])
        fetched(server, base, url)
        check_requests(server.requests, [base])
        assert not any("authorization" in request.headers for request in server.requests)


def shown(host: str) -> str:
    """A host as a browser shows it: addresses in their shortest form."""
    address = literal(host)
    return host if address is None else str(address)


def fetched(server: Erratic, base: str, url: str) -> None:
    """Download from a URL in the way of a provider on that base."""

    async def check(_announced: int | None) -> None: ...

    async def download() -> None:
        async with Transport(
            "fal", [base], {"Authorization": "Key x"}, app=server, sleep=at_once
        ) as transport:
            with suppress(KontextError):
                await transport.download(url, Sink(), check)

    asyncio.run(download())
