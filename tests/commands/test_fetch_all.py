"""`kontext fetch` without names: what it mentions, and that its exit code says the same."""

import pytest

from world import World

LOST = "[fault:lost-reply] "
NOTHING = "notice: no unfinished jobs; nothing to fetch\n"


def lose(world: World, *prompts: str) -> list[str]:
    """Submit jobs whose replies are lost; their ids."""
    return [
        str(world.run("generate", LOST + prompt, "-p", "fal", "--json").records[0]["id"])
        for prompt in prompts
    ]


def test_jobs_of_unknown_outcome_are_one_notice(world: World) -> None:
    ids = lose(world, "a", "b", "c")
    ran = world.run("fetch")
    assert (ran.code, ran.out) == (0, b"")
    assert "error:" not in ran.err
    assert ran.err.startswith("notice: 3 jobs have an unknown outcome")
    assert all(each in ran.err for each in ids)
    assert "kontext fetch JOB --resubmit" in ran.err
    as_json = world.run("fetch", "--json")
    assert as_json.code == 0
    assert {job["id"] for job in as_json.records} == set(ids)
    assert {job["error"]["code"] for job in as_json.records} == {"unknown"}


def test_at_most_ten_of_them_are_named(world: World) -> None:
    ids = lose(world, *map(str, range(12)))
    err = world.run("fetch").err
    assert sum(each in err for each in ids) == 10
    assert "and 2 more (kontext status --state unknown)" in err


def test_a_blocking_job_of_unknown_outcome_is_asked_about_by_nobody(world: World) -> None:
    assert world.run("generate", f"{LOST}x", "-p", "aimlapi").code == 11
    world.without_keys("aimlapi")
    ran = world.run("fetch")
    assert (ran.code, "error:" in ran.err) == (0, False)


def test_whatever_is_printed_as_an_error_counts(world: World) -> None:
    lose(world, "a")
    world.run("generate", "x", "-p", "chainhub", "--no-wait")
    world.without_keys("chainhub")
    ran = world.run("fetch")
    assert ran.err.count("error:") == 1
    assert ran.code == 3


@pytest.mark.parametrize("fault", ["media-404", "failed", "refused"])
def test_a_job_that_has_ended_is_told_once(world: World, fault: str) -> None:
    job = world.run("generate", f"[fault:{fault}] x", "-p", "fal", "--no-wait").lines[0]
    first, second = world.run("fetch"), world.run("fetch")
    assert job in first.err
    assert first.code in (4, 5)
    assert (second.code, second.err) == (0, NOTHING)
    assert job in world.run("fetch", job).err


def test_a_job_that_was_canceled_is_not_mentioned(world: World) -> None:
    job = world.run("generate", "[fault:stuck] x", "-p", "fal", "--no-wait").lines[0]
    assert world.run("cancel", job).code == 0
    assert world.run("fetch").err == NOTHING
