"""Where keys may go, and where pictures may come from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.errors import UsageError
from kontext_cli.urls import check_base_url, is_loopback, may_download, without_query


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example",
        "https://proxy.example/fal",
        "http://127.0.0.1:8000/fal",
        "http://127.9.9.9",
        "http://[::1]:8000",
        "http://localhost:8000",
        "http://sandbox.localhost/fal",
    ],
)
def test_base_urls_that_may_have_the_key(url: str) -> None:
    assert check_base_url(url, "X") == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://proxy.example", "plain http to `proxy.example`"),
        ("http://10.0.0.1", "plain http"),
        ("http://127.0.0.1.evil.example", "plain http"),
        ("http://localhost.evil.example", "plain http"),
        ("ftp://proxy.example", "not an http(s) URL"),
        ("proxy.example", "not an http(s) URL"),
        ("https://", "not an http(s) URL"),
        ("https://proxy.example:notaport", "not an http(s) URL"),
        ("https://a b", "not an http(s) URL"),
        ("https://user:secret@proxy.example", "a host and at most a path"),
        ("https://proxy.example/?key=secret", "a host and at most a path"),
    ],
)
def test_base_urls_that_may_not(url: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_base_url(url, "KONTEXT_FAL_BASE_URL")
    assert reason in refused.value.message
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    ("url", "public", "from_loopback"),
    [
        ("https://v3.fal.media/a.jpg", True, True),
        ("HTTPS://v3.fal.media/a.jpg", True, True),
        ("http://127.0.0.1:8000/a.jpg", False, True),
        ("http://v3.fal.media/a.jpg", False, False),
        ("file:///etc/passwd", False, False),
        ("/a.jpg", False, False),
        ("", False, False),
        ("https:///a.jpg", False, False),
        ("https://a\nb/", False, False),
    ],
)
def test_where_pictures_may_come_from(url: str, public: bool, from_loopback: bool) -> None:
    assert may_download(url, from_loopback=False) is public
    assert may_download(url, from_loopback=True) is from_loopback


def test_what_is_printed_of_a_url() -> None:
    url = "https://user:password@cdn.example:8/a/b.jpg?signature=secret#x"
    assert without_query(url) == "https://cdn.example:8/a/b.jpg"


@given(st.text())
def test_any_text_is_taken_for_a_url(text: str) -> None:
    assert is_loopback(text) in (True, False)
    assert may_download(text, from_loopback=True) in (True, False)
    assert isinstance(without_query(text), str)
