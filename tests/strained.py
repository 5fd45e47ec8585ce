"""Batches under strain: whole processes, a sandbox behind them, and what has to hold at the end.

The sandbox's ledger is the oracle: no row is accepted twice without the user's word.
"""

import asyncio
import os
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any

from kontext_cli.files.saved import existing_file
from kontext_cli.job import Job, State
from world import PATIENCE, Ran, World

NAME = "strained"
"""What the batches of these tests are known by."""


class Clock:
    """A clock that stands still, and no job in the queue gets any further, until it is let go."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._goes = False

    def __call__(self) -> float:
        return time.monotonic() if self._goes else self._began

    def let_go(self) -> None:
        """Let the time pass, and have passed."""
        self._goes = True


class Gate:
    """Stands before an app and keeps the replies to POSTs back while it is shut."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._open = Event()
        self._open.set()
        self._changed = Condition()
        self._events: Counter[int | str] = Counter()

    def shut(self) -> None:
        """From now on, POSTs arrive and are not answered."""
        self._open.clear()

    def open(self) -> None:
        """Let out what was kept back, and all that comes."""
        self._open.set()

    def count(self, method: str) -> int:
        """How many requests of a method have arrived."""
        with self._changed:
            return self._events[method]

    def wait_for_arrival(self, method: str, count: int) -> bool:
        """Block until ``count`` requests of a method have arrived in all."""
        return self._wait_for(method, count)

    def wait_for_answer(self, status: int, count: int) -> bool:
        """Block until ``count`` POSTs in all were answered with that status."""
        return self._wait_for(status, count)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""

        async def held(message: Any) -> None:
            if message["type"] == "http.response.start":
                while not self._open.is_set():
                    await asyncio.to_thread(self._open.wait, PATIENCE)
                self._note(message["status"])
            await send(message)

        method = scope["method"]
        self._note(method)
        await self._app(scope, receive, held if method == "POST" else send)

    def _note(self, event: int | str) -> None:
        with self._changed:
            self._events[event] += 1
            self._changed.notify_all()

    def _wait_for(self, event: int | str, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._events[event] >= count, PATIENCE)


class Strained(World):
    """One batch, the processes that run it, and a gate before the providers."""

    shares_server = False
    usual: Sequence[str] = ("-d", "out", "--batch", NAME, "--json")
    """The options of each run of the batch."""

    def __init__(self, *surroundings: Any, rows: int | Sequence[str] = (), **options: Any) -> None:
        """``rows`` are prompts, or so many plain ones. ``options`` are those of the sandbox."""
        super().__init__(*surroundings, **options)
        self.operation = "generate"
        self.write_rows(
            [f"image {n}" for n in range(1, rows + 1)] if isinstance(rows, int) else rows
        )

    def serve(self, **options: Any) -> None:
        super().serve(**options)
        self.gate = Gate(self.app)
        self.answer(self.gate)

    def write_rows(self, prompts: Sequence[str], **values: Sequence[Any]) -> None:
        """Make these the rows of the batch; ``values`` are what they say of further keys."""
        self.rows = list(prompts)
        columns = {"prompt": self.rows, **values}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self.write("prompts.jsonl", rows)

    def argv(self, *argv: str) -> list[str]:
        """The command line of a run."""
        where = [] if "-p" in argv else ["-p", "fal"]
        return [self.operation, "-f", "prompts.jsonl", *self.usual, *where, *argv]

    def start_batch(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a run of the batch; ``options`` are those of `start`."""
        return self.start(*self.argv(*argv), **options)

    def run_batch(self, *argv: str, **options: Any) -> Ran:
        """A run of the batch to its end; with ``options``, in a process of its own."""
        return (self.process if options else self.run)(*self.argv(*argv), **options)

    def run_together(self, *runs: Sequence[str]) -> list[Ran]:
        """Several runs at once, each a process with its own arguments, to the end of all."""
        with ThreadPoolExecutor(len(runs)) as side_by_side:
            return list(side_by_side.map(lambda argv: self.process(*self.argv(*argv)), runs))

    def attempts(self) -> list[Job]:
        """The last job of each row, as the journal has it."""
        return list({job.row: job for job in self.kept(NAME)}.values())

    def states(self) -> Counter[State]:
        """How many rows are in which state; those without a job are ``planned``."""
        states = Counter(job.state for job in self.attempts())
        states[State.PLANNED] = len(self.rows) - (states.total() - states[State.PLANNED])
        return states

    def check_files(self) -> None:
        """See that nothing was accepted twice, that every image is whole and the one that its job
        made, and that nothing else is left."""
        self.check()
        saved = {job.files[0].path.name: job.files[0] for job in self.attempts() if job.files}
        strays = {path.name for path in self.out.iterdir()} ^ set(saved)
        assert strays == set(), strays
        for name, file in saved.items():
            assert existing_file(self.out / name).sha256 == file.sha256, name

    def check_ids_are_kept(self) -> None:
        """See that every job whose request id is in the journal was downloaded."""
        assert [job for job in self.attempts() if job.request_id and not job.files] == []


def wait_for_line(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Read standard error until a line has that text."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended without saying {text!r}")


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and wait until it is gone."""
    process.kill()
    process.communicate()


@contextmanager
def held_up(process: subprocess.Popen[bytes], pipe: Path) -> Iterator[None]:
    """Go on when a process has begun to read a named pipe; it waits there until the end."""

    def let_go() -> None:
        process.wait()
        with suppress(FileNotFoundError):
            os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))

    # without a reader, opening the pipe would wait for ever
    Thread(target=let_go, daemon=True).start()
    with pipe.open("wb"):
        assert process.poll() is None, "the process ended without reading the pipe"
        yield
        pipe.unlink()
