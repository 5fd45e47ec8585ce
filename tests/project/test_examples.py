"""Each file in `examples/` makes every row of a batch once, with the variables of its scheduler."""

import re
import shutil
from collections.abc import Iterator

import pytest

from scheduled import EXAMPLES, OF_MACHINES, PARTS, TOTAL, VARIABLES, argv_of, read, rows, state_of
from world import Ran, World


@pytest.fixture
def cards(world: World) -> World:
    world.write("cards.jsonl", rows())
    world.set(KONTEXT_PROVIDER="aimlapi")
    return world


def run_all(name: str, cards: World) -> Iterator[Ran]:
    """Run the tasks of an example one after the other, with images in a folder; where they are in a
    bucket, and the journal is one for all, `make engines` runs them."""
    for task in range(PARTS):
        variables = VARIABLES[name](task)
        machine = f"machine-{task}/" if name in OF_MACHINES else ""
        state = str(cards.folder / f"{machine}{state_of(name, variables)}")
        argv = argv_of(name, variables, "cards")
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
