"""Certificates: checked against the name, loaded once, and only where there is https."""

import ssl
from pathlib import Path

import pytest

from kontext_cli.errors import Unreachable, UsageError
from kontext_cli.http.certificates import tls_context
from kontext_cli.http.transport import Submission
from sockets import (
    AUTHORITY,
    IMAGE,
    Names,
    a_call,
    download,
    in_time,
    server_tls,
    transport,
    wire,
)

HERE = "http://127.0.0.1:9"
"""A provider on this machine, so that files may be, too."""


async def no_second_try(_seconds: float) -> None:
    raise AssertionError("what cannot be trusted is not tried again")


@pytest.fixture
def _authority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))


@pytest.mark.usefixtures("_authority")
def test_the_server_is_asked_for_by_its_name_at_the_address_that_was_checked() -> None:
    names = Names(files_example=["127.0.0.1"])
    indicated: list[str | None] = []
    context = server_tls()
    context.sni_callback = lambda _socket, name, _context: indicated.append(name)

    async def work() -> None:
        async with (
            wire(lambda talk: talk.answer(IMAGE), context) as server,
            transport(HERE, resolve=names) as there,
        ):
            url = f"https://files.example:{server.port}/a.png"
            assert await download(there, url) == IMAGE
            assert await download(there, url) == IMAGE
            assert server.heard[0].headers["host"] == f"files.example:{server.port}"
            assert server.connections == 2

    in_time(work())
    assert indicated == ["files.example"] * 2
    assert names.asked == ["files.example"]


@pytest.mark.usefixtures("_authority")
def test_a_connection_to_one_name_is_not_used_for_another_at_its_address() -> None:
    names = Names(files_example=["127.0.0.1"], provider_example=["127.0.0.1"])

    async def work() -> int:
        async with (
            wire(lambda talk: talk.answer(IMAGE), server_tls()) as server,
            transport(HERE, resolve=names) as there,
        ):
            await download(there, f"https://files.example:{server.port}/a.png")
            await download(there, f"https://provider.example:{server.port}/a.png")
            return server.connections

    assert in_time(work()) == 2


@pytest.mark.usefixtures("_authority")
@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_name_is_refused_once_and_for_all(host: str) -> None:
    names = Names(other_example=["127.0.0.1"])

    async def work() -> None:
        async with (
            wire(lambda talk: talk.answer(IMAGE), server_tls()) as server,
            transport(HERE, resolve=names, sleep=no_second_try) as there,
        ):
            with pytest.raises(Unreachable, match="certificate is not valid") as refused:
                await download(there, f"https://{host}:{server.port}/a.png")
            assert server.heard == []
        assert "SSL_CERT_FILE" in (refused.value.hint or "")

    in_time(work())


def test_a_certificate_of_an_unknown_authority_is_refused() -> None:
    async def work() -> None:
        submission = Submission()
        async with wire(lambda talk: talk.answer(b"{}"), server_tls()) as server:
            base = f"https://127.0.0.1:{server.port}"
            async with transport(base, sleep=no_second_try) as there:
                with pytest.raises(Unreachable, match="certificate is not valid"):
                    await there.ask(a_call(base))
                with pytest.raises(Unreachable, match="certificate is not valid"):
                    await there.submit(a_call(base, "submit"), submission, blocking=False)
            assert server.heard == []
            assert not submission.sent

    in_time(work())


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_loaded_are_told_at_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "certificates.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="certificates cannot be loaded") as refused:
        transport("https://provider.example")
    assert "SSL_CERT_FILE" in (refused.value.hint or "")


def test_without_https_there_is_no_need_of_certificates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))

    async def work() -> None:
        async with (
            wire(lambda talk: talk.answer(IMAGE)) as server,
            transport(server.url) as there,
        ):
            assert await download(there, f"{server.url}/a.png") == IMAGE
            with pytest.raises(UsageError, match="certificates cannot be loaded"):
                await download(there, "https://127.0.0.1:9/a.png")

    in_time(work())


def test_the_certificates_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(AUTHORITY))
    context = tls_context()
    assert tls_context() is context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    monkeypatch.delenv("SSL_CERT_FILE")
    assert tls_context() is not context
