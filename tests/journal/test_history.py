"""How long jobs took: the median of those that were saved, and nothing where that is not known."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from journals import Place, execute, job
from kontext_cli.job import Job, State
from kontext_cli.journal import Journal
from kontext_cli.journal.store import run_times

NOON = datetime(2026, 5, 17, 12, tzinfo=UTC)


def took(seconds: float, state: State = State.SAVED, **given: object) -> Job:
    """A job that ended so many seconds after it began."""
    end = NOON + timedelta(seconds=seconds)
    return job(state, created_at=NOON, finished_at=end, **given)


def test_the_median_of_each_model_and_operation(place: Place) -> None:
    jobs = [
        *(took(seconds, model="kontext-pro") for seconds in (4.0, 3.5, 900.0)),
        took(7.25, model="kontext-max"),
        took(60.0, model="kontext-pro", operation="edit"),
        took(0.1, State.FAILED, model="kontext-pro"),
        took(-5.0, model="kontext-max"),
        job(State.SAVED, model="kontext-max", created_at=NOON),
    ]
    with Journal.open(place) as journal:
        for each in jobs:
            journal.record(each)
        found = run_times(place)
    assert {key: round(seconds, 3) for key, seconds in found.items()} == {
        ("fal", "kontext-pro", "generate"): 4.0,
        ("fal", "kontext-max", "generate"): 7.25,
        ("fal", "kontext-pro", "edit"): 60.0,
    }


def test_only_the_last_jobs_count(place: Place) -> None:
    with Journal.open(place) as journal:
        journal.write([journal.recording(took(90.0)) for _ in range(400)])
        journal.write([journal.recording(took(2.0)) for _ in range(300)])
    assert [round(seconds) for seconds in run_times(place).values()] == [2]


@pytest.mark.parametrize("content", [None, b"", b"no journal at all" * 99])
def test_what_cannot_be_read_tells_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "journal.db").write_bytes(content)
    assert run_times(tmp_path) == {}
    assert content is None or (tmp_path / "journal.db").read_bytes() == content


def test_a_damaged_job_is_left_out(place: Place) -> None:
    with Journal.open(place) as journal:
        journal.record(took(2.0))
        journal.record(took(5.0, model="kontext-max"))
    execute(place, "UPDATE jobs SET details = '{' WHERE details LIKE '%kontext-max%'")
    assert [round(seconds) for seconds in run_times(place).values()] == [2]
