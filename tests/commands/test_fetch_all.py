"""`kontext fetch` without names: what it mentions, and that its exit code says the same."""

import pytest

from batches import Desk

LOST = "[fault:lost-reply] "
NOTHING = "notice: no unfinished jobs; nothing to fetch\n"


def lose(desk: Desk, *prompts: str) -> list[str]:
    """Submit jobs whose replies are lost; their ids."""
    return [
        str(desk("generate", LOST + prompt, "-p", "fal", "--json").records[0]["id"])
        for prompt in prompts
    ]


def test_jobs_of_unknown_outcome_are_one_notice(desk: Desk) -> None:
    ids = lose(desk, "a", "b", "c")
    ran = desk("fetch")
    assert (ran.code, ran.out) == (0, "")
    assert "error:" not in ran.err
    assert ran.err.startswith("notice: 3 jobs of unknown outcome")
    assert all(each in ran.err for each in ids)
    assert "kontext fetch JOB --resubmit" in ran.err
    as_json = desk("fetch", "--json")
    assert as_json.code == 0
    assert {job["id"] for job in as_json.records} == set(ids)
    assert {job["error"]["code"] for job in as_json.records} == {"unknown"}


def test_at_most_ten_of_them_are_named(desk: Desk) -> None:
    ids = lose(desk, *map(str, range(12)))
    err = desk("fetch").err
    assert sum(each in err for each in ids) == 10
    assert "and 2 more (kontext status --state unknown)" in err


def test_a_blocking_job_of_unknown_outcome_is_asked_about_by_nobody(desk: Desk) -> None:
    assert desk("generate", f"{LOST}x", "-p", "aimlapi").code == 11
    desk.without_keys("aimlapi")
    ran = desk("fetch")
    assert (ran.code, "error:" in ran.err) == (0, False)


def test_whatever_is_printed_as_an_error_counts(desk: Desk) -> None:
    lose(desk, "a")
    desk("generate", "x", "-p", "chainhub", "--no-wait")
    desk.without_keys("chainhub")
    ran = desk("fetch")
    assert ran.err.count("error:") == 1
    assert ran.code == 3


@pytest.mark.parametrize("fault", ["media-404", "failed", "refused"])
def test_a_job_that_has_ended_is_told_once(desk: Desk, fault: str) -> None:
    job = desk("generate", f"[fault:{fault}] x", "-p", "fal", "--no-wait").lines[0]
    first, second = desk("fetch"), desk("fetch")
    assert job in first.err
    assert first.code in (4, 5)
    assert (second.code, second.err) == (0, NOTHING)
    assert job in desk("fetch", job).err


def test_a_job_that_was_canceled_is_not_mentioned(desk: Desk) -> None:
    job = desk("generate", "[fault:stuck] x", "-p", "fal", "--no-wait").lines[0]
    assert desk("cancel", job).code == 0
    assert desk("fetch").err == NOTHING
