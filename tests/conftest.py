"""Every test alone: no keys, no proxies, a home of its own; and servers on loopback."""

import gc
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from kontext_cli.sandbox.app import Sandbox
from processes import RightHere
from sandbox.running import Running, Serve, Server, StartSandbox

_TELLING = re.compile(
    r".*_(KEY|KEY_ID|KEY_SECRET|TOKEN)|(KONTEXT|FAL|AIMLAPI|XDG)_.*|(.*_)?PROXY"
    r"|SSL_CERT_(FILE|DIR)|FORCE_COLOR|GITHUB_ACTIONS",
    re.IGNORECASE,
)
"""Variables by which the machine under a test could change what it sees."""

_HOMES = {
    "HOME": "home",
    "USERPROFILE": "home",
    "XDG_CONFIG_HOME": "home/.config",
    "XDG_CACHE_HOME": "home/.cache",
    "XDG_DATA_HOME": "home/.local/share",
    "XDG_STATE_HOME": "home/.local/state",
    "XDG_RUNTIME_DIR": "home/.run",
}


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a good part of the time, tests wait for what they run."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Look for no garbage among all that was imported: it takes a sixth of the time of a test."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in filter(_TELLING.fullmatch, list(os.environ)):
        monkeypatch.delenv(name)
    for name, folder in _HOMES.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def right_here(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> RightHere:
    """Run the program within this process."""
    return RightHere(monkeypatch, capfdbinary)


@pytest.fixture(scope="session")
def _servers() -> Iterator[list[Server]]:
    servers: list[Server] = []
    yield servers
    for server in servers:
        server.join()


@pytest.fixture
def serve(_servers: list[Server]) -> Iterator[Serve]:
    """Put an ASGI app on a port of this machine until the test ends; returns its base URL."""
    mine: list[Server] = []

    def start(app: object) -> str:
        mine.append(Server(app))
        return mine[-1].url

    yield start
    # told now, joined when all tests are done: closing takes uvicorn a fifth of a second
    for server in mine:
        server.stop()
    _servers.extend(mine)


@pytest.fixture
def sandbox(serve: Serve) -> StartSandbox:
    """Start a sandbox with any options of `Sandbox`; returns its URL and ledger."""

    def start(**options: object) -> Running:
        emulated = Sandbox(**options)  # type: ignore[arg-type]
        return Running(url=serve(emulated.app), ledger=emulated.ledger)

    return start
