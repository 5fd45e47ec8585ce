"""`--shard auto`: the part of a batch, from the variables of schedulers."""

import pytest

from kontext_cli.batch.schedulers import SCHEDULERS, scheduled_shard
from kontext_cli.errors import UsageError
from world import World

SLURM = "SLURM_ARRAY_TASK_"
ROWS = [f"fox {n}" for n in range(1, 13)]


def array(task: int, first: int, last: int, count: int, step: int = 1) -> dict[str, str]:
    """What Slurm sets in a task of an array."""
    named = {"ID": task, "MIN": first, "MAX": last, "COUNT": count, "STEP": step}
    return {f"{SLURM}{name}": str(value) for name, value in named.items()}


CASES: dict[str, list[tuple[dict[str, str], str]]] = {
    "Slurm": [
        (array(0, 0, 3, 4), "1/4"),
        (array(4, 1, 4, 4), "4/4"),
        (array(1, 1, 1, 1), "1/1"),
        (array(12, 10, 13, 4), "3/4"),
        (array(5, 1, 7, 4, step=2), "3/4"),
    ],
    "AWS Batch": [({"AWS_BATCH_JOB_ARRAY_INDEX": "0", "AWS_BATCH_JOB_ARRAY_SIZE": "4"}, "1/4")],
    "Kubernetes": [({"JOB_COMPLETION_INDEX": "3"}, "4/4")],
    "GitLab": [
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4"}, "1/4"),
        ({"CI_NODE_INDEX": "4", "CI_NODE_TOTAL": "4"}, "4/4"),
    ],
    "CircleCI": [
        ({"CIRCLE_NODE_INDEX": "1", "CIRCLE_NODE_TOTAL": "4"}, "2/4"),
        ({"CIRCLE_NODE_INDEX": "0", "CIRCLE_NODE_TOTAL": "1"}, "1/1"),
    ],
    "Buildkite": [({"BUILDKITE_PARALLEL_JOB": "3", "BUILDKITE_PARALLEL_JOB_COUNT": "4"}, "4/4")],
    "Bitbucket": [({"BITBUCKET_PARALLEL_STEP": "0", "BITBUCKET_PARALLEL_STEP_COUNT": "4"}, "1/4")],
    "Cloud Run": [({"CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "4"}, "3/4")],
}
"""What each scheduler sets, the number of the task first, and the part that it means."""


def test_each_scheduler_has_a_case() -> None:
    assert [each.name for each in SCHEDULERS] == list(CASES)


@pytest.mark.parametrize(
    ("environ", "part"), [case for cases in CASES.values() for case in cases], ids=str
)
def test_the_part_is_what_the_scheduler_says(environ: dict[str, str], part: str) -> None:
    total = part.partition("/")[2]
    found = scheduled_shard(f"auto/{total}", environ)
    assert (str(found), found and found.variable) == (part, next(iter(environ)))
    if "JOB_COMPLETION_INDEX" not in environ:
        assert scheduled_shard("auto", environ) == found


def test_tasks_of_an_array_share_all_parts_whatever_their_numbers() -> None:
    for first, step, count in ((0, 1, 4), (1, 1, 4), (5, 1, 3), (1, 2, 4), (0, 5, 3), (1, 1, 1)):
        numbers = range(first, first + step * count, step)
        parts = [
            scheduled_shard("auto", array(task, first, numbers[-1], count, step))
            for task in numbers
        ]
        assert [str(part) for part in parts] == [f"{n}/{count}" for n in range(1, count + 1)]


@pytest.mark.parametrize("given", ["2/4", "", "auto/", "auto/x", "AUTO", "auto/1/2", "auto/-1"])
def test_other_values_stand_for_themselves(given: str) -> None:
    assert scheduled_shard(given, {"JOB_COMPLETION_INDEX": "0"}) is None


@pytest.mark.parametrize(
    ("environ", "given", "says"),
    [
        ({}, "auto", "no scheduler names the part"),
        ({}, "auto/4", "no scheduler names the part"),
        ({"CI_NODE_INDEX": "", "JOB_COMPLETION_INDEX": ""}, "auto", "no scheduler names the part"),
        ({"CI_NODE_TOTAL": "1"}, "auto", "CI_NODE_TOTAL is set, but CI_NODE_INDEX is not"),
        (
            {"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4", **array(0, 0, 3, 4)},
            "auto",
            "SLURM_ARRAY_TASK_ID and CI_NODE_INDEX are set",
        ),
        ({"JOB_COMPLETION_INDEX": "0"}, "auto", "nothing says how many parts there are"),
        ({"CI_NODE_INDEX": "1"}, "auto", "nothing says how many parts there are"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4"}, "auto/3", "CI_NODE_TOTAL is 4"),
        ({"JOB_COMPLETION_INDEX": "4"}, "auto/4", "JOB_COMPLETION_INDEX is 4, which is none of 4"),
        ({"JOB_COMPLETION_INDEX": "0"}, "auto/0", "which is none of 0"),
        ({"CI_NODE_INDEX": "0", "CI_NODE_TOTAL": "4"}, "auto", "CI_NODE_INDEX is 0, which is none"),
        ({"CI_NODE_INDEX": "5", "CI_NODE_TOTAL": "4"}, "auto", "CI_NODE_INDEX is 5, which is none"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "0"}, "auto", "which is none of 0 parts"),
        ({"CI_NODE_INDEX": "one", "CI_NODE_TOTAL": "4"}, "auto", "a number, not `one`"),
        ({"CI_NODE_INDEX": "-1", "CI_NODE_TOTAL": "4"}, "auto", "a number, not `-1`"),
        ({"CI_NODE_INDEX": "١", "CI_NODE_TOTAL": "4"}, "auto", "a number, not `١`"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "4.0"}, "auto", "a number, not `4.0`"),
        ({"CI_NODE_INDEX": "1", "CI_NODE_TOTAL": "9" * 99}, "auto", f"not `{'9' * 40}`"),
        (array(3, 3, 7, 2), "auto", "this Slurm array has 2 of the tasks 3 to 7"),
        (array(3, 1, 5, 3), "auto", "has 3 of the tasks 1 to 5"),
        (array(3, 3, 3, 1), "auto", "has 1 of the tasks 3 to 3"),
        (array(3, 3, 3, 1), "auto/4", "SLURM_ARRAY_TASK_COUNT is 1"),
        (array(2, 1, 7, 4, 2), "auto", "SLURM_ARRAY_TASK_ID is 2, which is none of 4 parts"),
        (array(0, 0, 3, 4, 0), "auto", "has 4 of the tasks 0 to 3"),
        (
            {f"{SLURM}ID": "0", f"{SLURM}COUNT": "4"},
            "auto",
            "MIN should be a number, but is not set",
        ),
    ],
)
def test_what_does_not_tell_one_part_is_refused(
    environ: dict[str, str], given: str, says: str
) -> None:
    with pytest.raises(UsageError) as refused:
        scheduled_shard(given, environ)
    assert says in refused.value.message
    assert "--shard 2/4" in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({}, "auto reads SLURM_ARRAY_TASK_ID, "),
        ({"GITHUB_ACTIONS": "true"}, "${{ matrix.shard }}/${{ strategy.job-total }}"),
        ({"CI_NODE_TOTAL": "1"}, "let GitLab run the job in parallel"),
        ({"JOB_COMPLETION_INDEX": "1"}, "--shard auto/N"),
    ],
)
def test_the_way_out_is_named(environ: dict[str, str], hint: str) -> None:
    with pytest.raises(UsageError) as refused:
        scheduled_shard("auto", environ)
    assert hint in (refused.value.hint or "")


class TestRuns:
    def test_machines_share_the_batch_by_themselves(self, world: World) -> None:
        prompts = world.prompts(*ROWS)
        for task in range(4):
            world.set(
                KONTEXT_STATE_DIR=str(world.folder / f"state{task}"),
                CIRCLE_NODE_INDEX=str(task),
                CIRCLE_NODE_TOTAL="4",
            )
            ran = world.batch(prompts, "--shard", "auto")
            assert ran.code == 0
            assert f"notice: shard {task + 1}/4, from CIRCLE_NODE_INDEX\n" in ran.err
        assert len(world.accepted) == world.posts == 12
        assert [int(name[:2]) for name in world.files("out")] == list(range(1, 13))

    def test_the_part_is_not_printed_when_quiet(self, world: World) -> None:
        world.set(JOB_COMPLETION_INDEX="1")
        argv = ("generate", "-f", world.prompts(*ROWS), "-d", "out", "-p", "aimlapi", "--quiet")
        ran = world.run(*argv, "--shard", "auto/2")
        assert (ran.code, ran.err, len(ran.lines)) == (0, "", 7)

    @pytest.mark.parametrize("typed", [("--shard", "auto"), ("--shard=auto",)])
    def test_the_command_to_go_on_with_names_the_part(
        self, typed: tuple[str, ...], world: World
    ) -> None:
        world.set(CI_NODE_INDEX="1", CI_NODE_TOTAL="1")
        prompts = world.prompts("a [fault:402]")
        argv = ("generate", "-f", prompts, "-p", "aimlapi", *typed, "--preview", "auto")
        ran = world.run(*argv)
        shown = " ".join(typed).replace("auto", "1/1")
        assert f"continue with: kontext generate -f {prompts} -p aimlapi {shown} " in ran.err
        assert ran.err.endswith("--preview auto\n")

    def test_no_machine_takes_the_whole_batch_by_mistake(self, world: World) -> None:
        ran = world.batch(world.prompts(*ROWS), "--shard", "auto")
        assert (ran.code, world.posts, world.files("out")) == (2, 0, [])
        assert ran.errors[0]["code"] == "usage"
