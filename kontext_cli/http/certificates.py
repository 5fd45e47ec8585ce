"""The TLS context, with the certificates of the system: loaded once, ahead of its use."""

import os
import ssl
from contextlib import suppress
from functools import lru_cache
from threading import Lock, Thread

import httpx2

from kontext_cli.errors import UsageError

_LOADING = Lock()


def tls_context() -> ssl.SSLContext:
    """The system's certificates, or those that SSL_CERT_FILE or SSL_CERT_DIR name.

    Raises UsageError where they cannot be loaded.
    """
    try:
        with _LOADING:
            return _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))
    except OSError as error:
        raise UsageError(
            f"the certificates cannot be loaded: {error.strerror or error}",
            hint="check SSL_CERT_FILE and SSL_CERT_DIR",
        ) from None


def load_certificates() -> None:
    """Begin to build the TLS context, in a thread; `tls_context` waits for it."""

    def load() -> None:
        with suppress(UsageError):  # raised again by who needs it
            tls_context()

    Thread(target=load, daemon=True).start()


@lru_cache(maxsize=1)
def _tls_context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Built once: reading the certificates takes 19 ms."""
    context = httpx2.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
