"""Where keys may go, and where images may come from."""

from ipaddress import ip_address

import httpx2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kontext_cli.errors import UsageError
from kontext_cli.http.policy import Reach
from kontext_cli.http.urls import (
    LONGEST,
    canonical,
    check_base_url,
    host_of,
    is_loopback,
    may_download,
    may_have_key,
    origin,
    redirected,
    without_query,
)


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
        ("https://proxy.example?", "a host and at most a path"),
        ("https://proxy.example/#", "a host and at most a path"),
        ("https://@proxy.example", "a host and at most a path"),
        ("https://proxy.example/a/../b", "a host and at most a path"),
        ("https://proxy.example/%2e%2e/b", "a host and at most a path"),
        ("https://proxy.example\\@evil.example", "not an http(s) URL"),
        ("https://proxy.example\t", "not an http(s) URL"),
        ("http://127.1:8000", "not an http(s) URL"),
        ("https://prоxy.example", "not an http(s) URL"),  # a Cyrillic o
    ],
)
def test_base_urls_that_may_not(url: str, reason: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_base_url(url, "KONTEXT_FAL_BASE_URL")
    assert reason in refused.value.message
    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1",
        "http://172.31.0.1:8188",
        "http://192.168.178.20:8000/v1",
        "http://100.101.102.103",
        "http://169.254.7.7",
        "http://[fd00::1]:8188",
        "http://[fe80::1]",
        "http://gpu:8188",
        "http://GPU.local.",
        "http://gpu.corp.internal",
        "http://gpu.home.arpa",
    ],
)
def test_without_a_key_plain_http_is_allowed_on_a_local_network(url: str) -> None:
    assert check_base_url(url, "X", with_key=False) == url
    with pytest.raises(UsageError, match="sends the key over plain http"):
        check_base_url(url, "X")


@pytest.mark.parametrize(
    "url",
    [
        "http://proxy.example",
        "http://gpu.local.example",
        "http://8.8.8.8",
        "http://172.32.0.1",
        "http://[2606:4700::1]",
    ],
)
def test_and_nowhere_else(url: str) -> None:
    with pytest.raises(UsageError, match="on no local network"):
        check_base_url(url, "X", with_key=False)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("http://GPU:80/", "http://gpu"),
        ("https://gpu.example:443/v1/", "https://gpu.example/v1"),
        ("http://gpu.:8188", "http://gpu:8188"),
        ("HTTP://[FD00::1]:8188//", "http://[fd00::1]:8188"),
        ("http://gpu:8188/A", "http://gpu:8188/A"),
    ],
)
def test_base_urls_have_one_form(url: str, same: str) -> None:
    assert canonical(url) == same
    assert canonical(same) == same


def test_files_may_lie_where_the_provider_is() -> None:
    reach = Reach(["http://10.0.0.1:8188/api"])
    assert reach.may_download("http://10.0.0.1:8188/view?filename=a.png")
    assert reach.may_connect("10.0.0.1", 8188, ip_address("10.0.0.1"))
    for elsewhere in (
        "http://10.0.0.1:8189/a.png",
        "http://10.0.0.2:8188/a.png",
        "http://127.0.0.1:8188/a.png",
        "http://a@10.0.0.1:8188/a.png",
    ):
        assert not reach.may_download(elsewhere)
    assert not reach.may_connect("10.0.0.2", 8188, ip_address("10.0.0.2"))
    assert not reach.may_ask("https://10.0.0.2/a.png")


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
        ("http://localhost.:8000/a.jpg", False, True),
        ("http://[::1]:8000/a.jpg", False, True),
        ("http://localhost.evil.example/a.jpg", False, False),
        ("https://[2606:4700::1]/a.jpg", True, True),
        ("https://v3.fal.media:/a.jpg", True, True),
        ("https://xn--bcher-kva.example/a.jpg", True, True),
        ("https://under_score.example./a.jpg", True, True),
        ("https://bücher.example/a.jpg", False, False),
        ("https://user@v3.fal.media/a.jpg", False, False),
        ("https://@v3.fal.media/a.jpg", False, False),
        ("https://v3.fal.media\\@127.0.0.1/a.jpg", False, False),
        ("https://v3.fal.media/a\\b.jpg", False, False),
        ("https://[::1]v3.fal.media/a.jpg", False, False),
        ("https://[fe80::1%25eth0]/a.jpg", False, False),
        ("https://v3.fal.media:99999/a.jpg", False, False),
        ("https://v3.fal.media:-1/a.jpg", False, False),
        ("https://v3%2efal.media/a.jpg", False, False),
        ("https://.fal.media/a.jpg", False, False),
        ("https://v3..media/a.jpg", False, False),
        ("https://127.1/a.jpg", False, False),
        ("https://0x7f.1/a.jpg", False, False),
        ("https://0X7F000001/a.jpg", False, False),
        ("https://2130706433/a.jpg", False, False),
        ("https://0177.0.0.1/a.jpg", False, False),
        ("https://127.0.0.1./a.jpg", False, False),
        ("https://127.0.0.256/a.jpg", False, False),
        ("https://v3.fal.media/" + "a" * LONGEST, False, False),
    ],
)
def test_where_images_may_come_from(url: str, public: bool, from_loopback: bool) -> None:
    assert may_download(url, from_loopback=False) is public
    assert may_download(url, from_loopback=True) is from_loopback


BASE = "https://proxy.example/fal"
TRICKY = st.sampled_from("aZ019x.-_~:;@[]/\\?#%2eEfF|^é．\t ")


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE}/app/requests/r1/status?logs=1",
        f"{BASE}/",
        f"{BASE}//evil.example/",
        f"{BASE}/a..b/...",
        f"{BASE}/requests/a%2Fb%20c",
        f"{BASE}/x?next=https://evil.example/../..",
        "HTTPS://Proxy.Example:443/fal/status",
    ],
)
def test_urls_below_the_base(url: str) -> None:
    assert may_have_key(url, BASE)
    assert may_have_key(url, f"{BASE}/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        BASE,
        f"{BASE}?x",
        f"{BASE}x/status",
        "https://proxy.example/FAL/status",
        "https://proxy.example/other",
        "http://proxy.example/fal/status",
        "https://proxy.example:8443/fal/status",
        "https://proxy.example:444/fal/status",
        "https://evil.example/fal/status",
        "https://proxy.example.evil.example/fal/status",
        "https://proxy.example./fal/status",
        "https://user@proxy.example/fal/status",
        "https://proxy.example@evil.example/fal/status",
        "https://proxy.example:443@evil.example/fal/status",
        "https://@proxy.example/fal/status",
        "https://proxy.example\\.evil.example/fal/status",
        "https://evil.example\\@proxy.example/fal/status",
        "https://proxy.example\t/fal/status",
        "https://proxy.example/fal\n/status",
        " https://proxy.example/fal/status",
        "https://proxy.example/fal/ status",
        "https://proxy.example/\u200bfal/status",
        "//proxy.example/fal/status",
        "https:/proxy.example/fal/status",
        "https:proxy.example/fal/status",
        f"{BASE}/..",
        f"{BASE}/../admin",
        f"{BASE}/./../admin",
        f"{BASE}/a/../../admin",
        f"{BASE}/%2e%2e/admin",
        f"{BASE}/.%2E/admin",
        f"{BASE}/..%2fadmin",
        f"{BASE}/%2e%2e%2fadmin",
        f"{BASE}/%252e%252e/admin",
        f"{BASE}/%25252e%25252e%25252fadmin",
        f"{BASE}/%2525252525252525252e",
        f"{BASE}/..%5cadmin",
        f"{BASE}/..\\admin",
        f"{BASE}/..;/admin",
        f"{BASE}/%c0%ae%c0%ae/admin",
        f"{BASE}/..%00/admin",
        f"{BASE}/%0d%0aX-Header:1",
        f"{BASE}/．．/admin",
    ],
)
def test_urls_that_are_not_below_the_base(url: str) -> None:
    assert not may_have_key(url, BASE)


@given(st.text(TRICKY), st.sampled_from([BASE, "https://proxy.example", "http://127.0.0.1:8000"]))
@example("/../x", BASE)
@example("@evil.example/", "https://proxy.example")
@example(":80@evil.example/", "https://proxy.example")
def test_what_may_have_the_key_goes_to_the_base_for_the_client_too(rest: str, base: str) -> None:
    if may_have_key(base + rest, base):
        there, own = httpx2.URL(base + rest), httpx2.URL(base)
        assert (there.scheme, there.netloc, there.userinfo) == (own.scheme, own.netloc, b"")
        assert there.path.startswith(f"{own.path.rstrip('/')}/")


@given(st.text(TRICKY, max_size=40), st.text(TRICKY, max_size=40))
@example("127.0.0.1", "/")
@example("[::1]", ":8/")
@example("V3.Fal.Media", ":443/a?b")
@example("a_b.example.", "/é|^")
def test_the_client_reads_the_same_host_as_we_do(host: str, rest: str) -> None:
    url = f"https://{host}{rest}"
    if may_download(url, from_loopback=False):
        assert httpx2.URL(url).host == host_of(url)
        assert httpx2.URL(url).userinfo == b""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://CDN.example/a", ("https", "cdn.example", 443)),
        ("https://cdn.example:443/", ("https", "cdn.example", 443)),
        ("http://[::1]:8000", ("http", "::1", 8000)),
        ("ftp://cdn.example/", None),
        ("/a", None),
    ],
)
def test_origin(url: str, expected: tuple[str, str, int] | None) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://there.example/x?secret", "there.example"),
        ("//there.example/", "there.example"),
        ("/b.jpg", "cdn.example"),
        ("https://[::1", ""),
        ("https://user:secret@there.example/", "there.example"),
        ("data:image/png,x", ""),
    ],
)
def test_the_host_that_a_redirect_names(location: str, host: str) -> None:
    assert host_of(redirected("https://cdn.example/a.jpg", location)) == host


def test_what_is_printed_of_a_url() -> None:
    url = "https://user:password@cdn.example:8/a/b.jpg?signature=secret#x"
    assert without_query(url) == "https://cdn.example:8/a/b.jpg"


@given(st.text())
def test_any_text_is_taken_for_a_url(text: str) -> None:
    assert is_loopback(text) in (True, False)
    assert may_download(text, from_loopback=True) in (True, False)
    assert isinstance(without_query(text), str)
    assert isinstance(host_of(redirected("https://cdn.example/", text)), str)
