"""Which addresses are out in the public internet."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.http.addresses import is_public, is_this_machine, literal

NEARER = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
]


@pytest.mark.parametrize(
    "address",
    [
        *NEARER,
        "::",
        "::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:db8::1",
        "3fff::1",
        "5f00::1",
        "64:ff9b:1::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "::8.8.8.8",
    ],
)
def test_addresses_that_are_nearer_than_the_internet(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("inner", NEARER)
def test_wrapping_does_not_make_an_address_public(inner: str) -> None:
    assert not any(is_public(each) for each in wrapped(IPv4Address(inner)))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "223.255.255.255", "2606:4700::1"],
)
def test_addresses_in_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_a_network_with_nothing_but_ipv6_reaches_the_rest_through_nat64() -> None:
    assert is_public(IPv6Address("64:ff9b::8.8.8.8"))
    assert all(is_public(each) for each in wrapped(IPv4Address("8.8.8.8")))


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine(address: str) -> None:
    assert is_this_machine(ip_address(address))


@pytest.mark.parametrize("address", ["10.0.0.1", "::", "fe80::1", "::ffff:10.0.0.1", "8.8.8.8"])
def test_not_this_machine(address: str) -> None:
    assert not is_this_machine(ip_address(address))


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost", "", "[::1]", "1."])
def test_what_does_not_spell_out_an_address(host: str) -> None:
    assert literal(host) is None


@given(st.ip_addresses())
def test_no_address_is_public_that_the_standard_library_knows_better(
    address: IPv4Address | IPv6Address,
) -> None:
    known = (
        address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (address.is_private and address.version == 4)
    )
    assert not (known and is_public(address))


def wrapped(inner: IPv4Address) -> list[IPv6Address]:
    """An IPv4 address, as a mapped one, in 6to4 and in NAT64."""
    number = int(inner)
    return [
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x2002 << 112 | number << 80),
        IPv6Address(0x64FF9B << 96 | number),
    ]
