"""`--shard auto` in arrays of a real Slurm: every row once, also when tasks are killed."""

import os
import re
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engines.slurm import DoesNotStart, Slurm, cluster, is_installed, until
from kontext_cli.job import State
from kontext_cli.journal import Journal
from kontext_cli.providers import provider_class
from strained import Clock
from world import Build, World

pytestmark = pytest.mark.skipif(not is_installed(), reason="needs Slurm (slurm-wlm) and munge")

SCRIPT = Path(__file__).parents[2] / "examples" / "slurm.sh"
TASKS = (1, 2, 3, 4)
ROWS = 40
AT_ONCE = provider_class("fal").jobs
DRY = "#!/bin/sh\nexec kontext generate -f cards.jsonl -d cards --shard auto --dry-run --json\n"


@pytest.fixture(scope="module")
def slurm() -> Iterator[Slurm]:
    try:
        with cluster() as started:
            yield started
    except DoesNotStart as why:
        pytest.skip(f"Slurm does not start here: {why}")
    assert started.processes() == []


@pytest.fixture
def nodes(build: Build) -> World:
    """What all nodes of the cluster see: the cards, and a program on the path."""
    world = build(World)
    world.write("cards.jsonl", [{"id": f"card-{n}", "prompt": f"card {n}"} for n in range(ROWS)])
    world.set(KONTEXT_PROVIDER="fal", PATH=str(world.top / "bin"))
    program = world.top / "bin" / "kontext"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m kontext_cli "$@"\n')
    program.chmod(stat.S_IRWXU)
    return world


def submit(slurm: Slurm, world: World, *argv: str) -> str:
    return slurm.submit(*argv, cwd=world.folder, environ=world.environ)


def log(world: World, task: int) -> str:
    return (world.folder / f"cards-{task}.log").read_text()


def queued(world: World, task: int) -> int:
    """How many jobs of a task wait at the provider."""
    journal = Journal.read(world.folder / "state" / str(task))
    if journal is None:
        return 0
    with journal:
        return sum(job.state is State.QUEUED for job in journal.recent())


def check_complete(world: World) -> None:
    """Every row was accepted and saved, and none twice."""
    assert world.files("cards") == sorted(f"card-{n}.jpg" for n in range(ROWS))
    assert len(world.accepted) == world.posts == ROWS


def test_the_tasks_of_an_array_make_every_row_once(slurm: Slurm, nodes: World) -> None:
    job = submit(slurm, nodes, str(SCRIPT))
    assert slurm.ended(job) == dict.fromkeys(TASKS, "COMPLETED")
    for task in TASKS:
        assert f"notice: shard {task}/4, from SLURM_ARRAY_TASK_ID" in log(nodes, task)
    check_complete(nodes)


@pytest.mark.parametrize("how", ["killed", "requeued"])
def test_a_task_that_is_stopped_finishes_the_rest_when_it_runs_again(
    how: str, slurm: Slurm, nodes: World
) -> None:
    """By `kill -9`, or by Slurm as when the node is needed; while its jobs wait in the queue."""
    clock = Clock()
    nodes.serve(latency=0.01, clock=clock)
    job = submit(slurm, nodes, str(SCRIPT))
    assert until(lambda: queued(nodes, 3) == AT_ONCE)
    if how == "killed":
        [process] = slurm.processes("SLURM_ARRAY_TASK_ID=3")
        os.kill(process, signal.SIGKILL)
        assert until(lambda: slurm.states(job)[3] == "FAILED")
    slurm.requeue(f"{job}_3")
    clock.let_go()
    assert slurm.ended(job) == dict.fromkeys(TASKS, "COMPLETED")
    assert log(nodes, 3).count("notice: shard 3/4") == 2
    check_complete(nodes)


@pytest.mark.parametrize("array", ["0-3", "1-8:2", "5-7%1"])
def test_numbers_of_any_kind_cover_all_rows(array: str, slurm: Slurm, nodes: World) -> None:
    nodes.write("dry.sh", DRY)
    job = submit(slurm, nodes, "--array", array, "--output=dry-%a.log", "dry.sh")
    assert set(slurm.ended(job).values()) == {"COMPLETED"}
    logs = [path.read_text() for path in nodes.folder.glob("dry-*.log")]
    rows = [int(row) for text in logs for row in re.findall('"index":([0-9]+)', text)]
    assert sorted(rows) == list(range(1, ROWS + 1))


@pytest.mark.parametrize("array", ["3,7", "3"])
def test_a_part_of_an_array_sends_nothing(array: str, slurm: Slurm, nodes: World) -> None:
    job = submit(slurm, nodes, "--array", array, str(SCRIPT))
    assert set(slurm.ended(job).values()) == {"FAILED"}
    assert "SLURM_ARRAY_TASK_COUNT" in log(nodes, 3)
    assert nodes.posts == 0
