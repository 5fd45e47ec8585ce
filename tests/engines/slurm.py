"""A Slurm cluster of one node, in a folder of its own: munged, slurmctld and slurmd."""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from processes import environment
from world import PATIENCE, quick_folder

PATH = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "scancel", "sinfo")

CONFIG = """
ClusterName=scratch
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 RealMemory=64
PartitionName=all Nodes={host} Default=YES
"""


class DoesNotStart(Exception):
    """The daemons are there but do not run on this machine; it holds what they say."""


def is_installed() -> bool:
    return all(shutil.which(name, path=PATH) for name in PROGRAMS)


def until(condition: Callable[[], bool]) -> bool:
    """Whether a condition comes true in time."""
    ends_at = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.05)
    return True


class Slurm:
    """The cluster, by its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": PATH}
        self._daemons: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start the daemons. Raises DoesNotStart."""
        self._write_files()
        self._start(
            *("munged", "--force", "--foreground", "--num-threads=2"),
            *(f"--{name}={self.folder / file}" for name, file in _OF_MUNGE.items()),
        )
        socket_of_munge = self.folder / _OF_MUNGE["socket"]
        if not until(socket_of_munge.exists):
            raise DoesNotStart(self._last_words())
        self._start("slurmctld", "-D", "-i")
        self._start("slurmd", "-D")
        if not until(lambda: self.ask("sinfo", "-h", "-o", "%t") == "idle"):
            raise DoesNotStart(self._last_words())

    def stop(self) -> None:
        """End all jobs and daemons."""
        self.ask("scancel", "--user", getpass.getuser())
        until(lambda: not self.ask("squeue", "-h"))
        for daemon in reversed(self._daemons):
            daemon.terminate()
        for daemon in self._daemons:
            try:
                daemon.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)

    def processes(self, variable: str = "") -> list[int]:
        """The processes of the cluster and its jobs; with a variable, those that have it."""
        having = {str(self.environ["SLURM_CONF"]).encode(), variable.encode()}
        return [pid for pid, environ in _environments() if all(each in environ for each in having)]

    def ask(self, *argv: str) -> str:
        """What a command of Slurm prints; empty where it fails."""
        environ = environment(self.environ)
        done = subprocess.run(argv, capture_output=True, text=True, env=environ, check=False)
        return done.stdout.strip()

    def submit(self, *argv: str, cwd: Path, environ: Mapping[str, str | None]) -> str:
        """Submit a job; its id."""
        given = environment({**environ, **self.environ, "PATH": f"{environ['PATH']}:{PATH}"})
        done = subprocess.run(
            ["sbatch", "--parsable", *argv],
            cwd=cwd,
            env=given,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def ended(self, job: str) -> dict[int, str]:
        """Wait for the tasks of an array to end; the state of each."""
        assert until(lambda: not self.ask("squeue", "-h", "-j", job)), self.ask("squeue")
        return self.states(job)

    def states(self, job: str) -> dict[int, str]:
        """The state of each task of an array."""
        lines = self.ask("scontrol", "show", "job", job, "-o").splitlines()
        tasks = [dict(word.split("=", 1) for word in line.split() if "=" in word) for line in lines]
        return {int(task["ArrayTaskId"]): task["JobState"] for task in tasks}

    def requeue(self, task: str) -> None:
        """Run a task again in two seconds: within the second of its end a node refuses it, and
        Slurm itself waits longer."""
        self.ask("scontrol", "requeue", task)
        assert until(lambda: "JobState=PENDING" in self.ask("scontrol", "show", "job", task))
        self.ask("scontrol", "update", f"JobId={task}", "StartTime=now+2seconds")

    def _write_files(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        key = self.folder / _OF_MUNGE["key-file"]
        key.touch(0o600)
        key.write_bytes(secrets.token_bytes(64))
        controller, node = _free_ports()
        (self.folder / "slurm.conf").write_text(
            CONFIG.format(
                folder=self.folder,
                host=socket.gethostname().split(".")[0],
                user=getpass.getuser(),
                controller=controller,
                node=node,
            )
        )

    def _start(self, *argv: str) -> None:
        with (self.folder / f"{argv[0]}.out").open("wb") as log:
            environ = environment(self.environ)
            self._daemons.append(
                subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ
                )
            )

    def _last_words(self) -> str:
        logs = [path.read_text(errors="replace") for path in self.folder.glob("*.out")]
        return "; ".join(line for log in logs for line in log.splitlines()[-2:])


_OF_MUNGE = {
    "key-file": "munge.key",
    "socket": "munge.socket",
    "pid-file": "munge.pid",
    "log-file": "munge.log",
    "seed-file": "munge.seed",
}


@contextmanager
def cluster() -> Iterator[Slurm]:
    """A cluster that leaves nothing behind. Raises DoesNotStart."""
    with quick_folder() as folder:
        slurm = Slurm(folder)
        try:
            slurm.start()
            yield slurm
        finally:
            slurm.stop()


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _environments() -> Iterator[tuple[int, bytes]]:
    """All other processes of the machine that may be looked at."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / "environ").read_bytes()
        except OSError:
            continue
