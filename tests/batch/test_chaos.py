"""Batches whose providers fail in every way: each row ends as its fault says, and is paid once."""

import random
from collections.abc import Iterator, Mapping

import pytest

from soaking import soaked
from strained import Strained
from world import Build

SAVED_ALL_THE_SAME = (
    "poll-503",
    "poll-reset",
    "unknown-status",
    "result-503",
    "media-503",
    "media-redirect",
    "truncated-media",
    "cut-media",
    "png-for-jpeg",
    "media-404",
)
BUSY = ("429", "503")
"""These ask to come back in a second, so they come together: a second each would be a long test."""
DONE_AGAIN = ("failed", "crashed", "timed-out")
"""Not billed, as fal says of its 5xx."""
ENDS: Mapping[str, str] = {
    **dict.fromkeys((*SAVED_ALL_THE_SAME, *BUSY), "saved"),
    **dict.fromkeys(("reset", "html-502", "lost-reply"), "unknown"),
    **dict.fromkeys((*DONE_AGAIN, "invalid", "empty", "wrong-media"), "failed"),
    **dict.fromkeys(("refused", "flagged"), "moderated"),
}
"""How a row ends in its first run under a fault that strikes once."""
NOT_ACCEPTED = ("reset", "html-502")
PLAIN = 20
"""Rows without faults at the start: a batch stops if its first five refusals are identical."""
BLOCK = 300


def rows(dice: random.Random, count: int) -> Iterator[tuple[str, str | None]]:
    """Prompts, with the fault that three of ten have."""
    usual = [fault for fault in ENDS if fault not in BUSY]
    for number in range(count):
        fault = None
        if number % BLOCK in range(100, 100 + 2 * len(BUSY)):
            fault = BUSY[number % len(BUSY)]
        elif number >= PLAIN and dice.random() < 0.3:
            fault = dice.choice(usual)
        yield f"[fault:{fault}*1] row {number}" if fault else f"row {number}", fault


@pytest.mark.parametrize("seed", [1])
def test_under_faults_every_row_ends_as_its_fault_says(build: Build, seed: int) -> None:
    faults = dict(rows(random.Random(seed), soaked(160, 10_000)))
    batch = build(Strained, rows=list(faults), latency=0.02)
    first = batch.run_batch("-j", "40")
    ends = {prompt: ENDS[fault] if fault else "saved" for prompt, fault in faults.items()}
    assert first.state_of == ends
    assert first.count("failed", "moderated", "unknown", "saved") == len(faults)
    assert {prompt: batch.ledger.accepted(prompt) for prompt in faults} == {
        prompt: int(fault not in NOT_ACCEPTED) for prompt, fault in faults.items()
    }
    batch.check_files()

    free = [prompt for prompt, fault in faults.items() if fault in DONE_AGAIN]
    batch.may_be_accepted(2, *free)
    second = batch.run_batch("-j", "40")
    assert second.state_of == ends | dict.fromkeys(free, "saved")
    assert second.count("saved") == len(free)
    batch.check_files()

    batch.may_be_accepted(2, *(prompt for prompt, end in ends.items() if end != "saved"))
    last = batch.run_batch("-j", "40", "--retry-failed", "--on-unknown", "resubmit")
    assert last.code == 0
    assert last.count("saved", "skipped") == len(faults)
    batch.check_files()


def test_a_refused_key_costs_one_request_while_jobs_are_collected(build: Build) -> None:
    """What was accepted before says nothing of the key as it is now."""
    refused = [f"[fault:401] row {number}" for number in range(20)]
    batch = build(Strained, rows=["accepted", *refused], latency=0.05)
    assert batch.run_batch("--no-wait", "--limit", "1").code == 0
    before = batch.gate.count("POST")
    stopped = batch.run_batch("-j", "10")
    assert stopped.code == 3
    assert (stopped.count("saved"), stopped.count("planned")) == (1, 20)
    assert batch.gate.count("POST") == before + 1
