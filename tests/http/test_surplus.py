"""Servers that say more than was asked for, or hang up between requests: whose answer is whose?

The sandbox's ledger says which job was accepted for which prompt, and the relay in front of it
which bytes the image of each job has.
"""

from typing import Any

import pytest

from kontext_cli.sandbox.ledger import Ledger
from relay import Relay, every, relaying
from soaking import soaked
from world import World

ROWS = soaked(16, 120)


def ran(
    world: World, provider: str, rows: int, *, latency: float = 0.05, **faults: Any
) -> tuple[Relay, Ledger, list[dict[str, Any]]]:
    """The relay, the ledger and the job lines of one batch against a sandbox behind a relay."""
    world.serve(latency=latency)
    prompts = world.prompts(*(f"image {number}" for number in range(rows)))
    with relaying(Relay(world.url, **faults)) as relay:
        world.move(relay.url)
        done = world.batch(prompts, "-p", provider, "--metadata", "off")
    return relay, world.ledger, done.jobs


def check_each_has_its_own(relay: Relay, ledger: Ledger, jobs: list[dict[str, Any]]) -> None:
    """See that every row was saved, under its own request id, with the bytes of its own image."""
    assert [(job["state"], job["error"]) for job in jobs] == [("saved", None)] * len(jobs)
    own = {entry.prompt: entry.request_id for entry in ledger.entries}
    assert len(own) == len(ledger.entries) == len(jobs)
    made = {path.split("/")[2]: digest for path, digest in relay.files.items()}
    for job in jobs:
        request_id = own[job["request"]["prompt"]]
        assert job["request_id"] in (request_id, None)
        assert job["files"][0]["sha256"] == made[request_id]
    assert len({job["files"][0]["sha256"] for job in jobs}) == len(jobs)


def submits(method: str, _path: str) -> bool:
    return method == "POST"


def images(_method: str, path: str) -> bool:
    return path.startswith("/files/")


def questions(method: str, path: str) -> bool:
    return method == "GET" and not path.startswith("/files/")


@pytest.mark.parametrize(
    ("provider", "turns", "chunked"),
    [("fal", 0, False), ("fal", 0, True), ("aimlapi", 0, False), ("aimlapi", 3, True)],
)
def test_a_doubled_answer_to_a_submit_is_not_that_to_the_next(
    world: World, provider: str, turns: int, chunked: bool
) -> None:
    came = ran(world, provider, ROWS, doubles=submits, turns=turns, chunked=chunked)
    assert came[0].doubled == ROWS
    check_each_has_its_own(*came)


@pytest.mark.parametrize("turns", [0, 3])
def test_a_doubled_image_is_not_that_of_the_next_job(world: World, turns: int) -> None:
    came = ran(world, "aimlapi", soaked(12, 60), doubles=images, turns=turns)
    assert came[0].doubled
    check_each_has_its_own(*came)


@pytest.mark.parametrize(("provider", "turns"), [("fal", 0), ("chainhub", 0), ("chainhub", 3)])
def test_doubled_statuses_and_results_fail_no_job(world: World, provider: str, turns: int) -> None:
    came = ran(world, provider, soaked(12, 60), doubles=questions, turns=turns, latency=0.2)
    assert came[0].doubled
    check_each_has_its_own(*came)


def test_where_all_is_doubled_each_row_has_its_own(world: World) -> None:
    check_each_has_its_own(*ran(world, "fal", ROWS, doubles=every))


@pytest.mark.parametrize("provider", ["fal", "aimlapi"])
def test_a_connection_that_ends_as_the_next_submit_leaves_makes_nothing_unknown(
    world: World, provider: str
) -> None:
    came = ran(world, provider, soaked(12, 300), hangs_up=submits)
    check_each_has_its_own(*came)
    assert "POST" not in came[0].reused
