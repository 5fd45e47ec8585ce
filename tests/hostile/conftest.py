"""What the hostile tests share."""

from pathlib import Path

import pytest

from hostile.canary import Search
from hostile.talk import Talk
from hostile.watched import Watched
from sandbox.running import Serve


@pytest.fixture
def watched(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    serve: Serve,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Watched:
    """A place to run the program in, searched for keys after each run."""
    return Watched(tmp_path, monkeypatch, serve, capfdbinary, Search())


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Serve) -> Talk:
    """A provider with a foul mouth."""
    return Talk(tmp_path, monkeypatch, serve)
