"""How many jobs are in flight: halved by refusals, raised by successes, held in between."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kontext_cli.batch.pace import Pace, within_descriptors


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("most", "refusals", "limit"),
    [
        (8, [], 8),
        (8, [(0, None)], 4),
        (8, [(0, None), (0.5, None), (0.9, None)], 4),
        (8, [(0, None), (1.1, None)], 2),
        (8, [(0, None), (0.9, None), (1.1, None)], 2),
        (8, [(0, 5.0), (3, 5.0)], 4),
        (8, [(0, 5.0), (6, 5.0)], 2),
        (8, [(n * 2, None) for n in range(9)], 1),
        (1, [(0, None)], 1),
        (5, [(0, None)], 2),
    ],
)
def test_refusals_of_one_moment_halve_it_once(
    most: int, refusals: list[tuple[float, float | None]], limit: int
) -> None:
    clock = Clock()
    pace = Pace(most, clock=clock)
    for at, wait in refusals:
        clock.now = 100.0 + at
        pace.throttled(wait)
    assert pace.limit == limit


def test_as_many_successes_as_fit_raise_it_by_one_and_never_above_the_most() -> None:
    pace = Pace(4, clock=Clock())
    pace.throttled(None)
    limits = []
    for _ in range(12):
        pace.succeeded()
        limits.append(pace.limit)
    assert limits == [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]


def test_a_refusal_makes_earlier_successes_count_no_more() -> None:
    clock = Clock()
    pace = Pace(8, clock=clock)
    pace.throttled(None)
    for _ in range(3):
        pace.succeeded()
    clock.now += 2
    pace.throttled(None)
    pace.succeeded()
    assert pace.limit == 2


def test_the_provider_is_left_in_peace_for_as_long_as_it_asks() -> None:
    clock = Clock()
    pace = Pace(8, clock=clock)
    assert pace.wait == 0
    pace.throttled(5.0)
    pace.throttled(1.0)
    assert pace.wait == 5.0
    clock.now += 4
    assert pace.wait == 1.0
    clock.now += 4
    assert pace.wait == 0


@settings(max_examples=50)
@given(
    st.integers(1, 20),
    st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["429", "429 for 2 s", "success"]))),
)
def test_it_is_never_above_the_most_nor_below_one(
    most: int, events: list[tuple[float, str]]
) -> None:
    clock = Clock()
    pace = Pace(most, clock=clock)
    for passed, what in events:
        clock.now += passed
        if what == "success":
            pace.succeeded()
        else:
            pace.throttled(2.0 if "for" in what else None)
        assert 1 <= pace.limit <= most


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize(
    ("files", "jobs", "bears"), [(1024, 8, 8), (256, 500, 64), (70, 8, 2), (20, 8, 1), (-1, 9, 9)]
)
def test_no_more_jobs_than_the_process_may_open_files(
    files: int, jobs: int, bears: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    limit = resource.RLIM_INFINITY if files < 0 else files
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (limit, limit))
    assert within_descriptors(jobs) == bears
