"""A batch at three servers of one's own against one: servers that make one image at a time."""

import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from clients import PROGRAM, Ground
from measures import Failed, Series, in_turn, notes
from table import Row, Section, ms, ratio

_ROWS = 24
_SECONDS = 1.0
"""Of one image."""
_SERVERS = 3
_BASE = re.compile(r"KONTEXT_OPENAI_BASE_URL=(\S+)")


def measure(ground: Ground, rounds: int) -> Section:
    """The same rows at one server and at several, in turn. Raises Failed."""
    with ExitStack() as stack:
        urls = [stack.enter_context(_server()) for _ in range(_SERVERS)]
        series = in_turn(
            rounds,
            {
                "one": lambda _: _seconds(ground, urls[:1]),
                "several": lambda _: _seconds(ground, urls),
            },
        )
    one, several = (_median(series[name]) for name in ("one", "several"))
    row = Row(
        f"{_ROWS} images of {_SECONDS:g} s at {_SERVERS} servers: times as fast",
        ms(several),
        f"{ms(one)} at one server",
        ratio(one, several),
    )
    return Section([row], notes(series))


def _median(series: Series[float]) -> float | None:
    return series.median(lambda seconds: seconds)


def _seconds(ground: Ground, urls: Sequence[str]) -> float:
    """How long a batch takes at these servers, with one image at a time at each."""
    with ground.folder() as folder:
        prompts = folder / "prompts.txt"
        prompts.write_text("".join(f"image {number}\n" for number in range(_ROWS)))
        argv = (*PROGRAM, "generate", "-p", "openai", "-f", str(prompts), "-j", "1", "-d", "out")
        servers = {"KONTEXT_OPENAI_BASE_URL": ",".join(urls)}
        ran = ground.run(argv, folder, state=folder / "state", environ=servers)
        if (made := len(list((folder / "out").iterdir()))) != _ROWS:
            raise Failed(f"it made {made} images of {_ROWS}")
        return ran.wall


@contextmanager
def _server() -> Iterator[str]:
    """A sandbox in a process of its own; the base URL of its OpenAI-compatible server."""
    argv = (*PROGRAM, "sandbox", "--port", "0", "--plain", "--latency", str(_SECONDS), "--quiet")
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        found = _BASE.search(process.stdout.read())
        if found is None:
            raise Failed("the sandbox did not start")
        yield found[1]
    finally:
        process.terminate()
        process.wait()
