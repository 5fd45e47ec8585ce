"""Which IP addresses are out in the public internet, whatever they are wrapped in.

From IANA's registries of special-purpose addresses, written out: what `ipaddress` calls global
differs between versions of Python.
"""

from functools import cache, lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address

_SPECIAL = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # shared by a carrier's customers (RFC 6598)
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local; clouds serve instance credentials there
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.0.2.0/24",  # documentation
    "192.88.99.0/24",  # relays of 6to4
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
    "224.0.0.0/3",  # multicast, reserved, broadcast
    "2001::/23",  # protocol assignments, Teredo among them
    "2001:db8::/32",  # documentation
    "3fff::/20",  # documentation
)
_PRIVATE = (
    "10.0.0.0/8",  # RFC 1918
    "100.64.0.0/10",  # RFC 6598; overlay networks give these out to the machines of one user
    "169.254.0.0/16",  # link-local
    "172.16.0.0/12",  # RFC 1918
    "192.168.0.0/16",  # RFC 1918
    "fc00::/7",  # unique local (RFC 4193)
    "fe80::/10",  # link-local
)
_UNICAST = "2000::/3"
"""All of IPv6 that was given out for public use; loopback, link-local and the rest lie outside."""
_NAT64 = "64:ff9b::/96"


@lru_cache(maxsize=256)
def is_public(address: Address) -> bool:
    """Whether this is a globally reachable address, neither private nor reserved."""
    inner = _embedded(address)
    if inner is not None:
        return is_public(inner)
    given_out = address.version == 4 or address in _network(_UNICAST)
    return given_out and not any(address in _network(each) for each in _SPECIAL)


def is_private(address: Address) -> bool:
    """Whether this is an address of a local network."""
    return any(address in _network(each) for each in _PRIVATE)


def is_this_machine(address: Address) -> bool:
    """Whether this is a loopback address, or one wrapped in an IPv6 address."""
    return (_embedded(address) or address).is_loopback


@lru_cache(maxsize=256)
def literal(host: str) -> Address | None:
    """The address that ``host`` spells out, None where it is a name; brackets are left out."""
    try:
        return ip_address(host)
    except ValueError:
        return None


@cache
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _embedded(address: Address) -> IPv4Address | None:
    """The IPv4 address in a mapped one (RFC 4291), one of 6to4 (3056) or of NAT64 (6052)."""
    if isinstance(address, IPv4Address):
        return None
    if address in _network(_NAT64):
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour
