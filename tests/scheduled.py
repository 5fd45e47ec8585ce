"""The files in `examples/`: the command of each, and what its scheduler sets for it."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from string import Template

EXAMPLES = Path(__file__).parents[1] / "examples"
PARTS = 4
ROWS = 12


def of_slurm(task: int) -> Mapping[str, str]:
    numbers = {"ID": task + 1, "MIN": 1, "MAX": PARTS, "COUNT": PARTS, "STEP": 1}
    return {f"SLURM_ARRAY_TASK_{name}": str(value) for name, value in numbers.items()}


def of_github(task: int) -> Mapping[str, str]:
    """There, the workflow puts the part into a variable of its own."""
    [shard] = re.findall("SHARD: (.*)", read("github-matrix.yml"))
    shard = shard.replace("${{ matrix.shard }}", str(task + 1))
    return {"SHARD": shard.replace("${{ strategy.job-total }}", str(PARTS))}


VARIABLES: Mapping[str, Callable[[int], Mapping[str, str]]] = {
    "slurm.sh": of_slurm,
    "kubernetes.yaml": lambda task: {"JOB_COMPLETION_INDEX": str(task)},
    "aws-batch.json": lambda task: {
        "AWS_BATCH_JOB_ARRAY_INDEX": str(task),
        "AWS_BATCH_JOB_ARRAY_SIZE": str(PARTS),
    },
    "github-matrix.yml": of_github,
    "gitlab-ci.yml": lambda task: {"CI_NODE_INDEX": str(task + 1), "CI_NODE_TOTAL": str(PARTS)},
}
"""What is set in each task, counted from 0."""
TOTAL = {
    "slurm.sh": r"--array=1-(\d)",
    "kubernetes.yaml": r"completions: (\d)",
    "aws-batch.json": r"auto/(\d)",
    "github-matrix.yml": r"shard: \[.*(\d)\]",
    "gitlab-ci.yml": r"parallel: (\d)",
}
"""Where each says how many tasks there are."""
OF_MACHINES = {"github-matrix.yml", "gitlab-ci.yml", "kubernetes.yaml", "aws-batch.json"}
"""Each machine has a state folder to itself."""


def read(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


def argv_of(name: str, variables: Mapping[str, str], out: str) -> list[str]:
    """The arguments of its kontext command; ``out`` is where its images go."""
    if name == "aws-batch.json":
        words = json.loads(read(name))["containerProperties"]["command"]
    elif name == "kubernetes.yaml":
        words = re.findall(r"^ {12}- (\S+)$", read(name), re.MULTILINE)
    else:
        [command] = re.findall(r"(kontext generate .*)", read(name))
        command = command.replace("${OUT:-cards}", out).replace("-d cards", f"-d {out}")
        words = shlex.split(Template(command).substitute(variables))
    assert words[0] == "kontext"
    return [word.replace("s3://my-bucket/cards", out) for word in words[1:]]


def state_of(name: str, variables: Mapping[str, str]) -> str:
    """The state folder that it gives a task; in a container, that is in its image."""
    found = re.findall(r'KONTEXT_STATE_DIR(?:=|: )"?([^\s"]+)', read(name))
    return Template(found[0]).substitute(variables) if found else "state"


def rows() -> list[dict[str, str]]:
    """The cards that they make."""
    return [{"id": f"card-{n}", "prompt": f"card {n}"} for n in range(ROWS)]
