"""A batch that is killed at each call by which it changes a file, one after the other.

The work of its threads is done by one, so that calls can be counted, and that thread or the main
one is traced. A first run, which nobody kills, tells which calls there are.
"""

import random
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from hostile.tracing import calls_in, needs_strace, strace, with_site
from hostile.trials import IN_FLIGHT, Trial, soak_only
from soaking import SOAK, soaked
from world import PATIENCE, Doors

pytestmark = needs_strace

ROWS = soaked(5, 10)
CHANGES = (
    *("write", "pwrite64", "ftruncate", "fsync", "fdatasync", "fchmod", "mkdir", "mkdirat"),
    *("rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat"),
)
REFUSED = {
    **dict.fromkeys(("fsync", "fdatasync", "fchmod", "unlink", "unlinkat"), "EIO"),
    **dict.fromkeys(("pwrite64", "mkdir", "link", "linkat", "rename"), "ENOSPC"),
}
SIDE_BY_SIDE = 2


class Point(NamedTuple):
    """The ``nth`` call of that name by the main thread, or by the one beside it."""

    name: str
    nth: int
    by_main: bool


@contextmanager
def trial_in(folder: Path) -> Iterator[Trial]:
    """A batch before a sandbox of its own; nothing is left of both."""
    trial = Trial(folder, None, doors := Doors(), rows=ROWS)
    yield trial
    trial.close()
    doors.stop().join()
    shutil.rmtree(folder)


def points_of(trial: Trial) -> list[Point]:
    """All calls by which a run changes a file of its own, in their order."""
    log = trial.top / "calls"
    trial.through = strace(log, ",".join(CHANGES))
    assert trial.run_batch(environ=with_site("lone")).code == 0
    calls = list(calls_in(log))
    counts: Counter[tuple[str, int]] = Counter()
    points = []
    for call in calls:
        counts[call.name, call.thread] += 1
        if call.path.startswith(str(trial.top)):
            count = counts[call.name, call.thread]
            points.append(Point(call.name, count, call.thread == calls[0].thread))
    return points


def some_of(points: Sequence[Point], count: int) -> Sequence[Point]:
    """So many points, of as many kinds as there can be; all of them in the long form."""
    if SOAK:
        return points
    dice = random.Random(1)
    mixed = dice.sample(points, len(points))
    kinds = {(point.name, point.by_main): point for point in mixed}
    return [*kinds.values(), *mixed][:count]


def kill(trial: Trial, point: Point) -> bool:
    """A run that is killed just before a call; False where it never came to that."""
    injection = f"{point.name}:signal=KILL:when={point.nth}"
    tracer = strace(trial.top / "calls", point.name, injection, one_thread=True)
    environ = with_site("lone")
    if point.by_main:
        trial.through = tracer
    else:
        environ["TRACE_THE_THREAD"] = shlex.join(tracer)
    run = trial.start_batch(environ=environ)
    run.communicate(timeout=PATIENCE)
    trial.through = ()
    assert run.returncode in (0, -9)
    return run.returncode == -9


def refuse(trial: Trial, point: Point) -> bool:
    """A run in which a call is refused, and all of its kind that come after it."""
    log = trial.top / "calls"
    injection = f"{point.name}:error={REFUSED[point.name]}:when={point.nth}+"
    trial.through = strace(log, point.name, injection)
    ended = trial.run_batch(environ=with_site("lone"))
    trial.through = ()
    assert ended.code in (0, 8, 9), ended.err
    if "unlink" in point.name:
        for part in trial.out.glob(".*"):  # the next run may have nothing to write there
            part.unlink()
    assert trial.parts() == []
    return "INJECTED" in log.read_text()


def tried(folder: Path, points: Sequence[Point], do: Callable[[Trial, Point], bool]) -> None:
    """Do something at each point, and see that the next run is none the worse for it."""

    def one(number: int, point: Point) -> tuple[bool, str]:
        with trial_in(folder / str(number)) as trial:
            try:
                reached = do(trial, point)
                rest = trial.check_rest(held=True)
                assert rest.count("unknown") <= IN_FLIGHT
            except AssertionError as error:
                return True, f"{point}: {error}"
        return reached, ""

    with ThreadPoolExecutor(SIDE_BY_SIDE) as side_by_side:
        came_of = list(side_by_side.map(one, range(len(points)), points))
    violations = [violation for _, violation in came_of if violation]
    reached = sum(reached for reached, _ in came_of)
    print(f"{len(points)} points, {reached} reached, {len(violations)} violations")
    assert violations == []
    assert reached > 0.9 * len(points)


def test_killed_at_any_call_nothing_is_paid_twice_or_lost(tmp_path: Path) -> None:
    with trial_in(tmp_path / "first") as trial:
        points = points_of(trial)
    tried(tmp_path, some_of(points, 2), kill)


@soak_only
def test_where_a_call_is_refused_nothing_is_paid_twice_or_lost(tmp_path: Path) -> None:
    with trial_in(tmp_path / "first") as trial:
        points = [point for point in points_of(trial) if point.name in REFUSED]
    tried(tmp_path, points, refuse)
