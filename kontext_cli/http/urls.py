"""Which URLs may be requested: those below a provider's base, and the files it names.

URLs are parsed strictly: one that two parsers could read as different hosts is rejected.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from kontext_cli.errors import UsageError
from kontext_cli.http.addresses import is_private, literal

LONGEST = 16_384
"""Characters of a URL; a signed one has two or three thousand."""

_NETLOC = re.compile(
    r"([^@\[\]]*@)?"
    r"(?P<host>\[[0-9a-f:.]+\]|[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?(\.[0-9a-z_]([0-9a-z_-]*[0-9a-z_])?)*\.?)"
    r"(:[0-9]{0,5})?",
    re.ASCII | re.IGNORECASE,
)
_URL = re.compile(r"([a-z][a-z0-9+.-]+)://|(https?|data|file|ftp|blob):", re.IGNORECASE)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORTS = {"https": 443, "http": 80}
_LOCAL_NAMES = (".local", ".internal", ".home.arpa")
_MOST_ENCODINGS = 4

Origin = tuple[str, str, int]
"""Scheme, host in lower case, port."""


def is_url(text: str) -> bool:
    """Whether a text is a URL, of whatever kind, and not a path."""
    return _URL.match(text) is not None


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine: 127.0.0.0/8, ::1, localhost and below (RFC 6761)."""
    host = host_of(url).removesuffix(".")
    address = literal(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_on_local_network(url: str) -> bool:
    """Whether a URL names a private address, or a host that only a local network knows: a single
    label, or one below `.local` (RFC 6762), `.internal` (ICANN) or `.home.arpa` (RFC 8375)."""
    host = host_of(url).removesuffix(".")
    address = literal(host)
    if address is not None:
        return is_private(address)
    return bool(host) and ("." not in host or host.endswith(_LOCAL_NAMES))


def check_base_url(url: str, source: str, *, with_key: bool = True) -> str:
    """Accept another host for a provider; ``source`` names the setting it comes from.

    Raises UsageError unless it is https, or plain http on loopback, or also on a local network
    where no key is sent.
    """
    parts = _split(url)
    if parts is None or parts.scheme not in _PORTS:
        raise UsageError(f"{source} is not an http(s) URL")
    if "@" in parts.netloc or "?" in url or "#" in url or _climbs(parts.path):
        raise UsageError(f"{source} must be a host and at most a path")
    if parts.scheme == "https" or is_loopback(url):
        return url
    if with_key:
        raise UsageError(
            f"{source} sends the key over plain http to `{parts.hostname}`",
            hint="use https; plain http is allowed on loopback, and on a local network for a "
            "server of your own that is sent no key",
        )
    if not is_on_local_network(url):
        raise UsageError(
            f"{source} is plain http to `{parts.hostname}`, which is on no local network",
            hint="use https; plain http is allowed for private addresses, names without a dot, "
            f"and names that end in {', '.join(_LOCAL_NAMES)}",
        )
    return url


def canonical(url: str) -> str:
    """A valid base URL in the one form that all of its spellings have: scheme and host in lower
    case, no default port, no slash at the end."""
    parts = urlsplit(url)
    host = host_of(url).removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def may_have_key(url: str, base: str) -> bool:
    """Whether ``url`` lies below ``base``, however often a server decodes its path.

    The same scheme, host and port, no user part, and no segment that climbs out of the base's
    path; the key may go there. A host of ``*.example.com`` in the base stands for all below it.
    """
    parts, own = _split(url), _split(base.replace("://*.", "://"))
    if parts is None or own is None or "@" in parts.netloc:
        return False
    below = parts.path.startswith(f"{own.path.rstrip('/')}/")
    if "://*." in base and (host := parts.hostname or "").endswith(f".{own.hostname}"):
        own = own._replace(netloc=own.netloc.replace(own.hostname or "", host, 1))
    return below and _origin(parts) == _origin(own) and not _climbs(parts.path)


def may_download(url: str, *, from_loopback: bool, own: Collection[Origin] = ()) -> bool:
    """Whether an image may be downloaded from ``url``: https, loopback for a loopback provider, or
    one of the provider's ``own`` origins.

    Checks the form only; the addresses of a name are checked when it is resolved.
    """
    parts = _split(url)
    if parts is None or "@" in parts.netloc:
        return False
    on_loopback = parts.scheme == "http" and from_loopback and is_loopback(url)
    return parts.scheme == "https" or on_loopback or _origin(parts) in own


def origin(url: str) -> Origin | None:
    """Scheme, host and port of an http(s) URL, else None."""
    parts = _split(url)
    return _origin(parts) if parts else None


def host_of(url: str) -> str:
    """The host of a URL, in lower case and printable; empty for an invalid URL."""
    parts = _split(url)
    return (parts.hostname or "") if parts else ""


def redirected(url: str, location: str) -> str:
    """The target of a redirect from ``url``; empty if it is not valid."""
    try:
        return urljoin(url, location)
    except ValueError:
        return ""


def without_query(url: str) -> str:
    """Origin and path, fit to be printed: queries carry signatures, and a user part a password."""
    parts = _split(url)
    if parts is None:
        return "(not a URL)"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def unsigned(url: str) -> str:
    """A URL that was typed, sound or not, without what may sign it: no query, no fragment and no
    user part; of a data URL its kind alone."""
    scheme, slashes, rest = url.partition("://")
    if not slashes:
        return f"{url.partition(':')[0]}:…"
    return f"{scheme}://{re.split('[?#]', rest, maxsplit=1)[0].rpartition('@')[2]}"


def abridged(url: str) -> str:
    """``unsigned``, with a mark where something is missing; the mark makes it an invalid URL, so
    that pasting it requests nothing."""
    plain = unsigned(url)
    return plain if plain == url else f"{plain}?(left out)"


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, None for an invalid one."""
    return _parsed(url) if len(url) <= LONGEST else None


@lru_cache(maxsize=256)
def _parsed(url: str) -> SplitResult | None:
    """The parts of a URL that is short enough to be kept: each is checked several times."""
    # Of all white space, only the plain one is printable.
    if "\\" in url or " " in url or not url.isprintable():
        return None
    try:
        parts = urlsplit(url)
        if parts.port == 0:  # cannot be connected to, and some parsers read it as the default
            return None
    except ValueError:
        return None
    plain = _NETLOC.fullmatch(parts.netloc)
    return parts if plain and not _is_disguised(plain["host"]) else None


def _is_disguised(host: str) -> bool:
    """Whether the system would read an address where we see a name: `127.1`, `0x7f000001`.

    A host whose last label is a number is an address (WHATWG's URL standard) and has to be
    spelled like one.
    """
    if host.startswith("["):
        return literal(host[1:-1]) is None
    last = host.lower().removesuffix(".").rpartition(".")[2]
    return bool(_NUMBER.fullmatch(last)) and literal(host) is None


def _origin(parts: SplitResult) -> Origin | None:
    port = parts.port or _PORTS.get(parts.scheme)
    return (parts.scheme, parts.hostname or "", port) if port else None


def _climbs(path: str) -> bool:
    """Whether a server could read `..` in a path, or something that we cannot read."""
    for _ in range(_MOST_ENCODINGS):
        if any(part.partition(";")[0] in (".", "..") for part in re.split(r"[/\\]", path)):
            return True
        decoded = unquote(path)
        if decoded == path:
            return not (path.isascii() and path.isprintable())
        path = decoded
    return True
