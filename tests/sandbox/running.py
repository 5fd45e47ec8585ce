"""Apps on real sockets, and sandboxes that tests talk to."""

import socket
from dataclasses import dataclass
from threading import Thread
from typing import Any, Protocol

import uvicorn

from kontext_cli.sandbox.ledger import Ledger


@dataclass(frozen=True)
class Running:
    """A sandbox on a port of this machine."""

    url: str
    ledger: Ledger


class Serve(Protocol):
    """Puts an ASGI app on a port until the test ends."""

    def __call__(self, app: Any) -> str: ...


class StartSandbox(Protocol):
    """Starts a sandbox with the options of `Sandbox`."""

    def __call__(self, **options: Any) -> Running: ...


class Server:
    """One app behind uvicorn, in a thread of its own."""

    def __init__(self, app: Any) -> None:
        # Named as TCP in so many words, or asyncio leaves Nagle's algorithm on: 40 ms a request.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.bind(("127.0.0.1", 0))
        # It listens before the server runs: the kernel queues whoever connects too early.
        listener.listen()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        # No logging configuration: each new server would reset the level of all for a moment.
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="critical",
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = uvicorn.Server(config)
        self._thread = Thread(target=self._uvicorn.run, kwargs={"sockets": [listener]}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Tell it to close its sockets, without waiting."""
        self._uvicorn.should_exit = True

    def join(self) -> None:
        """Wait until it has."""
        self._thread.join(timeout=10)
