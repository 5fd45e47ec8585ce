"""Other programs that read a URL: what they take for its server, and for its path.

Each is written from its standard and shares no line with what it checks. They answer None for
what is no URL to them: such a program sends nothing.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote_to_bytes

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Read:
    """A URL as a program reads it: the host in lower case, the path in segments that it would ask
    for, dots resolved."""

    scheme: str
    host: str
    port: int | None
    userinfo: str
    path: tuple[str, ...]

    @property
    def server(self) -> tuple[str, str, int | None]:
        """Who is asked."""
        return self.scheme, self.host, self.port

    def is_below(self, base: "Read") -> bool:
        """Whether this is at the server of ``base``, and in the folder that it names."""
        folder = tuple(segment for segment in base.path if segment)
        return self.server == base.server and self.path[: len(folder)] == folder


Reader = Callable[[str], Read | None]

_UNRESERVED = r"A-Za-z0-9._~\-"
_ESCAPE = "%[0-9A-Fa-f]{2}"
_SEGMENT = rf"(?:[{_UNRESERVED}!$&'()*+,;=:@]|{_ESCAPE})*"
_GENERIC = re.compile(
    rf"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    rf"(?:(?P<userinfo>(?:[{_UNRESERVED}!$&'()*+,;=:]|{_ESCAPE})*)@)?"
    rf"(?P<host>\[[0-9A-Fa-f:.]+\]|(?:[{_UNRESERVED}!$&'()*+,;=]|{_ESCAPE})+)"
    rf"(?::(?P<port>[0-9]*))?"
    rf"(?P<path>(?:/{_SEGMENT})*)"
    rf"(?:\?(?:[{_UNRESERVED}!$&'()*+,;=:@/?]|{_ESCAPE})*)?"
    rf"(?:\#(?:[{_UNRESERVED}!$&'()*+,;=:@/?]|{_ESCAPE})*)?"
)


def strict(url: str) -> Read | None:
    """RFC 3986 to the letter: its grammar (appendix A), then 6.2.2: case, escapes, dot segments."""
    found = _GENERIC.fullmatch(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    port = int(found["port"]) if found["port"] else _PORTS.get(scheme)
    path = re.sub(_ESCAPE, _plain_unreserved, found["path"])
    return Read(
        scheme, found["host"].lower(), port, found["userinfo"] or "", _resolved(path.split("/")[1:])
    )


def _plain_unreserved(escape: re.Match[str]) -> str:
    char = chr(int(escape[0][1:], 16))
    return char if re.fullmatch(f"[{_UNRESERVED}]", char) else escape[0]


def browser(url: str) -> Read | None:
    """WHATWG's URL standard, which takes almost anything: tabs within, backslashes, `127.1`."""
    url = re.sub(r"[\t\n\r]", "", url.strip("".join(map(chr, range(33)))))
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", url)
    if found is None or (scheme := found[1].lower()) not in _PORTS:
        return None
    rest = url[found.end() :].lstrip("/\\")
    authority, path = re.fullmatch(r"([^/\\?#]*)([^?#]*).*", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    userinfo, _, place = authority.rpartition("@")
    located = re.fullmatch(r"(\[[^\]]*\]|[^:\[\]]+)(?::([0-9]*))?", place)
    host = _browser_host(located[1]) if located else None
    port = int(located[2]) if located and located[2] else _PORTS[scheme]
    if host is None or port > 65535:
        return None
    segments = re.split(r"[/\\]", path)[1:]
    return Read(scheme, host, port, userinfo, _resolved([_undotted(each) for each in segments]))


_FORBIDDEN = frozenset("\0\t\n\r #/:<>?@[\\]^|%\x7f") | set(map(chr, range(32)))


def _browser_host(host: str) -> str | None:
    if host.startswith("["):
        try:
            return f"[{_in_hexadecimal(IPv6Address(host[1:-1]))}]" if "%" not in host else None
        except ValueError:
            return None
    try:
        host = unquote_to_bytes(host.encode("utf-8", "replace")).decode("utf-8", "replace")
        host = host.encode("idna").decode().lower() if not host.isascii() else host.lower()
    except UnicodeError:
        return None
    if not host or _FORBIDDEN & set(host):
        return None
    return _browser_number(host)


def _browser_number(host: str) -> str | None:
    """A host that ends in a number is an IPv4 address in any of the spellings of old."""
    parts = host.removesuffix(".").split(".")
    if not re.fullmatch(r"[0-9]+|0x[0-9a-f]*", parts[-1]):
        return host
    try:
        numbers = [_old_number(part) for part in parts]
    except ValueError:
        return None
    *heads, last = numbers
    if len(numbers) > 4 or any(head > 255 for head in heads) or last >= 256 ** (5 - len(numbers)):
        return None
    for place, head in enumerate(heads):
        last += head << 8 * (3 - place)
    return str(IPv4Address(last))


def _old_number(text: str) -> int:
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    if text.startswith("0") and len(text) > 1:
        return int(text, 8)
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(text)
    return int(text)


def _undotted(segment: str) -> str:
    """A dot that is written as an escape is one all the same."""
    dots = re.sub("%2e", ".", segment, flags=re.IGNORECASE)
    return dots if dots in (".", "..") else segment


def _resolved(segments: list[str]) -> tuple[str, ...]:
    done: list[str] = []
    for segment in segments:
        if segment == "..":
            del done[-1:]
        elif segment != ".":
            done.append(segment)
    return tuple(done)


def careless_server(url: str) -> Read | None:
    """A server behind the client that decodes paths again and again, and knows backslashes."""
    read = browser(url)
    if read is None:
        return None
    path = re.sub(r"^[^:]+:[/\\]*[^/\\?#]*", "", url.partition("?")[0].partition("#")[0])
    while (decoded := unquote_to_bytes(path).decode("utf-8", "replace")) != path:
        path = decoded
    segments = [each.partition(";")[0] for each in re.split(r"[/\\]", path)[1:]]
    return Read(read.scheme, read.host, read.port, read.userinfo, _resolved(segments))


READERS: tuple[Reader, ...] = (strict, browser, careless_server)


def _in_hexadecimal(address: IPv6Address) -> str:
    """An address as browsers write it; from 3.13, Python writes the end of some in decimals."""
    embedded = address.ipv4_mapped
    if embedded is None:
        return str(address)
    high, low = divmod(int(embedded), 2**16)
    return f"::ffff:{high:x}:{low:x}"
