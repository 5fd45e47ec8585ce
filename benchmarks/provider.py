"""The benchmarks' provider in a process of its own."""

import http.client
import json
import ssl
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from measures import Failed
from record import Record

_SERVER = Path(__file__).with_name("server.py")


class Provider:
    """A server that starts with the context and ends with it. ``url`` has no closing slash.

    With a ``certificate`` it speaks https; ``delay`` is how long a round trip to it takes, in
    seconds.
    """

    def __init__(self, certificate: Path | None = None, delay: float = 0.0) -> None:
        self.certificate = certificate
        options = [f"--delay={delay}", *([f"--certificate={certificate}"] if certificate else [])]
        # In a session of its own Ctrl-C does not reach it; it ends when its standard input does.
        self._process = subprocess.Popen(
            [sys.executable, str(_SERVER), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        if not self.url:
            self._process.wait()
            raise SystemExit("error: the benchmarks' server did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    @property
    def queue_url(self) -> str:
        """Where fal's queue is."""
        return f"{self.url}/fal"

    def take_records(self) -> list[Record]:
        """The records of the jobs since the last time, in the order of their submits."""
        connection = self._connect()
        try:
            connection.request("DELETE", "/records")
            rows = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return [Record(**row) for row in rows]

    def _connect(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url).netloc
        if self.certificate is None:
            return http.client.HTTPConnection(address)
        tls = ssl.create_default_context(cafile=self.certificate)
        return http.client.HTTPSConnection(address, context=tls)


def certificate(folder: Path) -> Path:
    """A new certificate for this machine with its key, in one file. Raises Failed."""
    file = folder / "certificate.pem"
    try:
        made = subprocess.run(_CERTIFY, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Failed(f"openssl could not make a certificate: {error}") from None
    file.write_text(made.stdout, encoding="ascii")
    return file


_CERTIFY = (
    *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
    *("-noenc", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
    *("-keyout", "-", "-out", "-"),
)
