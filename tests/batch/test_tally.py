"""Counters that add up, what was spent, and the exit code of a batch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journals import job
from kontext_cli.batch.tally import KINDS, Tally
from kontext_cli.errors import (
    Expired,
    Interrupted,
    JobFailed,
    KontextError,
    Moderated,
    NameTaken,
    OutcomeUnknown,
    OutputFault,
    OverBudget,
    RejectedKey,
    StillRunning,
    TooManyFailures,
    Unreachable,
)
from kontext_cli.job import Cost, Job, State

SAVED = job(State.SAVED)
SKIPPED = job(State.SAVED, skipped=True)
PLANNED = job(State.PLANNED)
RUNNING = job(State.RUNNING)
QUEUED = job(State.QUEUED)
FAILED = job(State.FAILED, error=JobFailed("no"))
HELD = job(State.FAILED)
UNREACHED = job(State.FAILED, error=Unreachable("no"))
MODERATED = job(State.MODERATED, error=Moderated("no"))
EXPIRED = job(State.EXPIRED, error=Expired("no"))
UNKNOWN = job(State.UNKNOWN, error=OutcomeUnknown("no"))
SLOW = job(State.RUNNING, error=StillRunning("no"))
UNWRITTEN = job(State.READY, error=OutputFault("no"))
REFUSED = job(State.PLANNED, error=RejectedKey("no"))

KEY = RejectedKey("no")
BUDGET = OverBudget("no")
MANY = TooManyFailures("no")
ALIKE = TooManyFailures("no", exit_code=4)
DISK = OutputFault("no")
CTRL_C = Interrupted("no", signal_number=2)


def tally(*jobs: Job, total: int = 0, **given: Any) -> Tally:
    """A tally that has counted these."""
    counted = Tally(max(total, len(jobs)), **given)
    for each in jobs:
        counted.count(each)
    return counted


@pytest.mark.parametrize(
    ("jobs", "stop", "code"),
    [
        ([], None, 0),
        ([SAVED], None, 0),
        ([SAVED, SKIPPED], None, 0),
        ([SKIPPED], None, 0),
        ([FAILED, FAILED], None, 4),
        ([HELD], None, 4),
        ([EXPIRED, FAILED], None, 4),
        ([UNREACHED], None, 6),
        ([MODERATED, MODERATED], None, 5),
        ([UNKNOWN], None, 11),
        ([SLOW], None, 7),
        ([RUNNING], None, 7),
        ([UNWRITTEN], None, 8),
        ([FAILED, SAVED], None, 9),
        ([FAILED, SKIPPED], None, 9),
        ([UNKNOWN, SKIPPED], None, 9),
        ([FAILED, MODERATED], None, 9),
        ([UNREACHED, FAILED], None, 9),
        # what stopped it
        ([REFUSED], KEY, 3),
        ([SAVED, REFUSED], KEY, 3),
        ([FAILED, SAVED, REFUSED], KEY, 3),
        ([SAVED, SAVED], BUDGET, 10),
        ([FAILED, SAVED], BUDGET, 10),
        ([FAILED] * 5, ALIKE, 4),
        ([FAILED], MANY, 4),
        ([FAILED, SAVED], MANY, 9),
        ([UNWRITTEN], DISK, 8),
        ([UNWRITTEN, SAVED], DISK, 9),
        ([SAVED], DISK, 8),
        ([SAVED], CTRL_C, 130),
        ([FAILED, SAVED], CTRL_C, 130),
    ],
)
def test_the_exit_code_is_that_of_the_cause_or_of_what_rows_have_in_common(
    jobs: list[Job], stop: KontextError | None, code: int
) -> None:
    assert tally(*jobs).exit_code(stop) == code


@pytest.mark.parametrize(("jobs", "code"), [([QUEUED, RUNNING], 0), ([SLOW], 7), ([FAILED], 4)])
def test_jobs_that_are_left_at_the_provider_on_purpose_are_no_failure(
    jobs: list[Job], code: int
) -> None:
    assert tally(*jobs, waits=False).exit_code() == code


@given(
    st.lists(
        st.sampled_from(
            [SAVED, SKIPPED, PLANNED, RUNNING, QUEUED, FAILED, MODERATED, UNKNOWN, EXPIRED]
            + [job(state) for state in State]
        )
    ),
    st.integers(0, 5),
)
def test_the_counters_add_up_to_the_total(jobs: list[Job], not_begun: int) -> None:
    counted = tally(*jobs, total=len(jobs) + not_begun)
    record = counted.record()
    assert list(record) == ["total", *KINDS]
    assert record.pop("total") == len(jobs) + not_begun == sum(record.values())
    assert record["planned"] == counted.planned == len(jobs) + not_begun - counted.ended


@pytest.mark.parametrize(
    ("costs", "cost"),
    [
        ([], Cost(0, "estimate")),
        ([Cost(0.04, "estimate")] * 3, Cost(0.12, "estimate")),
        ([Cost(0.052, "provider")] * 2, Cost(0.104, "provider")),
        ([Cost(0.052, "provider"), Cost(0.04, "estimate")], Cost(0.092, "estimate")),
        ([Cost(None, "unknown")], Cost(None, "unknown")),
        ([Cost(None, "unknown"), Cost(0.04, "estimate")], Cost(0.04, "unknown")),
        ([Cost(0.1, "estimate")] * 10_000, Cost(1000.0, "estimate")),
    ],
)
def test_what_was_spent_is_as_certain_as_its_least_certain_part(
    costs: list[Cost], cost: Cost
) -> None:
    counted = Tally(len(costs))
    for each in costs:
        counted.spend(each)
    assert counted.cost == cost


def test_a_row_that_ended_with_an_error_of_ours_counts_by_its_state() -> None:
    counted = tally(job(State.SAVED, error=NameTaken("no")), job(State.FAILED, error=DISK))
    assert (counted.counts["saved"], counted.counts["failed"]) == (1, 1)
