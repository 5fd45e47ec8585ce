"""Batches under strain: whole processes, a sandbox behind them, and what has to hold at the end.

The sandbox's ledger is the oracle: no row is accepted twice without the user's word.
"""

import asyncio
import json
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
from kontext_cli.journal import Journal
from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.ledger import Ledger
from kontext_cli.settings.paths import state_dir
from processes import RightHere, start
from sandbox.running import Serve
from soaking import soaked

PATIENCE = 30.0
"""Seconds after which something that must happen is taken for lost."""
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


class Strained:
    """One batch, the processes that run it, and the provider behind them."""

    def __init__(
        self,
        folder: Path,
        serve: Serve,
        rows: int | Sequence[str],
        right_here: RightHere | None = None,
        **options: Any,
    ) -> None:
        """``rows`` are prompts, or so many plain ones. ``options`` are those of `Sandbox`, which
        makes small pictures of one colour. With ``right_here``, runs that nothing happens to before
        they end are run within this process."""
        self._right_here = right_here
        emulated = Sandbox(**{"plain": True, **options})
        self.gate = Gate(emulated.app)
        self.ledger: Ledger = emulated.ledger
        self.folder = folder
        self.pictures = folder / "out"
        self.operation = "generate"
        url = serve(self.gate)
        self._environ = {
            "KONTEXT_FAL_BASE_URL": f"{url}/fal",
            "KONTEXT_AIMLAPI_BASE_URL": f"{url}/aimlapi",
            "FAL_KEY": "sandbox",
            "AIML_API_KEY": "sandbox",
        }
        self.write([f"picture {n}" for n in range(1, rows + 1)] if isinstance(rows, int) else rows)

    def write(self, prompts: Sequence[str], **values: Sequence[Any]) -> None:
        """Make these the rows of the batch; ``values`` are what they say of further keys."""
        self.prompts = list(prompts)
        columns = {"prompt": self.prompts, **values}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        (self.folder / "prompts.jsonl").write_text(text, encoding="utf-8")

    def argv(self, *argv: str) -> list[str]:
        """The command line of a run."""
        usual = [self.operation, "-f", "prompts.jsonl", "-d", "out", "--batch", NAME, "--json"]
        return [*usual, *([] if "-p" in argv else ["-p", "fal"]), *argv]

    def start(self, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
        """Begin a run, with pipes to read from unless told otherwise."""
        usual = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
        usual["stdin"] = subprocess.DEVNULL
        environ = {**self._environ, **options.pop("environ", {})}
        return start(*self.argv(*argv), cwd=self.folder, environ=environ, **(usual | options))

    def run(self, *argv: str) -> "Ended":
        """A run to its end."""
        if self._right_here is None:
            return self._run_apart(*argv)
        done = self._right_here(*self.argv(*argv), cwd=self.folder, environ=self._environ)
        return Ended(done.returncode, done.stdout, done.stderr)

    def _run_apart(self, *argv: str) -> "Ended":
        with killed_at_the_end(self.start(*argv)) as process:
            return Ended.of(process)

    def run_together(self, *runs: Sequence[str]) -> list["Ended"]:
        """Several runs at once, each with its own arguments, to the end of all."""
        with ThreadPoolExecutor(len(runs)) as side_by_side:
            return list(side_by_side.map(lambda argv: self._run_apart(*argv), runs))

    def accepted(self) -> int:
        """How many submits were accepted in all."""
        return int(self.ledger.record()["accepted"])

    def attempts(self) -> list[Job]:
        """The last job of each row, as the journal has it."""
        journal = Journal.read(state_dir(os.environ))
        if journal is None:
            return []
        with journal:
            return list({job.row: job for job in journal.of_batch(NAME)}.values())

    def states(self) -> Counter[State]:
        """How many rows are in which state; those without a job are ``planned``."""
        states = Counter(job.state for job in self.attempts())
        states[State.PLANNED] = len(self.prompts) - (states.total() - states[State.PLANNED])
        return states

    def check_paid_once(self, *, twice: Sequence[str] = ()) -> None:
        """See that no row was accepted more than once, but for those that were asked for again."""
        accepted = {prompt: self.ledger.accepted(prompt) for prompt in self.prompts}
        again = set(twice)
        over = {
            prompt: count for prompt, count in accepted.items() if count > 1 + (prompt in again)
        }
        assert over == {}, over
        assert sum(accepted.values()) == self.accepted()

    def check_files(self) -> None:
        """See that every picture is whole and the one that its job made, and nothing is left."""
        saved = {job.files[0].path.name: job.files[0] for job in self.attempts() if job.files}
        strays = {path.name for path in self.pictures.iterdir()} ^ set(saved)
        assert strays == set(), strays
        for name, file in saved.items():
            assert existing_file(self.pictures / name).sha256 == file.sha256, name

    def check_ids_are_kept(self) -> None:
        """See that whatever the journal knows the request id of was brought home."""
        assert [job for job in self.attempts() if job.request_id and not job.files] == []


class Ended:
    """A run that is over."""

    def __init__(self, code: int, out: bytes, err: bytes | None) -> None:
        self.code = code
        self.err = (err or b"").decode()
        self.lines: list[dict[str, Any]] = [json.loads(line) for line in out.splitlines()]
        assert "Traceback" not in self.err, self.err
        assert "bug in kontext" not in self.err, self.err

    @classmethod
    def of(cls, process: subprocess.Popen[bytes]) -> "Ended":
        """Wait for a process to end."""
        out, err = process.communicate(timeout=soaked(2, 40) * PATIENCE)
        return cls(process.returncode, out, err)

    @property
    def summary(self) -> dict[str, Any]:
        """The last line, whose counters add up."""
        summary = self.lines[-1]
        assert summary["type"] == "summary"
        assert summary["exit_code"] == self.code
        counters = {k: v for k, v in summary.items() if k in set(State) | {"skipped"}}
        assert sum(counters.values()) == summary["total"]
        return summary

    def states(self) -> dict[str, str]:
        """How each row ended, by its prompt."""
        jobs = [line for line in self.lines if line["type"] == "job"]
        return {job["request"]["prompt"]: job["state"] for job in jobs}

    def count(self, *kinds: str) -> int:
        """How many rows ended in these ways."""
        return sum(int(self.summary[kind]) for kind in kinds)


def wait_for_line(process: subprocess.Popen[bytes], text: bytes) -> None:
    """Read standard error until a line has that text."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the process ended without saying {text!r}")


@contextmanager
def killed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Leave no process behind, whatever a test found."""
    try:
        yield process
    finally:
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
