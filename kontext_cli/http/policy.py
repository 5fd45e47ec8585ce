"""Which requests are allowed: with the key below a provider's bases, files at public addresses."""

from collections.abc import Sequence

from kontext_cli.http.addresses import Address, is_public, is_this_machine, literal
from kontext_cli.http.urls import host_of, is_loopback, may_download, may_have_key, origin


class Reach:
    """The URLs and addresses allowed for one provider; ``key_bases`` are the URLs below which its
    key may be sent, its own base first."""

    def __init__(self, key_bases: Sequence[str]) -> None:
        self.on_loopback = is_loopback(key_bases[0])
        """Whether the provider runs on this machine, so that its files may be there too."""
        self._key_bases = tuple(key_bases)
        self._own = {own for own in map(origin, key_bases) if own}

    def may_have_key(self, url: str) -> bool:
        """Whether the key may be sent to a URL."""
        return any(may_have_key(url, base) for base in self._key_bases)

    def may_download(self, url: str) -> bool:
        """Whether the form of a URL allows a download."""
        return may_download(url, from_loopback=self.on_loopback, own=self._own)

    def may_ask(self, url: str) -> bool:
        """Whether a URL names no forbidden IP address: behind a proxy, we make no connection of
        our own to check. Host names are checked when they are resolved."""
        named, address = origin(url), literal(host_of(url))
        if named is None:
            return True
        _, host, port = named
        if address is None:
            return self.on_loopback or not is_loopback(url)
        return self.may_connect(host, port, address)

    def may_connect(self, host: str, port: int, address: Address) -> bool:
        """Whether a download may connect to an address: a public one, loopback for a loopback
        provider, or the provider's own base."""
        on_this_machine = self.on_loopback and is_this_machine(address)
        is_own = any((host, port) == own[1:] for own in self._own)
        return is_public(address) or on_this_machine or is_own
