"""Each place where a journal can be."""

from pathlib import Path

import pytest

from journals import Place
from postgres_server import PostgresServer, programs

_PLACES = ["sqlite", *(["postgresql"] if programs() else [])]


@pytest.fixture(params=_PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where there is no journal yet: a folder, and a database."""
    if request.param == "sqlite":
        return tmp_path / "state"
    return _database(request)


@pytest.fixture
def database(postgres: PostgresServer) -> str:
    """The URL of an empty database."""
    return postgres.url(postgres.new_database())


def _database(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue("database")
    return url
