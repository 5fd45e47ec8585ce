"""The benchmarks' provider in a process of its own."""

import http.client
import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from record import Record

_SERVER = Path(__file__).with_name("server.py")


class Provider:
    """A server that starts with the context and ends with it. ``url`` has no closing slash."""

    def __init__(self) -> None:
        # In a session of its own Ctrl-C does not reach it; it ends when its standard input does.
        self._process = subprocess.Popen(
            [sys.executable, str(_SERVER)],
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
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc)
        try:
            connection.request("DELETE", "/records")
            rows = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return [Record(**row) for row in rows]
