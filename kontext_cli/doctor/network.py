"""Checks of what requests go through: proxies and certificates. Nothing is sent."""

from collections.abc import Iterator, Mapping

from kontext_cli.doctor.finding import Finding
from kontext_cli.errors import UsageError
from kontext_cli.http.certificates import count_certificates
from kontext_cli.http.proxies import proxies
from kontext_cli.http.urls import without_query


def check_proxies() -> Iterator[Finding]:
    """Which requests go through which proxy; its user name and password are not shown.

    Raises UsageError for settings that cannot be used.
    """
    patterns = proxies()
    if not patterns:
        yield Finding("proxy", "none")
        return
    from kontext_cli.http.client import client  # most have no proxy, and need not import it

    client({})
    through = {scheme: url for scheme, url in patterns.items() if url}
    text = ", ".join(
        f"{scheme.rstrip(':/')} through {_shown(url)}" for scheme, url in through.items()
    )
    direct = [pattern.partition("://")[2] for pattern, url in patterns.items() if not url]
    yield Finding("proxy", text + (f"; not for {', '.join(direct)}" if direct else ""))


def check_certificates(environ: Mapping[str, str]) -> Iterator[Finding]:
    """The certificates that servers are checked against. Raises UsageError for unusable ones."""
    given = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if environ.get(name)]
    source = " and ".join(f"{name}={environ[name]}" for name in given) or "those of the system"
    count = count_certificates()
    if count == 0:
        yield Finding(
            "certificates",
            f"{source}: there is none, so that no https server can be reached",
            "problem",
            "install the package `ca-certificates`, or set SSL_CERT_FILE",
            UsageError.exit_code,
        )
        return
    if count is not None:
        source += f": {count:,} certificate{'' if count == 1 else 's'}"
    yield Finding("certificates", source)


def _shown(url: str) -> str:
    return without_query(url).removesuffix("/")
