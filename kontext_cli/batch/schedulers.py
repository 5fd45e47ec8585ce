"""Which part of a batch is this machine's, by the variables that schedulers set: `--shard auto`."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from kontext_cli.errors import UsageError
from kontext_cli.words import listed

_NUMBER = re.compile(r"[0-9]{1,6}")
_SHOWN = 40
_BY_HAND = "write the part out, as in --shard 2/4"


class Scheduler(NamedTuple):
    """The variables by which a task knows its number, from ``first`` on, and the ``total``.

    ``total`` is empty for a scheduler that does not set it. Where users choose the numbers,
    variables hold the ``first`` and ``last`` of them and the ``step`` from each to the next.
    """

    name: str
    task: str
    total: str
    first: int | str = 0
    last: str = ""
    step: str = ""


SCHEDULERS = (
    Scheduler(  # slurm.schedmd.com/job_array.html
        "Slurm",
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
        first="SLURM_ARRAY_TASK_MIN",
        last="SLURM_ARRAY_TASK_MAX",
        step="SLURM_ARRAY_TASK_STEP",
    ),
    # docs.aws.amazon.com/batch/latest/userguide/job_env_vars.html
    Scheduler("AWS Batch", "AWS_BATCH_JOB_ARRAY_INDEX", "AWS_BATCH_JOB_ARRAY_SIZE"),
    # kubernetes.io/docs/concepts/workloads/controllers/job, "Completion mode"
    Scheduler("Kubernetes", "JOB_COMPLETION_INDEX", ""),
    # docs.gitlab.com/ci/variables/predefined_variables
    Scheduler("GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", first=1),
    # circleci.com/docs/variables
    Scheduler("CircleCI", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"),
    # buildkite.com/docs/pipelines/configure/environment-variables
    Scheduler("Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"),
    # support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets
    Scheduler("Bitbucket", "BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT"),
    # cloud.google.com/run/docs/container-contract
    Scheduler("Cloud Run", "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
)


class ScheduledShard(NamedTuple):
    """Part ``number`` of ``total``, counted from 1, and the variable that numbers it."""

    number: int
    total: int
    variable: str

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


def scheduled_shard(given: str, environ: Mapping[str, str]) -> ScheduledShard | None:
    """The part that a value of `--shard` stands for if it is `auto` or `auto/N`, else None.

    Raises UsageError unless one scheduler alone names the part, and it or ``N`` gives the total:
    no machine may take the whole batch by mistake.
    """
    found = re.fullmatch(r"auto(?:/([0-9]{1,6}))?", given)
    if found is None:
        return None
    scheduler = _only_one(environ)
    total = _total(scheduler, environ, found[1])
    number = _position(scheduler, environ, total) + 1
    if not 1 <= number <= total:
        raise UsageError(
            f"{scheduler.task} is {environ[scheduler.task]}, which is none of {total} parts",
            hint=f"give --shard auto/N the number of tasks that the job has, or {_BY_HAND}",
        )
    return ScheduledShard(number, total, scheduler.task)


def _only_one(environ: Mapping[str, str]) -> Scheduler:
    """The scheduler that numbers this task. Raises UsageError for several, and for none."""
    found = [each for each in SCHEDULERS if environ.get(each.task)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(
            f"--shard auto: {listed([each.task for each in found])} are set, and each names a part",
            hint=f"unset all but one of them, or {_BY_HAND}",
        )
    for each in SCHEDULERS:
        if environ.get(each.total):
            raise UsageError(
                f"--shard auto: {each.total} is set, but {each.task} is not",
                hint=f"let {each.name} run the job in parallel, or {_BY_HAND}",
            )
    if environ.get("GITHUB_ACTIONS"):
        where = "; in GitHub Actions: ${{ matrix.shard }}/${{ strategy.job-total }}"
    else:
        where = f"; auto reads {listed([each.task for each in SCHEDULERS])}"
    raise UsageError("--shard auto: no scheduler names the part", hint=_BY_HAND + where)


def _total(scheduler: Scheduler, environ: Mapping[str, str], given: str | None) -> int:
    """The number of parts, from the scheduler or from `auto/N`. Raises UsageError."""
    if environ.get(scheduler.total):
        total = _number(scheduler.total, environ)
        if given is not None and int(given) != total:
            raise UsageError(
                f"--shard auto/{given}: {scheduler.total} is {total}",
                hint=f"to run again what one of {given} tasks did, {_BY_HAND}",
            )
        return total
    if given is None:
        raise UsageError(
            f"--shard auto: {scheduler.task} is set, but nothing says how many parts there are",
            hint=f"write --shard auto/N for a job of N tasks, or {_BY_HAND}",
        )
    return int(given)


def _position(scheduler: Scheduler, environ: Mapping[str, str], total: int) -> int:
    """How many tasks stand before this one; negative for a number that no task has.

    Raises UsageError for an array with gaps, or of one task that is not the first.
    """
    index = _number(scheduler.task, environ)
    if isinstance(scheduler.first, int):
        return index - scheduler.first
    names = (scheduler.first, scheduler.last, scheduler.step)
    first, last, step = (_number(name, environ) for name in names)
    numbers = range(first, last + 1, step or last + 1)
    if len(numbers) != total or (total == 1 and first > 1):
        raise UsageError(
            f"--shard auto: this {scheduler.name} array has {total} of the tasks {first} to {last}",
            hint=f"to run again what some tasks of another array did, {_BY_HAND}",
        )
    return numbers.index(index) if index in numbers else -1


def _number(variable: str, environ: Mapping[str, str]) -> int:
    """The value of a variable. Raises UsageError if it is not a number."""
    value = environ.get(variable, "")
    if _NUMBER.fullmatch(value) is None:
        what = f"not `{value[:_SHOWN]}`" if value else "but is not set"
        raise UsageError(f"--shard auto: {variable} should be a number, {what}", hint=_BY_HAND)
    return int(value)
