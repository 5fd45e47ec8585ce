"""What a run may spend, to the millionth of a dollar."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.engine.budget import Budget
from kontext_cli.errors import OverBudget
from kontext_cli.job import Cost

UNKNOWN = Cost(None, "unknown")


def usd(amount: float) -> Cost:
    return Cost(amount, "estimate")


@pytest.mark.parametrize(
    ("limit", "price", "count", "fits"),
    [
        (0.12, 0.04, 3, True),
        (0.12, 0.04, 4, False),
        (0.119999, 0.04, 3, False),
        (0.3, 0.1, 3, True),
        (0.7, 0.07, 10, True),
        (520.0, 0.052, 10_000, True),
        (519.99, 0.052, 10_000, False),
        (0.0, 0.0, 5, True),
        (0.0, 0.000001, 1, False),
        (0.0, 0.04, 0, True),
    ],
)
def test_a_plan_fits_to_the_last_cent_or_is_refused_whole(
    limit: float, price: float, count: int, fits: bool
) -> None:
    budget = Budget(limit)
    plan = [usd(price)] * count
    if fits:
        budget.check(plan)
    else:
        with pytest.raises(OverBudget) as refused:
            budget.check(plan)
        assert refused.value.exit_code == 10
        assert "nothing was sent" in refused.value.message
        assert refused.value.hint is not None
        enough = refused.value.hint.split("--max-cost ")[1].split()[0]
        Budget(float(enough)).check(plan)
    went = sum(budget.reserve(cost) for cost in plan)
    assert (went == count) is fits


def test_an_unknown_price_cannot_be_held_against_a_limit() -> None:
    with pytest.raises(OverBudget, match="price is not known in advance"):
        Budget(100.0).check([usd(0.04), UNKNOWN])
    assert not Budget(100.0).reserve(UNKNOWN)


def test_without_a_limit_everything_goes() -> None:
    budget = Budget(None)
    budget.check([UNKNOWN, usd(1e6)])
    assert budget.reserve(UNKNOWN)
    budget.settle(usd(1e6), usd(1e6))
    assert budget.reserve(usd(1e6))


@pytest.mark.parametrize(
    ("spent", "further"),
    [
        (None, 3),
        (usd(0.04), 2),
        (usd(0.02), 2),
        (Cost(0.052, "provider"), 1),
        (Cost(0.5, "provider"), 0),
    ],
)
def test_what_a_job_came_to_takes_the_place_of_what_was_set_aside(
    spent: Cost | None, further: int
) -> None:
    budget = Budget(0.12)
    assert budget.reserve(usd(0.04))
    budget.settle(usd(0.04), spent)
    assert sum(budget.reserve(usd(0.04)) for _ in range(5)) == further


@given(
    st.integers(0, 10**7),
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["kept", "free", "cheaper"]))),
)
def test_whatever_is_set_aside_and_given_back_the_limit_holds(
    limit: int, jobs: list[tuple[int, str]]
) -> None:
    budget = Budget(limit / 1e6)
    spent = 0
    for price, end in jobs:
        fits = spent + price <= limit
        assert budget.reserve(usd(price / 1e6)) is fits
        if not fits:
            continue
        came_to = {"kept": price, "free": 0, "cheaper": price // 2}[end]
        budget.settle(usd(price / 1e6), usd(came_to / 1e6) if came_to else None)
        spent += came_to
        assert spent <= limit


def test_what_ends_a_run_says_what_was_allowed() -> None:
    stop = Budget(0.12).exhausted()
    assert stop.exit_code == 10
    assert "$0.12" in stop.message
