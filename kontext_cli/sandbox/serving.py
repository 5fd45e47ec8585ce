"""The sandbox on a port of this machine: a socket, a server, and request logging."""

import errno
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kontext_cli.errors import UsageError
from kontext_cli.http.addresses import literal

_GRACE_SECONDS = 1
_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
]


@dataclass(frozen=True, slots=True)
class Answered:
    """One request and how it was answered; without a status it was cut off before it was."""

    method: str
    path: str
    status: int | None
    seconds: float


def watched(app: ASGIApp, log: Callable[[Answered], None]) -> ASGIApp:
    """The app, with each of its requests logged when its reply begins."""

    async def serve_one(scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        statuses: list[int] = []

        def log_request(status: int | None) -> None:
            seconds = time.perf_counter() - began
            log(Answered(scope["method"], scope["path"], status, seconds))

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                log_request(message["status"])
            await send(message)

        try:
            await app(scope, receive, sending)
        finally:
            if not statuses:
                log_request(None)

    return serve_one


def loopback(host: str) -> str:
    """The address that a host stands for. Raises UsageError unless it is this machine's own."""
    if host == "localhost" or host.endswith(".localhost"):
        return "127.0.0.1"
    address = literal(host.removeprefix("[").removesuffix("]"))
    if address is None or not address.is_loopback:
        raise UsageError(
            f"the sandbox serves this machine only, and `{host}` is not a loopback address",
            hint="leave --host out, or give 127.0.0.1, ::1 or localhost",
        )
    return str(address)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on a loopback address. Raises UsageError where it cannot."""
    address = loopback(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = None
    try:
        # explicitly TCP, or asyncio leaves Nagle's algorithm on: 40 ms a request
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        _let_nobody_share(listener)
        listener.bind((address, port))
        listener.listen()
    except OSError as error:
        if listener is not None:
            listener.close()
        raise _cannot_listen(error, address, port) from error
    return listener


def url_of(listener: socket.socket) -> str:
    """Scheme, host and port of a socket that listens, without a closing slash."""
    address, port = listener.getsockname()[:2]
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def serve(app: ASGIApp, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Answer requests until Ctrl-C or SIGTERM; `ready` is called once both are handled."""
    config = uvicorn.Config(
        app,
        http="h11",
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)

    def stop(*_: object) -> None:
        server.should_exit = True

    # uvicorn takes over while it runs, and raises once more at its end what it has caught
    for number in _ENDING:
        signal.signal(number, stop)
    ready()
    server.run(sockets=[listener])


def _let_nobody_share(listener: socket.socket) -> None:
    if sys.platform == "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:  # there it only lets a port be taken again at once
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def _cannot_listen(error: OSError, address: str, port: int) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(
            f"port {port} is in use", hint="take another with --port, or --port 0 for any free one"
        )
    reason = (error.strerror or str(error)).lower()
    return UsageError(
        f"the sandbox cannot listen on `{address}`, port {port}: {reason}",
        hint="take another --port, or leave --host out",
    )
