"""Servers that say more than was asked for, or hang up between requests: whose answer is whose?

The sandbox's ledger says which job was accepted for which prompt, and the relay in front of it
which bytes the image of each job has.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.sandbox.ledger import Ledger
from processes import RightHere
from relay import Relay, every, relaying
from sandbox.running import StartSandbox
from soaking import soaked

KEYS = {"FAL_KEY": "sandbox", "AIML_API_KEY": "sandbox", "CHAINHUB_API_KEY": "sandbox"}
ROWS = soaked(16, 120)


class Batches:
    """Batches against a sandbox behind a relay."""

    def __init__(self, sandbox: StartSandbox, right_here: RightHere, folder: Path) -> None:
        self._sandbox = sandbox
        self._right_here = right_here
        self._folder = folder

    def run(
        self, provider: str, rows: int, *, latency: float = 0.05, **faults: Any
    ) -> tuple[Relay, Ledger, list[dict[str, Any]]]:
        """The relay, the ledger and the job lines of one batch."""
        behind = self._sandbox(plain=True, latency=latency)
        prompts = self._folder / "prompts.txt"
        prompts.write_text("".join(f"image {number}\n" for number in range(rows)))
        with relaying(Relay(behind.url, **faults)) as relay:
            bases = {
                f"KONTEXT_{name.upper()}_BASE_URL": f"{relay.url}/{name}"
                for name in ("fal", "aimlapi", "chainhub")
            }
            argv = ("generate", "-f", "prompts.txt", "-d", "out", "--json", "-p", provider)
            done = self._right_here(*argv, cwd=self._folder, environ={**KEYS, **bases})
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return relay, behind.ledger, [line for line in lines if line["type"] == "job"]


@pytest.fixture
def batches(sandbox: StartSandbox, right_here: RightHere, tmp_path: Path) -> Batches:
    return Batches(sandbox, right_here, tmp_path)


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
    batches: Batches, provider: str, turns: int, chunked: bool
) -> None:
    ran = batches.run(provider, ROWS, doubles=submits, turns=turns, chunked=chunked)
    assert ran[0].doubled == ROWS
    check_each_has_its_own(*ran)


@pytest.mark.parametrize("turns", [0, 3])
def test_a_doubled_image_is_not_that_of_the_next_job(batches: Batches, turns: int) -> None:
    ran = batches.run("aimlapi", soaked(12, 60), doubles=images, turns=turns)
    assert ran[0].doubled
    check_each_has_its_own(*ran)


@pytest.mark.parametrize(("provider", "turns"), [("fal", 0), ("chainhub", 0), ("chainhub", 3)])
def test_doubled_statuses_and_results_fail_no_job(
    batches: Batches, provider: str, turns: int
) -> None:
    ran = batches.run(provider, soaked(12, 60), doubles=questions, turns=turns, latency=0.2)
    assert ran[0].doubled
    check_each_has_its_own(*ran)


def test_where_all_is_doubled_each_row_has_its_own(batches: Batches) -> None:
    check_each_has_its_own(*batches.run("fal", ROWS, doubles=every))


@pytest.mark.parametrize("provider", ["fal", "aimlapi"])
def test_a_connection_that_ends_as_the_next_submit_leaves_makes_nothing_unknown(
    batches: Batches, provider: str
) -> None:
    ran = batches.run(provider, soaked(12, 300), hangs_up=submits)
    check_each_has_its_own(*ran)
    assert "POST" not in ran[0].reused
