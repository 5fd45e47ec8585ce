"""Which URLs we go to: a provider's base, and the files it names."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from kontext_cli.errors import UsageError


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine: 127.0.0.0/8, ::1, localhost and below (RFC 6761)."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(url: str, source: str) -> str:
    """Accept another host for a provider; ``source`` names the setting it comes from.

    Raises UsageError unless it is https, or plain http on loopback: the key goes there.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
        raise UsageError(f"{source} is not an http(s) URL")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(f"{source} must be a host and at most a path")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(
            f"{source} sends the key over plain http to `{parts.hostname}`",
            hint="use https; plain http goes to loopback addresses alone",
        )
    return url


def may_download(url: str, *, from_loopback: bool) -> bool:
    """Whether a picture may be fetched from ``url``: https, or loopback for a loopback provider."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and from_loopback and is_loopback(url)
    )


def without_query(url: str) -> str:
    """Origin and path, fit to be printed: queries carry signatures, and a user part a password."""
    parts = _split(url)
    if parts is None:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return None if any(c.isspace() or not c.isprintable() for c in url) else parts
