"""Every test alone: no keys, no proxies, a home of its own; and servers on loopback."""

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import Any

import pytest
from starlette.types import ASGIApp

from fronts import Front, fronts
from kontext_cli.sandbox import workshop
from kontext_cli.sandbox.app import Sandbox
from own_servers import NO_OPTIONS, Servers, Start
from postgres_server import PostgresServer, postgres_server
from processes import MACHINE, NO_DRAWINGS, RightHere, bare_environment, homes
from sandbox.running import Running, Serve, Server, StartSandbox
from world import Build, Doors, W, World, quick_folder

_numbers = count()


def pytest_configure() -> None:
    """Put the folders of tests where those of their processes are."""
    tempfile.tempdir = MACHINE.get("TMPDIR")


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a good part of the time, tests wait for what they run."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    """Look for no garbage among all that was imported: it takes a sixth of the time of a test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(autouse=True, scope="session")
def _bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Take all out of the environment that could change what a test sees."""
    before = dict(os.environ)
    for name in [each for each in before if not each.startswith("PYTEST_")]:
        del os.environ[name]
    os.environ |= bare_environment(tmp_path_factory.getbasetemp() / "home")
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # nohup has it ignored
    yield
    os.environ |= before


@pytest.fixture(autouse=True)
def _alone(
    _bare: None, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Give each test a home of its own, which is not there yet."""
    home = tmp_path_factory.getbasetemp() / f"home-{next(_numbers)}"
    for name, value in homes(home).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def right_here(capfdbinary: pytest.CaptureFixture[bytes]) -> RightHere:
    """Run the program within this process."""
    return RightHere(capfdbinary)


@pytest.fixture(scope="session")
def _doors() -> Iterator[Doors]:
    doors = Doors()
    yield doors
    doors.stop().join()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL server; a test that needs it is skipped where there is none."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def build(
    monkeypatch: pytest.MonkeyPatch, right_here: RightHere, _doors: Doors, _servers: list[Server]
) -> Iterator[Build]:
    """Make the world of a test, of any kind; in the end nothing was accepted twice."""
    worlds: list[World] = []

    def make(kind: type[W], *given: object, **options: object) -> W:
        doors = _doors if kind.shares_server else Doors()
        made = kind(top / str(len(worlds)), right_here, doors, *given, **options)
        monkeypatch.chdir(made.folder)
        worlds.append(made)
        return made

    with quick_folder() as top:
        yield make
        monkeypatch.undo()  # nobody stands in a folder that is removed
        for world in worlds:
            world.close()
            if not world.shares_server:
                _servers.append(world.doors.stop())
    for world in worlds:
        world.check()


@pytest.fixture
def world(build: Build) -> World:
    """A folder, keys, and a sandbox behind every provider."""
    return build(World)


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
def sandbox(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> StartSandbox:
    """Start a sandbox with any options of `Sandbox`; returns its URL and ledger."""
    monkeypatch.setattr(workshop, *NO_DRAWINGS)

    def start(**options: object) -> Running:
        emulated = Sandbox(**options)  # type: ignore[arg-type]
        return Running(url=serve(emulated.app), ledger=emulated.ledger)

    return start


@pytest.fixture
def servers(world: World, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a pool; nobody waits long for one of its servers."""
    monkeypatch.setattr("kontext_cli.batch.pool._FIRST_DELAY", 0.01)
    made: list[Front] = []
    with fronts() as loop:

        def start(
            *,
            wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
            first: Mapping[str, Any] = NO_OPTIONS,
            **options: Any,
        ) -> Servers:
            of_each = [{**options, **first}, options, options]
            sandboxes = [Sandbox(plain=True, **each) for each in of_each]
            places = [Front(serve(wrap(sandbox.app)), loop) for sandbox in sandboxes]
            made.extend(places)
            pool = Servers(world, places, [sandbox.ledger for sandbox in sandboxes])
            pool.use()
            return pool

        yield start
        for place in made:
            place.close()
