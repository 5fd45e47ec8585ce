"""Ctrl-C while no event loop listens: exit 130 at any moment, no traceback, and nothing is sent."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hostile.tracing import with_site
from kontext_cli.commands.signals import run_until_signal
from processes import RightHere, kontext

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

Provider = Callable[[], tuple[Any, dict[str, str]]]


@pytest.fixture
def provider(sandbox: Callable[..., Any]) -> Provider:
    """Start a sandbox that answers at once."""

    def begin() -> tuple[Any, dict[str, str]]:
        server = sandbox(plain=True)
        url = f"{server.url}/aimlapi"
        return server.ledger, {"KONTEXT_AIMLAPI_BASE_URL": url, "AIML_API_KEY": "key"}

    return begin


@posix
def test_at_any_moment_before_the_work_and_after_it(tmp_path: Path, provider: Provider) -> None:
    ledger, environ = provider()
    environ |= {"INTERRUPTED": str(tmp_path), **with_site("interrupted")}
    done = kontext("generate", "x", "-p", "aimlapi", cwd=tmp_path, **environ)  # type: ignore[arg-type]
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "printed").read_text() == ""
    codes = Counter((tmp_path / "codes").read_text().split())
    assert codes.keys() == {"130"}, codes
    assert codes["130"] > 50
    assert ledger.record()["accepted"] == 1


@posix
@pytest.mark.parametrize(
    "argv", [("generate", "x"), ("generate", "-f", "rows.txt", "-d", "out")], ids=" ".join
)
def test_while_the_event_loop_is_made(
    tmp_path: Path,
    provider: Provider,
    right_here: RightHere,
    monkeypatch: pytest.MonkeyPatch,
    argv: tuple[str, ...],
) -> None:
    ledger, environ = provider()
    (tmp_path / "rows.txt").write_text("a\nb\n")
    run = asyncio.run

    def interrupted(work: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return run(work)

    with monkeypatch.context() as early:
        early.setattr(asyncio, "run", interrupted)
        done = right_here(*argv, "-p", "aimlapi", cwd=tmp_path, environ=environ)
    assert done.returncode == 130
    assert b"interrupted" in done.stderr
    assert ledger.record()["accepted"] == 0
    assert right_here(*argv, "-p", "aimlapi", cwd=tmp_path, environ=environ).returncode == 0


@posix
def test_a_loop_that_takes_no_signals_hears_them_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""

    def refuse(*_: object) -> None:
        raise NotImplementedError

    async def work() -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler", refuse)
    assert run_until_signal(work()) == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before
