"""What jobs cost, added up by the journal: by the same rule as everywhere, also if damaged."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import get_args

from journals import Place, execute, job
from kontext_cli.engine.endings import bill_so_far
from kontext_cli.errors import Billed, JobFailed
from kontext_cli.job import Cost, Job, Output, State
from kontext_cli.journal import Journal
from kontext_cli.journal.spending import grouped, usd_of


def every_kind() -> list[Job]:
    """A job of every state with every error, request id and output, each in a batch of its own."""
    errors = [None, *(JobFailed("it failed", billed=each) for each in get_args(Billed))]
    made = product(State, errors, (None, "r"), ((), (Output("https://a/b"),)))
    return [
        job(
            state,
            batch=str(number),
            request_id=request_id and f"{request_id}{number}",
            outputs=outputs,
            error=error,
        )
        for number, (state, error, request_id, outputs) in enumerate(made)
    ]


def test_a_job_counts_by_what_its_messages_say_of_its_bill(place: Place) -> None:
    jobs = every_kind()
    expected = {
        each.batch: bill_so_far(each) == "maybe"
        for each in jobs
        if each.state is not State.PLANNED and bill_so_far(each) != "no"
    }
    with Journal.open(place) as journal:
        journal.write([journal.recording(each) for each in jobs])
        found = {each.batch: each.in_doubt for each in journal.spent()}
    assert found == expected
    assert set(found.values()) == {True, False}


def test_sums_of_many_small_amounts_are_exact(place: Place) -> None:
    with Journal.open(place) as journal:
        jobs = [job(State.SAVED, cost=Cost(0.1, "estimate")) for _ in range(300)]
        journal.write([journal.recording(each) for each in jobs])
        (total,) = grouped(journal.spent(), "total").values()
    assert (total["estimate"].jobs, usd_of(total)) == (300, 30.0)


def test_what_is_odd_or_damaged_counts_at_an_unknown_price(place: Place) -> None:
    with Journal.open(place) as journal:
        for number in range(6):
            journal.record(job(State.SAVED, batch=f"füchse \x1b[31m{number}"))
    ids = [row[0] for row in execute(place, "SELECT id FROM jobs ORDER BY id")]
    odd = ("no JSON", "[]", '{"cost":{"usd":1e300}}', '{"cost":{"usd":"9"},"provider":7}')
    last = b"\xff\x00" if isinstance(place, Path) else '{"cost":{"usd":1e999999}}'
    for job_id, details in zip(ids, (*odd, last), strict=False):
        execute(place, "UPDATE jobs SET details = ? WHERE id = ?", details, job_id)
    with Journal.open(place) as journal:
        spent = journal.spent()
    (total,) = grouped(spent, "total").values()
    assert (total["unknown"].jobs, total["estimate"].jobs, usd_of(total)) == (5, 1, 0.04)
    assert set(grouped(spent, "provider")) == {"fal", None}
    assert "füchse \x1b[31m5" in grouped(spent, "batch")


def test_only_jobs_of_the_last_time(place: Place) -> None:
    now = datetime.now(UTC)
    with Journal.open(place) as journal:
        for hours in (1, 23, 25, 900):
            journal.record(job(State.SAVED, created_at=now - timedelta(hours=hours)))
        within = (timedelta(days=1), timedelta(days=30), timedelta.max, None, timedelta(0))
        counts = [sum(each.jobs for each in journal.spent(age)) for age in within]
    assert counts == [2, 3, 4, 4, 0]
