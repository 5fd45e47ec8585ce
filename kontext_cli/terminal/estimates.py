"""How far a job is: by the log of its provider, else by how long such jobs took before."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from threading import Thread

from kontext_cli.job import Job
from kontext_cli.terminal.view import PastRunTimes

_PERCENT = re.compile(r"(?:^|[\s:])(\d{1,3})(?:\.\d+)?\s?%(?=\||\s*$)")
"""As tqdm prints it before its bar, or at the end of a line."""
_BREAK = re.compile(r"[\r\n]+")
_STRAIGHT = 0.8
"""Up to this share of the usual time, an estimate grows with the time."""
_LONGEST_LINE = 2_000


def logged_percent(lines: Iterable[str]) -> int | None:
    """The last percentage of a progress bar in log lines, None where there is none."""
    last = None
    for line in lines:
        for part in _BREAK.split(line[-_LONGEST_LINE:]):
            for found in _PERCENT.finditer(part):
                if int(found[1]) <= 100:
                    last = int(found[1])
    return last


def estimated_percent(seconds: float, usual: float) -> int:
    """The percentage of a job after some of its usual seconds; it never reaches 100."""
    share = max(seconds, 0.0) / max(usual, 0.001)
    if share > _STRAIGHT:
        rest = 1 - _STRAIGHT
        share = 1 - rest * math.exp(-(share - _STRAIGHT) / rest)
    return min(int(100 * share), 99)


def in_background(work: Callable[[], None]) -> None:
    """Do some work in a thread that nothing waits for."""
    Thread(target=work, daemon=True).start()


class Estimates:
    """The usual run times, looked up in the background when the first one is asked for."""

    def __init__(
        self,
        look_up: PastRunTimes,
        *,
        start: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._look_up = look_up
        self._start = start
        self._started = False
        self._usual: Mapping[tuple[str, str, str], float] = {}

    def usual_seconds(self, job: Job) -> float | None:
        """How long such jobs took, None while that is unknown."""
        if not self._started:
            self._started = True
            self._start(self._fill)
        return self._usual.get((job.provider, job.model, job.operation))

    def _fill(self) -> None:
        self._usual = self._look_up()
