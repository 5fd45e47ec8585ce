"""Each file in `examples/` makes every row of a batch once, with the variables of its scheduler."""

import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from string import Template

import pytest

from world import Ran, World

EXAMPLES = Path(__file__).parents[2] / "examples"
PARTS = 4


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
BUCKET = "s3://my-bucket/"
"""Here, images go to a folder, and each machine has a journal of its own; `make engines` runs these
examples with a bucket and a journal for all."""


def read(name: str) -> str:
    return (EXAMPLES / name).read_text(encoding="utf-8")


def argv_of(name: str, variables: Mapping[str, str]) -> list[str]:
    """The arguments of its kontext command."""
    if name == "aws-batch.json":
        words = json.loads(read(name))["containerProperties"]["command"]
    elif name == "kubernetes.yaml":
        words = re.findall(r"^ {12}- (\S+)$", read(name), re.MULTILINE)
    else:
        [command] = re.findall(r"(kontext generate .*)", read(name))
        command = command.replace("${OUT:-cards}", "cards")
        words = shlex.split(Template(command).substitute(variables))
    assert words[0] == "kontext"
    return [word.replace(BUCKET, "") for word in words[1:]]


def state_of(name: str, variables: Mapping[str, str]) -> str:
    """The state folder that it gives a task; in a container, that is in its image."""
    found = re.findall(r'KONTEXT_STATE_DIR(?:=|: )"?([^\s"]+)', read(name))
    return Template(found[0]).substitute(variables) if found else "state"


@pytest.fixture
def cards(world: World) -> World:
    world.write("cards.jsonl", [{"id": f"card-{n}", "prompt": f"card {n}"} for n in range(12)])
    world.set(KONTEXT_PROVIDER="aimlapi")
    return world


def run_all(name: str, cards: World) -> Iterator[Ran]:
    """Run the tasks of an example one after the other."""
    for task in range(PARTS):
        variables = VARIABLES[name](task)
        machine = f"machine-{task}/" if name in OF_MACHINES else ""
        state = str(cards.folder / f"{machine}{state_of(name, variables)}")
        argv = argv_of(name, variables)
        yield cards.run(*argv, environ={**variables, "KONTEXT_STATE_DIR": state})


def test_each_example_is_tested_and_explained() -> None:
    names = {path.name for path in EXAMPLES.iterdir() if path.is_file()} - {"README.md"}
    assert set(re.findall(r"\]\(([^)/]+)\)", read("README.md"))) == names
    assert names - {"Dockerfile"} == VARIABLES.keys() == TOTAL.keys()


@pytest.mark.parametrize("name", VARIABLES)
def test_every_row_is_made_once(name: str, cards: World) -> None:
    [total] = {int(found) for found in re.findall(TOTAL[name], read(name))}
    assert total == PARTS
    runs = list(run_all(name, cards))
    assert [run.code for run in runs] == [0] * PARTS
    assert len(cards.accepted) == cards.posts == 12
    assert cards.files("cards") == sorted(f"card-{n}.jpg" for n in range(12))
    assert all(run.code == 0 for run in run_all(name, cards))
    assert cards.posts == 12


def test_a_part_that_lost_its_state_pays_for_no_image_again(cards: World) -> None:
    list(run_all("slurm.sh", cards))
    shutil.rmtree(cards.folder / "state")
    assert [run.code for run in run_all("slurm.sh", cards)] == [8] * PARTS
    assert cards.posts == 12


def test_the_image_has_what_the_examples_need() -> None:
    image = read("Dockerfile")
    assert 'pip install --no-cache-dir "kontext-cli[cloud,postgres]"' in image
    assert "ENV KONTEXT_STATE_DIR=/tmp/" in image  # which any user may write
