"""A proxy before a PostgreSQL server that ends connections, also just around a commit."""

import socket
from contextlib import suppress
from threading import Thread
from typing import Literal

Cut = Literal["before", "after"]


class CuttingProxy:
    """Passes connections on; ``cut`` ends one once, before the server has a commit or after it."""

    def __init__(self, port: int) -> None:
        self._server = port
        self.cut: Cut | None = None
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def cut_all(self) -> None:
        """End all connections there are."""
        for connection in [*self._connections]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._server))
                except OSError:  # it is away
                    client.close()
                    continue
                Thread(target=self._forward, args=(client, server), daemon=True).start()
                Thread(target=self._back, args=(server, client), daemon=True).start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        self._connections.add(client)
        with client, server, suppress(OSError):
            while data := client.recv(65536):
                cut = self.cut if b"COMMIT" in data else None
                if cut:
                    self.cut = None
                    client.shutdown(socket.SHUT_RDWR)
                if cut == "before":
                    server.shutdown(socket.SHUT_RDWR)
                    return
                server.sendall(data)
        self._connections.discard(client)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                client.sendall(data)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
