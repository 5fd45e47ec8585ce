"""Ctrl-C while no event loop listens: exit 130 at any moment, no traceback, and nothing is sent."""

import asyncio
import signal
import sys
from collections import Counter
from typing import Any

import pytest

from hostile.tracing import with_site
from kontext_cli.commands.signals import run_until_signal
from world import Ran, World

posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@posix
def test_at_any_moment_before_the_work_and_after_it(world: World) -> None:
    environ = {"INTERRUPTED": str(world.top), **with_site("interrupted")}
    done = Ran.of(world.start("generate", "x", "-p", "aimlapi", environ=environ))
    assert done.code == 0, done.err
    assert (world.top / "printed").read_text() == ""
    codes = Counter((world.top / "codes").read_text().split())
    assert codes.keys() == {"130"}, codes
    assert codes["130"] > 50
    assert world.accepted.total() == 1


@posix
@pytest.mark.parametrize(
    "argv", [("generate", "x"), ("generate", "-f", "rows.txt", "-d", "out")], ids=" ".join
)
def test_while_the_event_loop_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    world.prompts("a", "b", name="rows.txt")
    run = asyncio.run

    def interrupted(work: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return run(work)

    with monkeypatch.context() as early:
        early.setattr(asyncio, "run", interrupted)
        done = world.run(*argv, "-p", "aimlapi")
    assert done.code == 130
    assert "interrupted" in done.err
    assert world.accepted.total() == 0
    assert world.run(*argv, "-p", "aimlapi").code == 0


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
    assert run_until_signal(work) == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) is before
