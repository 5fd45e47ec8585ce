"""The clients that are compared, and their jobs: ours, fal's own client, and curl."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from types import MappingProxyType

from measures import Failed, Run, run
from provider import Provider
from record import Record

OURS = "kontext"
OFFICIAL = "official client"
CURL = "curl script"
BARE = "bare Python"
BARE_PYTHON = (sys.executable, "-c", "pass")

_HERE = Path(__file__).parent
_SCRIPT = Path(sys.executable).with_name("kontext")
PROGRAM = (str(_SCRIPT),) if _SCRIPT.exists() else (sys.executable, "-m", "kontext_cli")
_OFFICIAL = (sys.executable, str(_HERE / "official.py"))
_FOREIGN = ("KONTEXT_", "FAL_", "PYTHON", "COVERAGE")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")

_SHORTEST, _LONGEST = 0.30, 0.40
LATENCY = (_SHORTEST + _LONGEST) / 2
_GOLDEN = 0.618034
_UNCHANGED: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Single:
    """One job by one client: its process, and what the provider saw of it. Times in seconds."""

    run: Run
    record: Record

    @property
    def overhead(self) -> float:
        """From the start of the process to its end, beyond the time of the job itself."""
        return self.run.wall - self.record.latency

    @property
    def to_first_byte(self) -> float:
        """From the start of the process to the first byte of its submit at the provider."""
        return self.record.arrived - self.run.began

    @property
    def to_download(self) -> float | None:
        """From the image being ready to the request for it."""
        begun = self.record.download_begun
        return None if begun is None else begun - self.record.ready

    @property
    def transfer(self) -> float | None:
        """From the request for the image to the end of its connection."""
        begun, ended = self.record.download_begun, self.record.download_ended
        return None if begun is None or ended is None else ended - begun


@dataclass(frozen=True, slots=True)
class Many:
    """A batch by one client; ``rows`` is the number of its jobs."""

    rows: int
    run: Run
    records: Sequence[Record]

    @property
    def wall_per_job(self) -> float:
        """Seconds."""
        return self.run.wall / self.rows

    @property
    def cpu_per_job(self) -> float:
        """Seconds."""
        return self.run.cpu / self.rows


class Ground:
    """Where clients run: the provider, a folder for each run, and an environment without other
    settings."""

    def __init__(self, provider: Provider, folder: Path, *, on_terminal: bool = False) -> None:
        self.provider = provider
        self.folder_of_all = folder
        self._on_terminal = on_terminal
        self.state = folder / "state"
        """The state folder of all runs of ours that are given no other."""

    def at(self, provider: Provider, *, on_terminal: bool = False) -> "Ground":
        """The same with another provider, or with a terminal."""
        return Ground(provider, self.folder_of_all, on_terminal=on_terminal)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A new folder, removed afterwards."""
        folder = Path(mkdtemp(dir=self.folder_of_all))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def run(
        self,
        argv: Sequence[str],
        folder: Path,
        *,
        state: Path | None = None,
        timeout: float = 60.0,
        code: int = 0,
        environ: Mapping[str, str] = _UNCHANGED,
    ) -> Run:
        """Run one process, with ``environ`` set beside the usual. Raises Failed."""
        return run(
            argv,
            environ={**self._environ(state or self.state), **environ},
            folder=folder,
            timeout=timeout,
            code=code,
            on_terminal=self._on_terminal,
        )

    def single(self, client: str, prompt: str, output_format: str = "jpeg") -> Single:
        """One job. Raises Failed."""
        with self.folder() as folder:
            self.provider.take_records()
            ran = self.run(self.one(client, prompt, output_format, folder), folder)
            records = self.provider.take_records()
            if len(records) != 1 or records[0].download_begun is None:
                raise Failed("it did not make the one image it was asked for")
            return Single(ran, records[0])

    def many(
        self, client: str, prompts: Path, folder: Path, *, in_flight: int, state: Path
    ) -> Many:
        """A batch into a folder, which may hold a part of it already. Raises Failed."""
        rows = len(prompts.read_text(encoding="utf-8").splitlines())
        self.provider.take_records()
        argv = self._many(client, prompts, folder, in_flight)
        ran = self.run(argv, prompts.parent, state=state, timeout=60 + 0.2 * rows)
        made = len(list(folder.glob("*.jpg")))
        if made != rows:
            raise Failed(f"it made {made} images of {rows}")
        return Many(rows, ran, self.provider.take_records())

    def one(self, client: str, prompt: str, output_format: str, folder: Path) -> Sequence[str]:
        """The command that makes one image in a folder."""
        file = str(folder / "image")
        queue = self.provider.queue_url
        if client == CURL:
            return ("bash", str(_HERE / "one_job.sh"), queue, prompt, output_format, file)
        if client == OFFICIAL:
            return (*_OFFICIAL, "one", queue, prompt, output_format, file)
        where = ("-d", str(folder), "--output-format", output_format)
        return (*PROGRAM, "generate", prompt, "-p", "fal", *where)

    def _many(self, client: str, prompts: Path, folder: Path, in_flight: int) -> Sequence[str]:
        rows, where, jobs = str(prompts), str(folder), str(in_flight)
        if client == OFFICIAL:
            return (*_OFFICIAL, "many", self.provider.queue_url, rows, where, jobs)
        return (*PROGRAM, "generate", "-p", "fal", "-f", rows, "-j", jobs, "-d", where)

    def _environ(self, state: Path) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_FOREIGN) and name.lower() not in _PROXIES
        }
        if self.provider.certificate:
            # The second is curl's: not every build of it reads the first.
            kept |= dict.fromkeys(
                ("SSL_CERT_FILE", "CURL_CA_BUNDLE"), str(self.provider.certificate)
            )
        return kept | {
            "TERM": "xterm-256color",
            "HOME": str(self.folder_of_all),
            "FAL_KEY": "benchmark",
            "KONTEXT_FAL_BASE_URL": self.provider.queue_url,
            "KONTEXT_STATE_DIR": str(state),
            "KONTEXT_CONFIG_DIR": str(self.folder_of_all / "config"),
        }


def absent() -> dict[str, str]:
    """The clients that cannot run here, each with the reason."""
    reasons = {}
    if find_spec("fal_client") is None:
        reasons[OFFICIAL] = "fal_client is not installed: `pip install fal-client`"
    if not shutil.which("curl") or not shutil.which("bash"):
        reasons[CURL] = "it takes bash and curl"
    return reasons


def present(*clients: str) -> list[str]:
    """Those of the clients that can run here."""
    return [client for client in clients if client not in absent()]


def latency(number: int) -> float:
    """The seconds of a job: spread evenly over 0.30 to 0.40, so that no rhythm of polls fits."""
    return _SHORTEST + (_LONGEST - _SHORTEST) * (number * _GOLDEN % 1)


def prompt(number: int, seconds: float | None = None) -> str:
    """A prompt that sets how long the provider takes."""
    seconds = latency(number) if seconds is None else seconds
    return f"a lighthouse in fog {number} [latency={seconds:.4f}]"


def singles(
    ground: Ground,
    clients: Sequence[str],
    *,
    output_format: str = "jpeg",
    seconds: float | None = None,
) -> dict[str, Callable[[int], Single]]:
    """One job a round for each client, the same for all in a round."""

    def contestant(client: str) -> Callable[[int], Single]:
        return lambda number: ground.single(client, prompt(number, seconds), output_format)

    return {client: contestant(client) for client in clients}
