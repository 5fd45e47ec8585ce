"""A key goes to its provider's own base and is never seen elsewhere: not on another host, not in an
error, not in a log."""

import asyncio
import logging
import traceback
from collections.abc import Iterator

import pytest

from kontext_cli.errors import KontextError, OutcomeUnknown, Unreachable
from kontext_cli.http.call import Call, Kind
from kontext_cli.http.throughput import Limits
from kontext_cli.http.transport import Submission, Transport
from sockets import IMAGE, Conversation, Say, a_call, download, in_time, transport, wire

CANARY = "canary"
SIGNED = f"?signature={CANARY}&logs=1"


async def hang_up(talk: Conversation) -> None:
    talk.hang_up()


async def hang_up_in_the_body(talk: Conversation) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx-%s: 1\r\n\r\nx" % CANARY.encode())
    talk.hang_up()


async def no_http(talk: Conversation) -> None:
    await talk.send(b"%s\r\n\r\n" % CANARY.encode())
    talk.hang_up()


async def bad_header(talk: Conversation) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\n%s\x00: 1\r\n\r\n" % CANARY.encode())
    talk.hang_up()


async def unpackable(talk: Conversation) -> None:
    await talk.answer(CANARY.encode(), headers=["content-encoding: gzip"])


async def unavailable(talk: Conversation) -> None:
    await talk.answer(b"{}", status=503, headers=["retry-after: 1", f"x-key: {CANARY}"])


async def elsewhere(talk: Conversation) -> None:
    await talk.redirect(f"https://user:{CANARY}@there.example/{CANARY}?{CANARY}#{CANARY}")


async def nowhere(talk: Conversation) -> None:
    await talk.redirect(f"https://{CANARY}@/\\{CANARY}")


async def stall(_talk: Conversation) -> None:
    await asyncio.Event().wait()


FAULTS = [
    hang_up,
    hang_up_in_the_body,
    no_http,
    bad_header,
    unpackable,
    unavailable,
    elsewhere,
    nowhere,
    stall,
]


async def told_of(there: Transport, base: str) -> list[KontextError]:
    """The errors of every kind of exchange."""
    submit = Call("submit", "POST", f"{base}/app{SIGNED}", json={"prompt": CANARY})
    ask = Call("status", "GET", f"{base}/app/requests/r1{SIGNED}")
    errors = []
    for work in (
        there.ask(ask),
        there.put(f"{base}/in.png{SIGNED}", CANARY.encode(), "image/png"),
        download(there, f"{base}/a.png{SIGNED}"),
        asyncio.wait_for(there.submit(submit, Submission(), blocking=False), 0.05),
    ):
        try:
            await work
        except KontextError as error:
            errors.append(error)
        except TimeoutError:
            pass
    return errors


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("key", [f"Key {CANARY}", f"Key {CANARY}\n", f"Key {CANARY}\0x"])
def test_no_error_carries_a_key_or_a_signature(fault: Say, key: str) -> None:
    lines: list[str] = []

    async def work() -> list[KontextError]:
        limits = Limits(answer=0.05, transfer=0.05)
        async with wire(fault) as server:
            there = transport(server.url, key, limits=limits, trace=lines.append)
            async with there:
                return await told_of(there, server.url)

    errors = in_time(work())
    assert errors
    for error in errors:
        told = [error.message, error.hint, repr(error), *traceback.format_exception(error)]
        assert CANARY not in "".join(map(str, told))
    assert CANARY not in "".join(lines)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_key_follows_no_redirect(status: int) -> None:
    async def work() -> None:
        async with wire(lambda talk: talk.answer(b"{}")) as other:
            to_other = [f"location: {other.url}/x?{CANARY}"]
            async with (
                wire(lambda talk: talk.answer(status=status, headers=to_other)) as server,
                transport(server.url) as there,
            ):
                with pytest.raises(Unreachable) as refused:
                    await there.ask(a_call(server.url))
                submit = a_call(server.url, "submit")
                reply = await there.submit(submit, Submission(), blocking=False)
                stored = await there.put(f"{server.url}/in.png", b"x", "image/png")
            assert (reply.status, stored.status) == (status, status)
            assert len(server.heard) == 3
            assert other.connections == 0
        assert "`127.0.0.1`" in refused.value.message
        assert f"({status})" in refused.value.message
        assert CANARY not in refused.value.message

    in_time(work())


@pytest.mark.parametrize("headers", [[], ["location: "], ["location: https://[::1/"]])
def test_a_redirect_to_nowhere_is_no_answer_either(headers: list[str]) -> None:
    async def work() -> None:
        async with wire(lambda talk: talk.answer(status=302, headers=headers)) as server:
            async with transport(server.url) as there:
                with pytest.raises(Unreachable, match=r"redirects instead of answering \(302\)"):
                    await there.ask(a_call(server.url))
            assert len(server.heard) == 1

    in_time(work())


@pytest.mark.parametrize(
    "url",
    [
        "{base}/../secret",
        "{base}/a/../../secret",
        "{base}/%2e%2e/secret",
        "{base}",
        "{base}x/status",
        "http://127.0.0.1:9/fal/status",
        "http://user@{host}/fal/status",
        "{base}/..%2fsecret?logs=1",
    ],
)
@pytest.mark.parametrize("kind", ["submit", "status", "result", "cancel", "upload"])
def test_calls_stay_below_the_base(url: str, kind: Kind) -> None:
    async def work() -> None:
        async with wire(lambda talk: talk.answer(b"{}")) as server:
            base, host = f"{server.url}/fal", server.url.removeprefix("http://")
            call = Call(kind, "GET", url.format(base=base, host=host))
            async with transport(base) as there:
                if kind == "submit":
                    work = there.submit(call, Submission(), blocking=False)
                else:
                    work = there.ask(call)
                with pytest.raises(Unreachable, match="the key is not sent there"):
                    await work
            assert server.connections == 0

    in_time(work())


def test_cookies_are_not_kept() -> None:
    async def say(talk: Conversation) -> None:
        headers = ["set-cookie: session=1; path=/", "set-cookie: other=2; domain=127.0.0.1"]
        await talk.answer(IMAGE if talk.path == "/a.png" else b"{}", headers=headers)

    async def work() -> None:
        async with wire(say) as server, transport(server.url) as there:
            for _ in range(2):
                await there.ask(a_call(server.url))
                await download(there, f"{server.url}/a.png")
            assert not [talk for talk in server.heard if "cookie" in talk.headers]

    in_time(work())


@pytest.fixture
def _talkative() -> Iterator[None]:
    """The libraries' loggers as they are before anybody silenced them."""
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.NOTSET)
        logging.getLogger(name).propagate = True
    yield
    logging.getLogger("httpcore2.http11").setLevel(logging.NOTSET)
    logging.getLogger("httpx2").handlers.clear()


@pytest.mark.usefixtures("_talkative")
def test_the_libraries_log_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpcore2.http11").setLevel(logging.DEBUG)
    logging.getLogger("httpx2").addHandler(caplog.handler)

    async def work() -> None:
        async with (
            wire(lambda talk: talk.answer(IMAGE)) as server,
            transport(server.url, f"Key {CANARY}") as there,
        ):
            await there.ask(a_call(server.url, path=f"/app{SIGNED}"))
            await there.submit(a_call(server.url, "submit"), Submission(), blocking=False)
            await download(there, f"{server.url}/a.png{SIGNED}")

    asyncio.run(work(), debug=True)
    assert [record.name for record in caplog.records if record.name.startswith("http")] == []
    assert CANARY not in caplog.text


def test_a_lost_answer_is_told_without_what_was_sent() -> None:
    async def work() -> None:
        async with wire(hang_up) as server, transport(server.url, f"Key {CANARY}") as there:
            call = Call("submit", "POST", f"{server.url}/app{SIGNED}", json={"prompt": CANARY})
            with pytest.raises(OutcomeUnknown) as lost:
                await there.submit(call, Submission(), blocking=True)
            assert CANARY not in "".join(traceback.format_exception(lost.value))

    in_time(work())
