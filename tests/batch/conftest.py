"""A place to run batches in, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from batches import Desk, Doors, quick_folder
from processes import RightHere


@pytest.fixture(scope="session")
def _doors() -> Iterator[Doors]:
    doors = Doors()
    yield doors
    doors.close()


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch, right_here: RightHere, _doors: Doors) -> Iterator[Desk]:
    """A folder with a sandbox behind every provider; nothing was accepted twice in the end."""
    with quick_folder() as folder:
        desk = Desk(folder / "here", monkeypatch, _doors, right_here)
        yield desk
        monkeypatch.undo()  # nobody stands in a folder that is removed
        desk.check()
