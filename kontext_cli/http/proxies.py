"""Which requests go through a proxy: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from urllib.request import getproxies

_SCHEMES = ("https", "http", "all")


def proxies() -> Mapping[str, str | None]:
    """The proxy for each pattern of URLs, in httpx2's notation; None for a direct connection.

    From the environment, or the settings of macOS and Windows. NO_PROXY is read like curl does;
    invalid entries are ignored.
    """
    found = getproxies()
    direct = [entry.strip() for entry in found.get("no", "").split(",")]
    if "*" in direct:
        return {}
    through = {f"{scheme}://": _url(found[scheme]) for scheme in _SCHEMES if found.get(scheme)}
    return {**through, **dict.fromkeys(_patterns(direct))} if through else {}


def _url(proxy: str) -> str:
    return proxy if "://" in proxy else f"http://{proxy}"


def _patterns(direct: list[str]) -> Iterator[str]:
    for entry in direct:
        pattern = _network(entry) or _name(entry.lower())
        if pattern:
            yield pattern


def _network(entry: str) -> str | None:
    """An address, or a network like `10.0.0.0/8`."""
    try:
        network = ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None
    address = str(network.network_address)
    host = f"[{address}]" if network.version == 6 else address
    return f"all://{host}/{network.prefixlen}" if "/" in entry else f"all://{host}"


def _name(entry: str) -> str | None:
    """`example.com` covers what is below it; `.example.com` and `*.example.com` that alone."""
    name, _, port = entry.removeprefix("all://").partition(":")
    labels = name.removeprefix("*").strip(".").split(".")
    plain = all(label.replace("-", "").replace("_", "").isalnum() for label in labels)
    if not (plain and name.isascii() and (port.isdecimal() or not port)):
        return None
    covers = name if name.startswith("*.") or name == "localhost" else f"*{name}"
    return f"all://{covers}:{port}" if port else f"all://{covers}"
