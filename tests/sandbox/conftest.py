"""Clients of a sandbox without options, for the tests that need no others."""

from collections.abc import Iterator

import pytest

from kontext_cli.sandbox import workshop
from sandbox.clients import Queue, fal
from sandbox.running import Running, StartSandbox


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def queue(running: Running) -> Iterator[Queue]:
    """A client of its fal."""
    with fal(running.url) as queue:
        yield queue


@pytest.fixture
def drawings(sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the sandbox draw landscapes, and edits in which the inputs are seen."""
    monkeypatch.setattr(workshop, "_SMALLEST_DRAWING", 256)
