"""fal's own Python client, with the sandbox in the place of fal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fal_client
import httpx
import pytest
from fal_client import SyncClient

from sandbox.running import Running


class Client(SyncClient):
    """The client, with a record of the queue's replies, and closed when the test ends."""

    def __init__(self, running: Running) -> None:
        super().__init__(key="secret")
        self.running = running
        self.replies: list[httpx.Response] = []
        self._client.event_hooks = {"response": [self.replies.append]}
        self._opened = [self._client]

    @property
    def last(self) -> tuple[int, Any]:
        """Code and body of the last reply."""
        return self.replies[-1].status_code, self.replies[-1].json()

    def close(self) -> None:
        """Close the connections, which the client itself leaves to chance."""
        for each in self._opened:
            each.close()

    def _get_cdn_client(self) -> httpx.Client:
        self._opened.append(super()._get_cdn_client())
        return self._opened[-1]


@contextmanager
def official(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The client of a sandbox; its URLs are changed, and it does not wait between its tries."""
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"{running.url}/fal/")
    monkeypatch.setattr(fal_client.client, "REST_URL", f"{running.url}/fal")
    monkeypatch.setattr(fal_client.client, "CDN_URL", running.url)
    monkeypatch.setattr(fal_client.client, "BASE_DELAY", 0)
    client = Client(running)
    yield client
    client.close()
