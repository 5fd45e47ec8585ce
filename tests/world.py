"""A world for one test: folders, keys, a sandbox behind every provider, and the program in it.

Commands are run in this process (`World.run`) or in one of their own (`World.start`). The oracle is
the sandbox's ledger: no prompt is accepted more often than the test allows.
"""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from starlette.responses import PlainTextResponse

from forking import begin
from kontext_cli.job import Job
from kontext_cli.journal import Journal
from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.ledger import Entry, Ledger
from kontext_cli.settings.paths import journal_location
from kontext_cli.terminal.records import as_line, job_record
from processes import RightHere, environment
from samples import image_file
from sandbox.running import Server
from soaking import soaked

KEY = "canary-key-0123456789"
KEYS = {
    "fal": "FAL_KEY",
    "aimlapi": "AIMLAPI_API_KEY",
    "chainhub": "CHAINHUB_API_KEY",
    "bfl": "BFL_API_KEY",
    "replicate": "REPLICATE_API_TOKEN",
    "together": "TOGETHER_API_KEY",
    "huggingface": "HF_TOKEN",
    "openai": "KONTEXT_OPENAI_API_KEY",
}
"""The variable with the key of each provider: a new provider is a row here."""
KEYLESS = ("comfyui",)
"""The providers without a key that have a URL."""
COUNTERS = (
    *("saved", "skipped", "failed", "moderated", "unknown"),
    *("ready", "running", "canceled", "expired", "planned"),
)
OF_PYTHON = ("Traceback", "bug in kontext", "Warning", "Exception ignored")
"""What no run prints, whatever went wrong."""
PATIENCE = 30.0
"""Seconds after which something that must happen is taken for lost."""
UNCHANGED: Mapping[str, str | None] = MappingProxyType({})


class Ran(NamedTuple):
    """A run of the program that has ended."""

    code: int
    out: bytes
    err: str

    @classmethod
    def of(cls, process: subprocess.Popen[bytes]) -> "Ran":
        """Wait for a process to end."""
        out, err = process.communicate(timeout=soaked(2, 40) * PATIENCE)
        return cls(process.returncode, out or b"", (err or b"").decode(errors="replace"))

    @property
    def lines(self) -> list[str]:
        """The results: a path, or the id of a job, each."""
        return self.out.decode().splitlines()

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
        summary = self.summary
        return {name: summary[name] for name in COUNTERS if summary[name]}

    def count(self, *counters: str) -> int:
        """The sum of these counters of the summary."""
        return sum(self.counts.get(name, 0) for name in counters)

    @property
    def reasons(self) -> list[str]:
        """Why each row was run, collected, skipped or left alone; in the order of the rows."""
        return [job["reason"] for job in self.jobs]

    @property
    def states(self) -> list[str]:
        """The state of each row that was reported, in the order of the rows."""
        return [job["state"] for job in self.jobs]

    @property
    def state_of(self) -> dict[str, str]:
        """The state of each row that was reported, by its prompt."""
        return {job["request"]["prompt"]: job["state"] for job in self.jobs}

    def paths(self, folder: Path) -> list[str]:
        """The files of all rows in their order, relative to ``folder``."""
        files = [file["path"] for job in self.jobs for file in job["files"]]
        return [Path(file).relative_to(folder).as_posix() for file in files]

    def check(self) -> "Ran":
        """See what holds for every run, however it ends; the run."""
        assert KEY not in self.out.decode(errors="replace") + self.err, "the key was printed"
        assert [words for words in OF_PYTHON if words in self.err] == [], self.err
        assert self.code != 1, self.err
        if self.out.startswith(b'{"schema"'):
            self._check_records()
        return self

    def _check_records(self) -> None:
        assert all(record["schema"] == 1 for record in self.records)
        kinds = [record["type"] for record in self.records]
        if kinds[-1] == "error":
            assert self.records[-1]["exit_code"] == self.code, self
        if "summary" in kinds:
            assert kinds.count("summary") == 1, kinds
            assert self.summary["exit_code"] == self.code, self.summary
            assert sum(self.counts.values()) == self.summary["total"], self.summary


class Doors:
    """One server for the sandboxes of all tests, each in its turn, where links can die.

    Starting a server takes longer than running a batch.
    """

    def __init__(self) -> None:
        self.app: Any = None
        """The app that answers now."""
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

    def stop(self) -> Server:
        """Stop answering; the server, which takes a moment to close and can be joined then."""
        self._server.stop()
        return self._server


@contextmanager
def quick_folder() -> Iterator[Path]:
    """An empty folder with a short name, until the end."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


class World:
    """A folder to work in, with the state and the settings beside it, and every provider emulated.

    AIMLAPI makes the quickest runs, for nothing is polled there. Without ``right_here``, all runs
    are processes.
    """

    shares_server = True
    """Whether it is served by the server of all tests; False where requests outlive processes."""

    def __init__(
        self, top: Path, right_here: RightHere | None, doors: Doors, **options: Any
    ) -> None:
        """``options`` are those of the sandbox."""
        self.top = top
        self.folder = top / "here"
        self.cwd = self.folder
        self.out = self.folder / "out"
        self.state = top / "state"
        self.config = top / "config"
        self.home = Path(os.environ["HOME"])
        self.through: Sequence[str] = ()
        """What is put before the command of each process."""
        self.environ: dict[str, str | None] = {
            "KONTEXT_STATE_DIR": str(self.state),
            "KONTEXT_CONFIG_DIR": str(self.config),
            **dict.fromkeys(KEYS.values(), KEY),
        }
        """What runs have in their environment beyond what the test has; None: not set."""
        self.doors = doors
        self._right_here = right_here
        self._ledgers: list[Ledger] = []
        self._may: dict[str, int] = {}
        self._processes: list[subprocess.Popen[bytes]] = []
        for folder in (self.folder, self.home):
            folder.mkdir(parents=True, exist_ok=True)
        self.serve(**options)

    # The providers

    def serve(self, **options: Any) -> None:
        """Put a new sandbox with these options behind every provider."""
        sandbox = Sandbox(**{"plain": True, **options})
        self.app = self.doors.app = sandbox.app
        self.doors.dead = frozenset()
        self.ledger = sandbox.ledger
        self._ledgers.append(self.ledger)
        self.move(self.doors.url)

    def move(self, url: str) -> None:
        """Have the providers at another URL."""
        self.url = url
        names = (*KEYS, *KEYLESS)
        self.set(**{f"KONTEXT_{name.upper()}_BASE_URL": f"{url}/{name}" for name in names})

    def stand_behind(self, wrap: Callable[[Any], Any]) -> None:
        """Put an app between the sandbox and its clients."""
        self.doors.app = wrap(self.doors.app)

    def answer(self, app: Any = None) -> None:
        """Put an app of the test in the place of the sandbox; without one, the sandbox again."""
        self.doors.app = app or self.app

    def kill_links(self) -> None:
        """Let the links to all images die that were made so far."""
        self.doors.dead = frozenset(entry.request_id for entry in self.ledger.entries)

    # The surroundings

    def set(self, **environ: str) -> None:
        """Set variables in the environment of all runs to come."""
        self.environ |= environ

    def unset(self, *names: str) -> None:
        """Remove variables from it."""
        self.environ |= dict.fromkeys(names)

    def without_keys(self, *providers: str) -> None:
        """Remove the keys of these providers, of all where none is named."""
        self.unset(*(KEYS[provider] for provider in providers or KEYS))

    def configure(self, text: str) -> None:
        """Write `config.toml`."""
        self.config.mkdir(exist_ok=True)
        (self.config / "config.toml").write_text(text)

    def write(self, name: str, content: str | bytes | Iterable[Mapping[str, Any]]) -> Path:
        """Write a file: text, bytes, or objects as JSON Lines."""
        if not isinstance(content, str | bytes):
            content = "".join(f"{json.dumps(row)}\n" for row in content)
        if isinstance(content, str):
            content = content.encode("utf-8", "surrogatepass")
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def prompts(self, *prompts: str, name: str = "prompts.txt") -> str:
        """Write a file with a prompt a line; its name."""
        self.write(name, "".join(f"{prompt}\n" for prompt in prompts))
        return name

    def images(self, *names: str) -> None:
        """Write small images, each another one."""
        for name in names:
            width = 40 + sum(map(ord, name)) % 60
            kind = "jpeg" if name.endswith((".jpg", ".jpeg", ".JPG")) else "png"
            self.write(name, image_file(kind, (width, 40 + len(name))))

    # The program

    def run(
        self,
        *argv: str,
        stdin: bytes = b"",
        cwd: Path | None = None,
        environ: Mapping[str, str | None] = UNCHANGED,
    ) -> Ran:
        """Run a command to its end, within this process: that takes a tenth of the time."""
        if self._right_here is None or self.through:
            return self.process(*argv, environ=environ)
        done = self._right_here(
            *argv, cwd=cwd or self.cwd, stdin=stdin, environ={**self.environ, **environ}
        )
        return Ran(done.returncode, done.stdout, done.stderr.decode(errors="replace")).check()

    def batch(self, file: str, *argv: str, stdin: bytes = b"") -> Ran:
        """`generate -f FILE -d out --json`, at AIMLAPI unless the arguments say otherwise."""
        where = () if "-p" in argv else ("-p", "aimlapi")
        usual = ("generate", "-f", file, "-d", "out", "--json")
        return self.run(*usual, *where, *argv, stdin=stdin)

    def start(
        self, *argv: str, environ: Mapping[str, str | None] = UNCHANGED, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a command as a process, with pipes to read from; it is killed when the test ends.

        ``options`` are those of `Popen`.
        """
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given = {"cwd": self.cwd, **pipes, **options}
        environ = {**self.environ, **environ}
        process = begin(*argv, through=self.through, environ=environ, **given)
        self._processes.append(process)
        return process

    def process(self, *argv: str, **options: Any) -> Ran:
        """Run a command in a process of its own, to its end; ``options`` are those of `start`."""
        return Ran.of(self.start(*argv, **options)).check()

    def submit(self, prompt: str = "x", *argv: str) -> str:
        """Submit to fal without waiting; the job id."""
        done = self.run("generate", prompt, "-p", "fal", "--no-wait", *argv)
        assert done.code == 0, done.err
        return done.lines[0]

    # What it came to

    def files(self, folder: str = "") -> list[str]:
        """All files below a folder, the working folder if none is named."""
        top = self.folder / folder
        return sorted(path.relative_to(top).as_posix() for path in top.rglob("*") if path.is_file())

    def kept(self, batch: str | None = None) -> Sequence[Job]:
        """The jobs in the journal, newest first; those of a batch in their order."""
        journal = Journal.read(journal_location(environment(self.environ)))
        if journal is None:
            return []
        with journal:
            return list(journal.of_batch(batch) if batch else journal.recent())

    def jobs(self, *argv: str) -> list[dict[str, Any]]:
        """The records of `status --json`; without arguments, read from the journal directly."""
        if argv:
            return self.run("status", "--json", *argv).records
        return [json.loads(as_line(job_record(job))) for job in self.kept()]

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
        """Allow prompts to be accepted more than once."""
        self._may |= dict.fromkeys(prompts, times)

    def check(self) -> None:
        """See that nothing was accepted more often than is allowed; with other images it is another
        request."""
        requests = Counter((entry.prompt, _images(entry)) for entry in self._entries)
        too_often = [
            (prompt, times)
            for (prompt, _), times in requests.items()
            if times > self._may.get(prompt, 1)
        ]
        assert not too_often, f"accepted too often: {too_often}"

    def close(self) -> None:
        """Leave no process behind, whatever the test found."""
        for process in self._processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                with suppress(OSError):
                    pipe and pipe.close()


W = TypeVar("W", bound=World)


class Build(Protocol):
    """Makes the world of a test, of any kind; ``given`` is for its constructor."""

    def __call__(self, kind: type[W], *given: Any, **options: Any) -> W: ...


def _images(entry: Entry) -> str:
    return str([entry.payload.get(name) for name in ("image_url", "image_urls")])
