"""The queue's jobs: their payloads, and their status as a function of time."""

import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from kontext_cli.sandbox.shelf import Shelf

_KEPT = 10_000
_WAITING = 1 / 3
"""The share of a job's time that it spends in the queue."""
_AHEAD = 3
_STEPS = 28
_STEPS_PER_LINE = 4
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Status(StrEnum):
    """The three states of fal's queue; there is no fourth (fal docs, queue page)."""

    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"


@dataclass(slots=True, eq=False)
class Job:
    """One accepted submit; `created` is by the monotonic clock, `born` in Unix time.

    `outcome` is the fault that decides how the job ends, if one does; `started` says of a canceled
    one that it was at work.
    """

    request_id: str
    dialect: str
    endpoint: str
    payload: dict[str, Any]
    seed: int
    outcome: str | None
    latency: float
    created: float
    born: float
    canceled: bool = False
    started: bool = False

    @property
    def app_id(self) -> str:
        """The part of the endpoint that follow-up URLs keep: its owner and app."""
        return "/".join(self.endpoint.split("/")[:2])

    @property
    def prompt(self) -> str:
        """The prompt, or nothing where the payload has none."""
        prompt = self.payload.get("prompt")
        return prompt if isinstance(prompt, str) else ""

    def status(self, now: float) -> Status:
        """Where the job is: a third of its time in the queue, then running, then done."""
        if self.canceled:
            return Status.COMPLETED
        if self.outcome == "stuck":
            return Status.IN_QUEUE
        if now - self.created >= self.latency:
            return Status.COMPLETED
        waiting = now - self.created < self.latency * _WAITING
        return Status.IN_QUEUE if waiting else Status.IN_PROGRESS

    def position(self, now: float) -> int:
        """How many jobs are ahead in the queue, counting down to 0."""
        if self.outcome == "stuck" or not self.latency:
            return 0
        waited = (now - self.created) / (self.latency * _WAITING)
        return max(_AHEAD - 1 - int(waited * _AHEAD), 0)

    def logs(self, now: float) -> list[dict[str, Any]]:
        """Every line of the log so far, in the form of a progress bar over the model's steps."""
        if self.status(now) is Status.IN_QUEUE or self.canceled:
            return []
        done = _STEPS
        if self.status(now) is Status.IN_PROGRESS:
            share = (now - self.created) / self.latency
            done = int((share - _WAITING) / (1 - _WAITING) * _STEPS)
        return [self._line(step) for step in range(0, done + 1, _STEPS_PER_LINE)]

    def _line(self, step: int) -> dict[str, Any]:
        share = step / _STEPS
        seconds = self.latency * (_WAITING + (1 - _WAITING) * share)
        moment = datetime.fromtimestamp(self.born, UTC) + timedelta(seconds=seconds)
        return {
            "message": f"{share:>4.0%}|{'#' * round(share * 10):<10}| {step}/{_STEPS}",
            "level": "INFO",
            "source": "USER",
            "timestamp": moment.replace(tzinfo=None).isoformat(timespec="microseconds"),
            "labels": {},
        }


class Jobs:
    """The last 10,000 jobs, in memory and, where the shelf is a folder, also there."""

    def __init__(self, shelf: Shelf, clock: Callable[[], float]) -> None:
        self._shelf = shelf
        self._clock = clock
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    def add(self, job: Job) -> None:
        """Add a job."""
        self._jobs[job.request_id] = job
        if len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        self._keep(job)

    def find(self, request_id: str) -> Job | None:
        """The job of a request id, if there is one."""
        if request_id not in self._jobs and _UUID.fullmatch(request_id):
            kept = self._shelf.get(f"{request_id}.json")
            if kept is not None:
                self._jobs[request_id] = self._revived(kept)
        return self._jobs.get(request_id)

    def cancel(self, job: Job) -> None:
        """End a job that is not done yet."""
        job.started = job.status(self._clock()) is Status.IN_PROGRESS
        job.canceled = True
        self._keep(job)

    def _keep(self, job: Job) -> None:
        if self._shelf.folder is not None:
            self._shelf.put(f"{job.request_id}.json", json.dumps(asdict(job)).encode())

    def _revived(self, kept: bytes) -> Job:
        job = Job(**json.loads(kept))
        # monotonic clocks differ between processes; only Unix time is shared
        job.created = self._clock() - (time.time() - job.born)
        return job
