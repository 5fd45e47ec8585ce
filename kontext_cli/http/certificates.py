"""The TLS context, with the certificates of the system: loaded once, ahead of its use."""

import os
import ssl
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from threading import Lock, Thread

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
        raise _not_loaded(error) from None


def load_certificates() -> None:
    """Begin to build the TLS context, in a thread; `tls_context` waits for it."""

    def load() -> None:
        with suppress(UsageError):  # raised again by who needs it
            tls_context()

    Thread(target=load, daemon=True).start()


@lru_cache(maxsize=1)
def _tls_context(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Built once: reading the certificates takes 19 ms."""
    import httpx2

    context = httpx2.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def count_certificates() -> int | None:
    """How many authorities are trusted; None where that is only known when a server is checked: the
    system does it, or OpenSSL reads them from a folder, one by one.

    Raises UsageError where they cannot be loaded.
    """
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if not (file or folder) and sys.platform in ("darwin", "win32"):
        return None
    try:  # as httpx2 does, which takes longer to import than this
        context = ssl.create_default_context(cafile=file, capath=None if file else folder)
    except OSError as error:
        raise _not_loaded(error) from None
    count = context.cert_store_stats()["x509_ca"] or tls_context().cert_store_stats()["x509_ca"]
    folder = folder or ssl.get_default_verify_paths().capath
    return None if not count and folder and any(Path(folder).iterdir()) else count


def _not_loaded(error: OSError) -> UsageError:
    return UsageError(
        f"the certificates cannot be loaded: {error.strerror or error}",
        hint="check SSL_CERT_FILE and SSL_CERT_DIR",
    )
