"""Rows that change: those with an id replace what they made, lines without one are new."""

from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from world import Ran, World

FOX, HEN, CAT = "a fox", "a hen", "a cat"
BY_PROMPT = ("--name", "{index}-{slug}")
"""Names that change with the prompt."""


def row(prompt: str, **given: Any) -> dict[str, Any]:
    return {"id": "x", "prompt": prompt, **given}


def run(world: World, *rows: dict[str, Any], argv: tuple[str, ...] = ()) -> Ran:
    """Write the rows, and run them."""
    world.write("p.jsonl", rows)
    return world.batch("p.jsonl", *argv)


class TestARowWithAnId:
    @pytest.mark.parametrize(
        ("before", "after", "reason"),
        [
            ({}, {"prompt": HEN}, "changed: prompt"),
            ({}, {"seed": 7}, "changed: seed"),
            ({"seed": 7}, {"seed": 8}, "changed: seed"),
            ({}, {"aspect_ratio": "16:9"}, "changed: aspect_ratio"),
            ({"num_images": 2}, {}, "changed: num_images"),
            ({}, {"model": "kontext-max"}, "changed: model"),
            ({}, {"provider": "fal"}, "changed: provider"),
            ({}, {"output_format": "png"}, "changed: output_format"),
            ({"guidance_scale": 2}, {"safety_tolerance": 3}, None),
        ],
    )
    def test_is_made_again_when_it_changes_and_says_in_what(
        self, before: dict[str, Any], after: dict[str, Any], reason: str | None, world: World
    ) -> None:
        world.may_be_accepted(2, FOX)
        run(world, row(FOX) | before)
        again = run(world, row(FOX) | after)
        assert again.code == 0
        if reason is not None:
            assert again.reasons == [reason]
        else:
            found = again.reasons[0].removeprefix("changed: ").split(", ")
            assert sorted(found) == ["guidance_scale", "safety_tolerance"]
        assert run(world, row(FOX) | after).reasons == ["saved"]

    def test_is_the_same_when_nothing_but_its_place_changes(self, world: World) -> None:
        run(world, row(FOX))
        moved = run(world, {"id": "new", "prompt": HEN}, row(FOX, seed=None))
        assert moved.reasons == ["new", "saved"]

    def test_replaces_its_own_file(self, world: World) -> None:
        first = run(world, row(FOX, output="x.jpg"))
        second = run(world, row(HEN, output="x.jpg"))
        assert (second.code, world.files("out")) == (0, ["x.jpg"])
        sums = [ran.jobs[0]["files"][0]["sha256"] for ran in (first, second)]
        assert sums[0] != sums[1]

    def test_takes_its_old_file_away_where_the_name_changes(self, world: World) -> None:
        run(world, row(FOX, num_images=2), argv=BY_PROMPT)
        assert world.files("out") == ["1-a-fox-1.jpg", "1-a-fox-2.jpg"]
        run(world, row(HEN), argv=BY_PROMPT)
        assert world.files("out") == ["1-a-hen.jpg"]

    def test_takes_nothing_away_before_the_new_file_is_there(self, world: World) -> None:
        run(world, row(FOX), argv=BY_PROMPT)
        assert run(world, row("a hen [fault:empty]"), argv=BY_PROMPT).code == 4
        assert world.files("out") == ["1-a-fox.jpg"]
        assert run(world, row(CAT), argv=BY_PROMPT).code == 0
        assert world.files("out") == ["1-a-cat.jpg"]

    @pytest.mark.parametrize("output", ["x.jpg", None])
    def test_leaves_a_file_that_somebody_edited(self, output: str | None, world: World) -> None:
        named = {"output": output} if output else {}
        run(world, row(FOX, **named))
        [mine] = world.files("out")
        world.write(f"out/{mine}", b"edited")
        changed = run(world, row(HEN, **named))
        assert (changed.code, changed.reasons) == (0, ["changed: prompt"])
        assert (world.out / mine).read_bytes() == b"edited"
        assert len(world.files("out")) == 2
        assert run(world, row(HEN, **named)).reasons == ["saved"]

    def test_leaves_a_file_that_is_not_its_own(self, world: World) -> None:
        run(world, row(FOX), argv=BY_PROMPT)
        world.write("out/1-a-hen.jpg", b"mine")
        posts = world.posts
        assert run(world, row(HEN), argv=BY_PROMPT).code == 8
        assert (world.posts, world.files("out")) == (posts, ["1-a-fox.jpg", "1-a-hen.jpg"])

    @pytest.mark.parametrize("fault", ["401", "empty"])
    def test_that_changes_back_before_anything_was_made_is_saved_still(
        self, fault: str, world: World
    ) -> None:
        run(world, row(FOX))
        assert run(world, row(f"a hen [fault:{fault}]")).code != 0
        assert run(world, row(FOX)).reasons == ["saved"]

    def test_replaces_its_file_wherever_one_stands(self, world: World) -> None:
        run(world, row(FOX, output="x.jpg"))
        again = run(world, row(HEN, output="x.jpg"), argv=("-d", "../here/out"))
        assert (again.code, world.files("out")) == (0, ["x.jpg"])

    def test_two_rows_may_change_places(self, world: World) -> None:
        one, two = {"id": "1", "prompt": FOX}, {"id": "2", "prompt": HEN}
        run(world, one, two)
        assert run(world, two, one).reasons == ["saved", "saved"]
        swapped = run(world, one | {"prompt": HEN, "seed": 1}, two | {"prompt": FOX, "seed": 1})
        world.may_be_accepted(2, FOX, HEN)
        assert (swapped.code, len(world.files("out"))) == (0, 2)


class TestNamesOfRowsThatAreThere:
    def test_an_inserted_line_goes_around_the_name_of_another(self, world: World) -> None:
        world.batch(world.prompts(FOX, HEN))
        ran = world.batch(world.prompts("A fox!", FOX, HEN))
        assert (ran.code, ran.reasons) == (0, ["new", "saved", "saved"])
        assert ran.paths(world.out) == ["1-a-fox-2.jpg", "1-a-fox.jpg", "2-a-hen.jpg"]

    @pytest.mark.parametrize("exists", ["skip", "overwrite", "number"])
    def test_an_inserted_line_takes_no_image_of_another_for_its_own(
        self, exists: str, world: World
    ) -> None:
        before = world.batch(world.prompts(FOX))
        ran = world.batch(world.prompts("A fox!", FOX), "--exists", exists)
        assert (ran.code, ran.reasons) == (0, ["new", "saved"])
        assert len(world.files("out")) == 2
        kept = Path(before.jobs[0]["files"][0]["path"])
        assert world.batch("prompts.txt").reasons == ["saved", "saved"]
        assert kept.exists()

    def test_two_rows_cannot_have_one_output_though_one_is_saved(self, world: World) -> None:
        one, two = row(FOX, output="x.jpg"), row(HEN, output="x.jpg") | {"id": "y"}
        run(world, one)
        ran = run(world, one, two)
        assert (ran.code, world.posts) == (2, 1)


LETTERS = (FOX, "A fox!", "a-fox", HEN)
"""Three of them make one slug."""
_round = count()


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(st.sampled_from(LETTERS), min_size=1, max_size=5), min_size=2, max_size=4))
def test_whatever_becomes_of_the_lines_only_new_ones_are_paid_for(
    world: World, versions: list[list[str]]
) -> None:
    number = next(_round)
    folder = world.folder / f"out{number}"
    before = world.accepted
    needed: Counter[str] = Counter()
    for lines in versions:
        needed |= Counter(lines)
        world.may_be_accepted(10_000, *lines)
        ran = world.batch(world.prompts(*lines, name=f"{number}.txt"), "-d", folder.name)
        assert (ran.code, set(ran.counts) <= {"saved", "skipped"}) == (0, True)
        assert [job["request"]["prompt"] for job in ran.jobs] == lines
        paths = ran.paths(folder)
        assert len(set(paths)) == len(lines)
        assert set(paths) <= set(world.files(folder.name))
        assert world.accepted - before == needed
