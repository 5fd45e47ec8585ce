"""Machines that work on one batch together, and the troubles that befall them.

A machine is a folder of state and the run in it, which is started again until nothing is left to
do, as a scheduler would. All share one journal, one bucket, and the providers behind them.
"""

import random
import signal
import subprocess
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from cutting import CuttingProxy
from engines.buckets import BUCKET, Bucket
from kontext_cli.files.saved import verified
from kontext_cli.job import Job, State
from postgres_server import PostgresServer
from soaking import soaked
from strained import NAME, Strained
from world import PATIENCE, Ran

LEASE = 2.0
"""Seconds."""
PRICE = 0.04
"""US dollars, of each image."""
IN_FLIGHT = 4
"""Jobs of each machine."""
_FOLDER = "batch"
_TICK = 0.05
_UNDONE = (7, 8)
"""Exit codes of runs that have to be repeated: jobs go on elsewhere, or the journal was away."""

Kind = Literal["kill", "stop", "restart", "cut", "before", "after"]
"""The last two end a connection around its next commit."""


class Trouble(NamedTuple):
    """What happens once so many rows were accepted."""

    accepted: int
    kind: Kind


def troubles(dice: random.Random, first: int, last: int, **counts: int) -> Sequence[Trouble]:
    """So many troubles of each kind, mixed over the time in which these rows are accepted."""
    kinds = [kind for kind, count in counts.items() for _ in range(count)]
    moments = sorted(dice.choices(range(first, last), k=len(kinds)))
    dice.shuffle(kinds)
    return [Trouble(at, cast("Kind", kind)) for at, kind in zip(moments, kinds, strict=True)]


class Machine:
    """One machine; its run prints into files there."""

    def __init__(self, fleet: "Fleet", folder: Path) -> None:
        self._fleet = fleet
        self._folder = folder
        self._argv: Sequence[str] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._wakes_at = 0.0
        self.codes: Counter[int] = Counter()
        folder.mkdir(parents=True)

    def work(self, *argv: str) -> None:
        """Run the batch with these arguments from now on, until nothing is left to do."""
        self._argv = argv
        self._start()

    def is_done(self) -> bool:
        """Whether nothing is left to do; a run that ended too early is started again."""
        process = self._process
        if process is None:
            return True
        if self._wakes_at and time.monotonic() > self._wakes_at:
            self._wakes_at = 0.0
            process.send_signal(signal.SIGCONT)
        if process.poll() is None:
            return False
        ran = self._ended(process)
        if ran.code in _UNDONE or (ran.code == 9 and ran.count("running", "ready", "planned")):
            self._start()
            return False
        self._process = None
        return True

    @property
    def is_at_work(self) -> bool:
        """Whether its run goes on."""
        return self._process is not None and not self._wakes_at and self._process.poll() is None

    def kill(self) -> None:
        """End the run as a power cut would, and start another."""
        assert self._process is not None
        self._process.kill()
        self._ended(self._process)
        self._start()

    def stop(self, seconds: float) -> None:
        """Let it stand still so long, as a laptop that is closed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        self._wakes_at = time.monotonic() + seconds

    def last_words(self) -> str:
        """End the run, and return what it printed and where each of its threads stood."""
        if self._process is not None and not self.is_done():
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGABRT)
            self._process.wait(PATIENCE)
        errors = [path.read_text(errors="replace") for path in sorted(self._folder.glob("*.err"))]
        return f"{self._folder.name}:\n{errors[-1]}" if errors else ""

    def _start(self) -> None:
        number = self.codes.total()
        with (
            (self._folder / f"{number:04}.out").open("wb") as out,
            (self._folder / f"{number:04}.err").open("wb") as err,
        ):
            environ = {
                "KONTEXT_STATE_DIR": self._fleet.state_of(self._folder),
                "PYTHONFAULTHANDLER": "1",
            }
            self._process = self._fleet.start_batch(
                *self._argv, environ=environ, stdout=out, stderr=err
            )

    def _ended(self, process: subprocess.Popen[bytes]) -> Ran:
        """What the run printed, which is looked at."""
        number = self.codes.total()
        code = process.wait(PATIENCE)
        self.codes[code] += 1
        out = (self._folder / f"{number:04}.out").read_bytes()
        err = (self._folder / f"{number:04}.err").read_text(errors="replace")
        ran = Ran(code, out, err)
        return Ran(code, b"", err).check() if code < 0 else ran.check()


class Fleet(Strained):
    """Machines, and what they share; without a URL of a journal, one folder of state."""

    usual = ("-d", f"{BUCKET}/{_FOLDER}", "--batch", NAME, "--json", "-j", str(IN_FLIGHT))

    def __init__(self, *surroundings: Any, machines: int, **options: Any) -> None:
        super().__init__(*surroundings, **options)
        self._shares_state = True
        self._server: PostgresServer | None = None
        self._proxy: CuttingProxy | None = None
        self.machines = [Machine(self, self.top / f"machine-{n}") for n in range(machines)]
        self.struck: Counter[Kind] = Counter()

    def keep_journal_at(self, url: str, server: PostgresServer, proxy: CuttingProxy) -> None:
        """Have the journal in a database, which is reached through a proxy."""
        self.set(KONTEXT_JOURNAL=url)
        self._shares_state, self._server, self._proxy = False, server, proxy

    def state_of(self, folder: Path) -> str:
        """The state folder of the machine with a folder."""
        return str(self.state if self._shares_state else folder / "state")

    def work(
        self,
        dice: random.Random,
        troubles: Sequence[Trouble] = (),
        *,
        argv: Callable[[int], Sequence[str]],
    ) -> None:
        """Let the machines work until nothing is left to do, and the troubles come over them;
        ``argv`` is what each of them is given."""
        for number, machine in enumerate(self.machines):
            machine.work(*argv(number))
        coming = deque(troubles)
        ends_at = time.monotonic() + soaked(2, 60) * PATIENCE
        while True:
            next_at = coming[0].accepted if coming else len(self.rows) + 1
            comes = self.ledger.wait_for(next_at, seconds=_TICK)
            undone = [machine for machine in self.machines if not machine.is_done()]
            if not undone:
                break
            assert time.monotonic() < ends_at, self.figures() + "".join(
                f"\n\n{machine.last_words()}" for machine in undone
            )
            at_work = [machine for machine in undone if machine.is_at_work]
            if comes and at_work:
                self._strike(coming.popleft().kind, dice, dice.choice(at_work))

    def _strike(self, kind: Kind, dice: random.Random, machine: Machine) -> None:
        self.struck[kind] += 1
        if kind == "kill":
            machine.kill()
        elif kind == "stop":
            machine.stop(dice.uniform(1.2, 2.5) * LEASE)
        elif kind == "restart" and self._server is not None:
            self._server.restart()
        elif kind == "cut" and self._proxy is not None:
            self._proxy.cut_all()
        elif kind in ("before", "after") and self._proxy is not None:
            self._proxy.cut = kind

    def figures(self) -> str:
        """What happened so far, printed where the test fails."""
        codes = [dict(machine.codes) for machine in self.machines]
        return f"{dict(self.struck)}; {self.accepted.total()} accepted; exit codes {codes}"

    def held(self) -> Sequence[Job]:
        """The jobs of rows whose outcome is unknown."""
        return [job for job in self.attempts() if job.state is State.UNKNOWN]

    def check_complete(self, bucket: Bucket, *, unknown: int) -> None:
        """See that no row is lost: it is saved whole, or known as one of so many whose outcome is
        unknown; and that nothing was accepted twice."""
        self.check()
        jobs = self.attempts()
        assert len(jobs) == len(self.rows)
        states = Counter(job.state for job in jobs)
        assert states.keys() <= {State.SAVED, State.UNKNOWN}, states
        assert states[State.UNKNOWN] <= unknown
        ids = {job.request_id for job in jobs}
        held = {job.request["prompt"] for job in jobs if job.state is State.UNKNOWN}
        lost = [e for e in self.ledger.entries if e.request_id not in ids and e.prompt not in held]
        assert lost == []
        files = {_key(file.path): file for job in jobs for file in job.files}
        strays = {*bucket.keys} ^ files.keys()
        assert strays == set(), [job for job in jobs if not job.files]
        for key, file in files.items():
            assert verified(bucket.read(key)).sha256 == file.sha256, key


def _key(path: Path) -> str:
    return str(path).removeprefix(f"{BUCKET}/")
