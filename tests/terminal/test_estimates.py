"""How far a job is: by what its provider logs, and by how long such jobs took."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from journals import job
from kontext_cli.job import State
from kontext_cli.terminal.estimates import Estimates, estimated_percent, logged_percent


@pytest.mark.parametrize(
    ("lines", "percent"),
    [
        ([" 43%|████▎     | 12/28 [00:03<00:04,  3.70it/s]"], 43),
        (["  0%|          | 0/28 [00:00<?, ?it/s]"], 0),
        (["100%|██████████| 28/28 [00:07<00:00,  3.71it/s]"], 100),
        (["Denoising:  71%|#######1  | 20/28"], 71),
        (["\r  4%|▎| 1/28\r  7%|▋| 2/28\r 11%|█| 3/28"], 11),
        (["10%|# | 1/10", "20%|## | 2/10", "warming up"], 20),
        (["first\n 25%|##5 | 1/4\n"], 25),
        (["progress: 43 %"], 43),
        (["43.5%|####"], 43),
        (["warming up"], None),
        (["12/28 steps"], None),
        (["12it [00:03,  3.70it/s]"], None),
        (["keep 90% of the cache, please"], None),
        (["image-43%|"], None),
        (["999%|##"], None),
        ([], None),
    ],
)
def test_progress_bars_in_logs(lines: list[str], percent: int | None) -> None:
    assert logged_percent(lines) == percent


@given(st.lists(st.text(), max_size=3))
def test_any_log_is_read(lines: list[str]) -> None:
    percent = logged_percent(lines)
    assert percent is None or 0 <= percent <= 100


def test_a_log_of_any_length_is_read_quickly_from_its_end() -> None:
    assert logged_percent(["9" * 3_000_000 + " 43%| 3/7"]) == 43


@pytest.mark.parametrize(
    ("seconds", "percent"), [(0, 0), (-3, 0), (2, 20), (5, 50), (8, 80), (10, 92), (1e9, 99)]
)
def test_an_estimate_grows_with_the_time_and_slows_down(seconds: float, percent: int) -> None:
    assert estimated_percent(seconds, 10.0) == percent


@given(
    st.lists(st.floats(0, 1e12), min_size=2, max_size=9).map(sorted),
    st.floats(0, 1e12),
)
def test_an_estimate_never_goes_back_and_never_reaches_the_end(
    seconds: list[float], usual: float
) -> None:
    percents = [estimated_percent(each, usual) for each in seconds]
    assert percents == sorted(percents)
    assert 0 <= percents[0] <= percents[-1] < 100


def test_the_past_is_looked_up_once_in_the_background_and_only_when_asked_for() -> None:
    started: list[Callable[[], None]] = []
    looked_up: list[bool] = []

    def look_up() -> dict[tuple[str, str, str], float]:
        looked_up.append(True)
        return {("fal", "kontext-pro", "generate"): 4.0}

    estimates = Estimates(look_up, start=started.append)
    each = job(State.RUNNING, provider="fal", model="kontext-pro", operation="generate")
    assert (started, looked_up) == ([], [])
    assert estimates.usual_seconds(each) is None
    assert (len(started), looked_up) == (1, [])
    started[0]()
    assert estimates.usual_seconds(each) == 4.0
    each.model = "kontext-max"
    assert estimates.usual_seconds(each) is None
    assert (len(started), looked_up) == (1, [True])
