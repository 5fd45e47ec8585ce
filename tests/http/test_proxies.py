"""HTTPS_PROXY and its kin: which requests go through, and what a proxy may do to a submit."""

import asyncio
import socket

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.errors import BadMedia, Unreachable, UsageError
from kontext_cli.http.proxies import proxies
from kontext_cli.http.transport import Submission
from sockets import (
    AUTHORITY,
    IMAGE,
    Conversation,
    Names,
    Say,
    Wire,
    a_call,
    download,
    in_time,
    server_tls,
    transport,
    wire,
)

PROXY = "http://proxy.example:3128"
BASE = "https://provider.example"


def is_proxied(url: str) -> bool:
    """What the client makes of the patterns."""

    async def through(_scope: object, _receive: object, _send: object) -> None:
        raise ConnectionError("through the proxy")

    async def direct(_scope: object, _receive: object, _send: object) -> None:
        raise LookupError("direct")

    async def work() -> bool:
        mounts = {
            pattern: httpx2.ASGITransport(through) if proxy else None
            for pattern, proxy in proxies().items()
        }
        transport = httpx2.ASGITransport(direct)
        async with httpx2.AsyncClient(
            mounts=mounts, transport=transport, trust_env=False
        ) as client:
            try:
                await client.get(url)
            except ConnectionError:
                return True
            except LookupError:
                return False
        raise AssertionError("somebody answered")

    return asyncio.run(work())


@pytest.mark.parametrize(
    ("no_proxy", "url", "proxied"),
    [
        ("", BASE, True),
        (" , ,", BASE, True),
        ("*", BASE, False),
        ("other.example,*", BASE, False),
        ("provider.example", BASE, False),
        ("PROVIDER.EXAMPLE", BASE, False),
        ("provider.example", "https://files.provider.example", False),
        ("provider.example", "https://notprovider.example", True),
        (".provider.example", "https://files.provider.example", False),
        ("*.provider.example", "https://files.provider.example", False),
        ("provider.example:8443", "https://provider.example:8443", False),
        ("provider.example:8443", BASE, True),
        ("10.0.0.0/8", "https://10.1.2.3", False),
        ("10.1.2.3/8", "https://10.9.9.9", False),
        ("10.0.0.0/8", "https://11.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.3", False),
        ("::1", "https://[::1]", False),
        ("[::1]", "https://[::1]", False),
        ("fd00::/8", "https://[fd00::1]", False),
        ("localhost", "https://localhost", False),
        ("https://, /, :, @, [, ::1/x, 10.0.0.0/99, a b, \u00e9.example", BASE, True),
    ],
)
def test_no_proxy(monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, proxied: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert is_proxied(url) is proxied


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("HTTPS_PROXY", PROXY, {"https://": PROXY}),
        ("https_proxy", PROXY, {"https://": PROXY}),
        ("HTTPS_PROXY", "proxy.example:3128", {"https://": PROXY}),
        ("ALL_PROXY", PROXY, {"all://": PROXY}),
        ("HTTPS_PROXY", "", {}),
        ("NO_PROXY", "provider.example", {}),
    ],
)
def test_proxies(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: dict[str, str]
) -> None:
    monkeypatch.setenv(variable, value)
    assert proxies() == expected


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_the_client_understands_what_is_made_of_no_proxy(no_proxy: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", PROXY)
        patch.setenv("NO_PROXY", no_proxy)
        nobody = httpx2.MockTransport(lambda _request: httpx2.Response(200))
        httpx2.AsyncClient(mounts=dict.fromkeys(proxies()), transport=nobody, trust_env=False)


@pytest.mark.parametrize("proxy", ["http://[x]", "ftp://p", "http://p:x", "socks5://127.0.0.1:9"])
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(UsageError, match="the proxy settings are not usable") as refused:
        transport(BASE)
    assert "HTTPS_PROXY" in (refused.value.hint or "")


async def hang_up(talk: Conversation) -> None:
    talk.hang_up()


async def want_a_password(talk: Conversation) -> None:
    await talk.answer(status=407)


async def say_nonsense(talk: Conversation) -> None:
    await talk.send(b"SSH-2.0-OpenSSH\r\n")
    talk.hang_up()


@pytest.mark.parametrize("say", [hang_up, want_a_password, say_nonsense])
def test_what_goes_wrong_at_the_proxy_never_reached_the_provider(
    monkeypatch: pytest.MonkeyPatch, say: Say
) -> None:
    async def work() -> None:
        async with wire(say) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", f"http://user:canary@127.0.0.1:{proxy.port}")
            submission = Submission()
            async with transport(BASE) as there:
                with pytest.raises(Unreachable) as failed:
                    await there.submit(a_call(BASE, "submit"), submission, blocking=False)
            assert not submission.sent
            assert "canary" not in failed.value.message
            assert [talk.line for talk in proxy.heard] == [
                "CONNECT provider.example:443 HTTP/1.1"
            ] * 5
            assert all("authorization" not in talk.headers for talk in proxy.heard)

    in_time(work())


def unused_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def test_a_proxy_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    port = unused_port()
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:canary@127.0.0.1:{port}")

    async def work() -> Unreachable:
        submission = Submission()
        async with transport(BASE) as there:
            with pytest.raises(Unreachable) as failed:
                await there.submit(a_call(BASE, "submit"), submission, blocking=False)
        assert not submission.sent
        return failed.value

    error = in_time(work())
    start = f"fal cannot be reached (its proxy `127.0.0.1:{port}` does not answer: "
    assert error.message.startswith(start)
    assert "call failed" not in error.message
    assert "HTTPS_PROXY" in (error.hint or "")


def test_a_server_that_does_not_answer_is_told_in_the_words_of_the_system() -> None:
    base = f"http://127.0.0.1:{unused_port()}"

    async def work() -> None:
        async with transport(base) as there:
            with pytest.raises(Unreachable, match=r"reached \([^(']*refused[^(']*\)$"):
                await there.ask(a_call(base))

    in_time(work())


def test_through_a_proxy_names_are_the_proxys_business(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names()

    async def work() -> None:
        async with wire(hang_up) as proxy:
            monkeypatch.setenv("ALL_PROXY", proxy.url)
            monkeypatch.setenv("NO_PROXY", "direct.example")
            async with transport(BASE, resolve=names) as there:
                with pytest.raises(Unreachable):
                    await download(there, "https://files.example/a.png")
                assert len(proxy.heard) == 5
                with pytest.raises(KeyError):
                    await download(there, "https://direct.example/a.png")
                assert names.asked == ["direct.example"]

    in_time(work())


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "10.0.0.1", "[::1]", "169.254.169.254", "localhost", "0x7f.1", "[fe80::1]"],
)
def test_a_proxy_is_not_sent_inside_either(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    async def work() -> None:
        async with wire(hang_up) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            async with transport(BASE) as there:
                with pytest.raises(BadMedia):
                    await download(there, f"https://{host}/a.png")
            assert proxy.connections == 0

    in_time(work())


def test_a_proxy_is_not_asked_for_what_is_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with wire(hang_up) as proxy, wire(lambda talk: talk.answer(IMAGE)) as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
                monkeypatch.setenv(name, proxy.url)
            async with transport(server.url) as there:
                await there.ask(a_call(server.url))
                await download(there, f"{server.url}/a.png")
            assert proxy.connections == 0

    in_time(work())


class Tunnel:
    """A proxy that takes every name for the one server it knows."""

    def __init__(self, server: Wire) -> None:
        self.connected: list[bytes] = []
        self._server = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        while data := await source.read(2**16):
            to.write(data)
        to.close()


def test_a_submit_and_its_image_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))

    async def say(talk: Conversation) -> None:
        await talk.answer(IMAGE if talk.path == "/a.png" else b'{"request_id": "r1"}')

    async def work() -> None:
        async with wire(say, server_tls()) as server:
            tunnel = Tunnel(server)
            proxy = await asyncio.start_server(tunnel.serve, "127.0.0.1", 0)
            monkeypatch.setenv(
                "HTTPS_PROXY", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
            )
            submission = Submission()
            async with proxy, transport(BASE) as there:
                reply = await there.submit(a_call(BASE, "submit"), submission, blocking=False)
                assert reply.object == {"request_id": "r1"}
                assert submission.sent
                assert await download(there, "https://files.example/a.png") == IMAGE
        assert tunnel.connected == [
            b"CONNECT provider.example:443 HTTP/1.1",
            b"CONNECT files.example:443 HTTP/1.1",
        ]
        submitted, fetched = server.heard
        assert submitted.headers["authorization"] == "Key canary-key"
        assert "authorization" not in fetched.headers

    in_time(work())
