"""Batches in a folder of their own, with a sandbox behind every provider.

The oracle is the sandbox's ledger: no prompt is accepted more often than a test says it may be.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.ledger import Entry, Ledger
from pictures import picture
from processes import RightHere
from sandbox.running import Server

KEY = "canary-key-0123456789"
KEYS = {"fal": "FAL_KEY", "aimlapi": "AIMLAPI_API_KEY", "chainhub": "CHAINHUB_API_KEY"}
COUNTERS = (
    "saved",
    "skipped",
    "failed",
    "moderated",
    "unknown",
    "ready",
    "running",
    "canceled",
    "expired",
    "planned",
)


class Doors:
    """One address for the sandboxes of all tests, each in its time; there links can die.

    Starting a server takes longer than running a batch.
    """

    def __init__(self) -> None:
        self.app: Any = None
        """Who answers now."""
        self.dead: frozenset[str] = frozenset()
        """The requests whose files are gone."""
        self._server = Server(self)
        self.url = self._server.url

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parts = scope["path"].split("/")
        if parts[1] == "files" and parts[2] in self.dead:
            await PlainTextResponse("gone", 404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def close(self) -> None:
        """Stop answering."""
        self._server.stop()
        self._server.join()


@dataclass(frozen=True)
class Ran:
    """What one run of the command line came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """The results: a path, or the id of a job, each."""
        return self.out.splitlines()

    @property
    def records(self) -> list[dict[str, Any]]:
        """What `--json` prints."""
        return [json.loads(line) for line in self.lines]

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The records of jobs, in the order of their rows."""
        jobs = [record for record in self.records if record["type"] == "job"]
        return sorted(jobs, key=lambda job: job["index"])

    @property
    def errors(self) -> list[dict[str, Any]]:
        """The records of errors that belong to no job."""
        return [record for record in self.records if record["type"] == "error"]

    @property
    def summary(self) -> dict[str, Any]:
        """The last record, which is that of the batch."""
        last = self.records[-1]
        assert last["type"] == "summary", last
        return last

    @property
    def counts(self) -> dict[str, int]:
        """The counters of the summary that are not zero, without the total."""
        return {name: self.summary[name] for name in COUNTERS if self.summary[name]}

    @property
    def reasons(self) -> list[str]:
        """Why each row was made, collected, skipped or left alone; in the order of the rows."""
        return [job["reason"] for job in self.jobs]

    @property
    def states(self) -> list[str]:
        """The state of each row that was told, in the order of the rows."""
        return [job["state"] for job in self.jobs]

    def paths(self, folder: Path) -> list[str]:
        """The files of all rows in their order, as they are called below ``folder``."""
        files = [file["path"] for job in self.jobs for file in job["files"]]
        return [Path(file).relative_to(folder).as_posix() for file in files]


@contextmanager
def quick_folder() -> Iterator[Path]:
    """An empty folder in memory where the system has such: every step of a job is synced, and on a
    disk that is most of the time these tests take."""
    memory = Path("/dev/shm")
    where = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    with TemporaryDirectory(dir=where, ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


class Desk:
    """A folder to work in; its state lies beside it.

    AIMLAPI makes the quickest batches, for nothing is polled there.
    """

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        doors: Doors,
        right_here: RightHere,
    ) -> None:
        self.folder = folder
        self.out = folder / "out"
        self._monkeypatch = monkeypatch
        self._doors = doors
        self._right_here = right_here
        self._ledgers: list[Ledger] = []
        self._may: dict[str, int] = {}
        self.state = folder.parent / "state"
        folder.mkdir()
        monkeypatch.chdir(folder)
        self.set(KONTEXT_STATE_DIR=str(self.state))
        self.serve()

    def serve(self, **options: Any) -> None:
        """Put a sandbox with these options behind every provider."""
        sandbox = Sandbox(plain=True, **options)
        self.app = self._doors.app = sandbox.app
        self._doors.dead = frozenset()
        self.ledger = sandbox.ledger
        self._ledgers.append(self.ledger)
        for name, variable in KEYS.items():
            self.set(**{f"KONTEXT_{name.upper()}_BASE_URL": f"{self._doors.url}/{name}"})
            self.set(**{variable: KEY})

    def stand_behind(self, wrap: Callable[[Any], Any]) -> None:
        """Put something between the sandbox and those who ask it."""
        self._doors.app = wrap(self._doors.app)

    def answer(self, app: Any = None) -> None:
        """Put an app of the test in the place of the sandbox; without one, the sandbox again."""
        self._doors.app = app or self.app

    def kill_links(self) -> None:
        """Let the links to all pictures die that were made so far."""
        self._doors.dead = frozenset(entry.request_id for entry in self.ledger.entries)

    def set(self, **environ: str) -> None:
        """Set variables of the environment."""
        for name, value in environ.items():
            self._monkeypatch.setenv(name, value)

    def without_keys(self, *names: str) -> None:
        """Forget the keys of these providers, of all where none is named."""
        for name in names or KEYS:
            self._monkeypatch.delenv(KEYS[name])

    def stand_in(self, folder: Path) -> None:
        """Make another folder the working folder."""
        self._monkeypatch.chdir(folder)

    def config(self, text: str) -> None:
        """Write `config.toml`."""
        folder = self.folder.parent / "config"
        folder.mkdir(exist_ok=True)
        (folder / "config.toml").write_text(text)
        self.set(KONTEXT_CONFIG_DIR=str(folder))

    def write(self, name: str, content: str | bytes | Iterable[Mapping[str, Any]]) -> Path:
        """Write a file: text, bytes, or objects as JSON Lines."""
        if not isinstance(content, str | bytes):
            content = "".join(f"{json.dumps(row)}\n" for row in content)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def prompts(self, *prompts: str, name: str = "prompts.txt") -> str:
        """Write a file with a prompt a line; its name."""
        self.write(name, "".join(f"{prompt}\n" for prompt in prompts))
        return name

    def images(self, *names: str) -> None:
        """Write small pictures, each another one."""
        for name in names:
            width = 40 + sum(map(ord, name)) % 60
            kind = "jpeg" if name.endswith((".jpg", ".jpeg", ".JPG")) else "png"
            self.write(name, picture(kind, (width, 40 + len(name))))

    def __call__(self, *argv: str, stdin: bytes = b"") -> Ran:
        """One run of the command line in this process."""
        return self._run(argv, stdin)

    def batch(self, file: str, *argv: str, stdin: bytes = b"") -> Ran:
        """`generate -f FILE -d out --json`, at AIMLAPI unless the arguments say otherwise."""
        where = () if "-p" in argv else ("-p", "aimlapi")
        return self._run(("generate", "-f", file, "-d", "out", "--json", *where, *argv), stdin)

    def files(self, folder: str = "out") -> list[str]:
        """All files below a folder."""
        top = self.folder / folder
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())

    @property
    def accepted(self) -> Counter[str]:
        """How often each prompt was accepted, by all sandboxes of the test."""
        return Counter(entry.prompt for entry in self._entries)

    @property
    def posts(self) -> int:
        """How many submits were sent to the present sandbox, refused ones included."""
        return sum(seen.method == "POST" for seen in self.ledger.requests)

    @property
    def _entries(self) -> list[Entry]:
        return [entry for ledger in self._ledgers for entry in ledger.entries]

    def may_be_accepted(self, times: int, *prompts: str) -> None:
        """Say that prompts may be accepted more than once."""
        for prompt in prompts:
            self._may[prompt] = times

    def check(self) -> None:
        """See that nothing was accepted more often than was said; with other images it is another
        wish."""
        wishes = Counter((entry.prompt, _images(entry)) for entry in self._entries)
        too_often = [
            (prompt, times)
            for (prompt, _), times in wishes.items()
            if times > self._may.get(prompt, 1)
        ]
        assert not too_often, f"accepted too often: {too_often}"

    def _run(self, argv: Sequence[str], stdin: bytes) -> Ran:
        done = self._right_here(*argv, cwd=Path.cwd(), stdin=stdin)
        ran = Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        _check_run(ran, as_json="--json" in argv)
        return ran


def _images(entry: Entry) -> str:
    return str([entry.payload.get(name) for name in ("image_url", "image_urls")])


def _check_run(ran: Ran, *, as_json: bool) -> None:
    """What holds for every run, however it ends."""
    assert KEY not in ran.out + ran.err, "the key was printed"
    assert "Traceback" not in ran.err, ran.err
    assert ran.code != 1, ran.err
    if not as_json:
        return
    assert all(record["schema"] == 1 for record in ran.records)
    kinds = [record["type"] for record in ran.records]
    if kinds[-1:] == ["error"]:
        assert ran.records[-1]["exit_code"] == ran.code, ran
    if "summary" not in kinds:
        return
    assert kinds.count("summary") == 1, kinds
    assert ran.summary["exit_code"] == ran.code, ran.summary
    assert sum(ran.summary[name] for name in COUNTERS) == ran.summary["total"], ran.summary
