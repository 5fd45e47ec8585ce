"""Where files may come from: hosts that a provider names may lead into the network we stand in."""

import asyncio
from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import httpcore2
import pytest

from kontext_cli.errors import BadMedia, UnexpectedReply, Unreachable
from kontext_cli.http.addresses import Address, is_public
from kontext_cli.http.network import CheckedNetwork, Forbidden
from sockets import (
    AUTHORITY,
    IMAGE,
    Conversation,
    Names,
    download,
    in_time,
    server_tls,
    transport,
    wire,
)

PUBLIC, OTHER_PUBLIC, SIXTH = "93.184.216.34", "93.184.216.35", "2606:4700::1"
PRIVATE = "10.0.0.1"
ODD = [
    "0x7f.1",
    "0x7f000001",
    "0X7F.0.0.1",
    "2130706433",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[::1%25lo]",
    "[::1%lo]",
    "LOCALHOST",
    "localhost.",
    "here.localhost",
    "user@127.0.0.1",
    "user:pass@files.example",
    "files.example\\@127.0.0.1",
    "[::1]files.example",
]
NEARER = [
    "10.0.0.1",
    "169.254.169.254",
    "192.168.1.1",
    "100.64.0.1",
    "[fd00:ec2::254]",
    "[fe80::1]",
]


class Network(httpcore2.AsyncNetworkBackend):
    """Remembers what it was to connect to.

    ``silent`` addresses never answer, ``dead`` ones refuse, and the others answer when as many as
    ``together`` were tried.
    """

    def __init__(
        self, silent: Sequence[str] = (), dead: Sequence[str] = (), together: int = 1
    ) -> None:
        self.tried: list[str] = []
        self.streams: list[Stream] = []
        self._silent = silent
        self._dead = dead
        self._together = asyncio.Barrier(together)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.tried.append(host)
        if host in self._silent:
            await asyncio.Event().wait()
        if host in self._dead:
            raise httpcore2.ConnectError
        await self._together.wait()
        self.streams.append(Stream(host))
        return self.streams[-1]


class Stream(httpcore2.AsyncNetworkStream):
    def __init__(self, host: str) -> None:
        self.host = host
        self.closed = False

    async def aclose(self) -> None:
        self.closed = True


class Changing:
    """A name that has other addresses each time it is asked for (DNS rebinding)."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.asked = 0
        self._answers = answers

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked += 1
        return [ip_address(each) for each in self._answers[self.asked - 1]]


def connect(network: Network, names: Changing, timeout: float = 10.0) -> Stream:
    checked = CheckedNetwork(names, lambda _host, _port, address: is_public(address), network)
    stream = in_time(checked.connect_tcp("files.example", 443, timeout))
    assert isinstance(stream, Stream)
    return stream


def test_a_name_is_resolved_once_and_that_address_connected_to() -> None:
    names, network = Changing([PUBLIC], [PRIVATE]), Network()
    assert connect(network, names).host == PUBLIC
    assert (names.asked, network.tried) == (1, [PUBLIC])


@pytest.mark.parametrize(
    "addresses", [[PRIVATE], [PUBLIC, PRIVATE], [PRIVATE, PUBLIC], [SIXTH, "::1"]]
)
def test_one_address_that_is_not_public_is_enough(addresses: list[str]) -> None:
    network = Network()
    with pytest.raises(Forbidden) as refused:
        connect(network, Changing(addresses))
    assert refused.value.host == "files.example"
    assert network.tried == []


@pytest.fixture
def _no_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kontext_cli.http.network._HEAD_START", 0.0)


@pytest.mark.usefixtures("_no_head_start")
def test_an_address_that_is_silent_holds_nothing_up() -> None:
    network = Network(silent=[SIXTH])
    names = Changing([SIXTH, "2606:4700::2", PUBLIC])
    assert connect(network, names).host == PUBLIC
    assert network.tried == [SIXTH, PUBLIC]


def test_an_address_that_refuses_is_followed_by_the_next() -> None:
    network = Network(dead=[SIXTH, PUBLIC])
    assert connect(network, Changing([SIXTH, PUBLIC, OTHER_PUBLIC])).host == OTHER_PUBLIC
    assert network.tried == [SIXTH, PUBLIC, OTHER_PUBLIC]


@pytest.mark.usefixtures("_no_head_start")
def test_connections_that_are_not_needed_are_closed() -> None:
    network = Network(together=3)
    won = connect(network, Changing([PUBLIC, OTHER_PUBLIC, SIXTH]))
    assert len(network.streams) == 3
    assert [stream for stream in network.streams if not stream.closed] == [won]


def test_addresses_that_all_refuse_are_a_failure_of_the_connection() -> None:
    with pytest.raises(httpcore2.ConnectError):
        connect(Network(dead=[PUBLIC, SIXTH]), Changing([PUBLIC, SIXTH]))


def test_addresses_that_are_all_silent_are_given_up() -> None:
    with pytest.raises(httpcore2.ConnectTimeout):
        connect(Network(silent=[PUBLIC]), Changing([PUBLIC]), timeout=0.01)


@pytest.mark.parametrize("host", ["x" * 64, "a..b", "no-such-name.invalid"])
def test_a_name_that_cannot_be_resolved_is_a_failure_of_the_connection(host: str) -> None:
    async def nowhere(host: str, _port: int) -> Sequence[Address]:
        host.encode("idna")
        return []

    checked = CheckedNetwork(nowhere, lambda *_: True, Network())
    with pytest.raises(httpcore2.ConnectError):
        in_time(checked.connect_tcp(host, 443))


@pytest.mark.parametrize("host", [*ODD, *NEARER, "127.0.0.1", "[::1]", "inside.example"])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_public_provider_sends_nobody_inside(scheme: str, host: str) -> None:
    async def work() -> None:
        names = Names(inside_example=["127.0.0.1"])
        async with (
            wire(lambda talk: talk.answer(IMAGE)) as server,
            transport("https://provider.example", resolve=names) as there,
        ):
            url = f"{scheme}://{host}:{server.port}/a.png?signature=canary"
            with pytest.raises(BadMedia) as refused:
                await download(there, url)
            with pytest.raises(UnexpectedReply) as refused_upload:
                await there.put(url, b"x", "image/png")
        assert (refused.value.billed, refused_upload.value.billed) == ("yes", "no")
        for message in (refused.value.message, refused_upload.value.message):
            assert "canary" not in message
            assert "/a.png" not in message
        assert server.connections == 0

    in_time(work())


@pytest.mark.parametrize(
    "target",
    [
        "https://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://inside.example:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "http://127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "https://127.1:{port}/",
        "https://user@inside.example:{port}/",
        "ftp://127.0.0.1:{port}/",
        "https://127.0.0.1:99999/",
        "https://[::1/",
    ],
)
def test_no_redirect_leads_inside(monkeypatch: pytest.MonkeyPatch, target: str) -> None:
    """The provider's own base may be anywhere; what it redirects to may not."""
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    names = Names(provider_example=["127.0.0.1"], inside_example=["127.0.0.1"])

    async def work() -> None:
        async with (
            wire(lambda talk: talk.answer(IMAGE)) as inside,
            wire(
                lambda talk: talk.redirect(target.format(port=inside.port)), server_tls()
            ) as there,
            transport(base := f"https://provider.example:{there.port}", resolve=names) as ours,
        ):
            with pytest.raises(BadMedia) as refused:
                await download(ours, f"{base}/a.png")
            assert refused.value.billed == "yes"
            assert len(there.heard) == 1
            assert inside.connections == 0

    in_time(work())


@pytest.mark.parametrize(
    "target", ["https://10.0.0.1/", "http://10.0.0.1/", "https://inside.example/", "http://a.test/"]
)
def test_a_provider_on_loopback_sends_nobody_further_in(target: str) -> None:
    async def work() -> None:
        names = Names(inside_example=[PRIVATE])
        async with wire(lambda talk: talk.redirect(target)) as server:
            async with transport(server.url, resolve=names) as there:
                with pytest.raises(BadMedia):
                    await download(there, f"{server.url}/a.png")
            assert len(server.heard) == 1

    in_time(work())


def test_a_provider_on_loopback_may_have_its_files_there() -> None:
    async def work() -> bytes:
        async with (
            wire(lambda talk: talk.answer(IMAGE)) as files,
            wire(lambda talk: talk.redirect(f"{files.url}/b.png")) as provider,
            transport(provider.url) as there,
        ):
            return await download(there, f"{provider.url}/a.png")

    assert in_time(work()) == IMAGE


@pytest.mark.parametrize(("hops", "ends"), [(5, True), (6, False)])
def test_redirects_are_followed_five_times(hops: int, ends: bool) -> None:
    async def say(talk: Conversation) -> None:
        number = int(talk.path.removeprefix("/"))
        await (talk.redirect(f"/{number + 1}") if number < hops else talk.answer(IMAGE))

    async def work() -> bytes:
        async with wire(say) as server, transport(server.url) as there:
            return await download(there, f"{server.url}/0")

    if ends:
        assert in_time(work()) == IMAGE
    else:
        with pytest.raises(BadMedia, match="more than 5 times"):
            in_time(work())


def test_a_name_without_addresses_is_unreachable() -> None:
    async def work() -> None:
        names = Names(files_example=[])
        async with transport("https://provider.example", resolve=names) as there:
            with pytest.raises(Unreachable):
                await download(there, "https://files.example/a.png")
        assert names.asked == ["files.example"] * 5

    in_time(work())
