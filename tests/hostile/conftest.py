"""What the hostile tests share."""

from pathlib import Path
from typing import Any

import pytest

from hostile.canary import COUNTED, Search
from hostile.talk import Talk
from hostile.watched import Watched
from sandbox.running import Serve
from soaking import SOAK


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand over what was counted in a process of its own."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counted"] = dict(COUNTED)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add it up."""
    COUNTED.update(getattr(node, "workeroutput", {}).get("counted", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the figures of docs/explanation/reliability.md."""
    if SOAK and COUNTED:
        told = ", ".join(f"{count:,} {name}" for name, count in COUNTED.items())
        terminalreporter.write_line(f"canaries: {told}")


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
