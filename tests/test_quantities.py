"""Times and amounts of money as people type them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.quantities import seconds, us_dollars


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("300", 300),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1e3", 1000),
        ("30s", 30),
        ("30 sec", 30),
        ("5m", 300),
        ("5 minutes", 300),
        ("2 Min", 120),
        ("1h", 3600),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("1h 30m 5s", 5405),
        ("30d", 2_592_000),
        ("2w", 1_209_600),
        (" 5m ", 300),
    ],
)
def test_a_time(typed: str, expected: float) -> None:
    assert seconds(typed) == expected


@pytest.mark.parametrize(
    "typed", ["", "m", "5x", "5m30", "5 5", "-5", "nan", "inf", "soon", "5mm", "٣", "1" * 41]
)
def test_no_time(typed: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seconds(typed)


def test_an_age_needs_a_unit() -> None:
    assert seconds("30d", bare=False) == 2_592_000
    with pytest.raises(ValueError, match="not a time"):
        seconds("30", bare=False)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("5", 5),
        ("0.50", 0.5),
        (".5", 0.5),
        ("$5", 5),
        ("5$", 5),
        ("$0.50", 0.5),
        ("5usd", 5),
        ("5 USD", 5),
        ("US$5", 5),
        ("5 dollars", 5),
        ("0", 0),
    ],
)
def test_an_amount(typed: str, expected: float) -> None:
    assert us_dollars(typed) == expected


@pytest.mark.parametrize("typed", ["", "$", "€5", "0,50", "1,000", "-1", "nan", "inf", "5c", "٣"])
def test_no_amount(typed: str) -> None:
    with pytest.raises(ValueError, match="US dollars"):
        us_dollars(typed)


@given(st.text(max_size=50))
def test_any_text_is_a_number_or_refused(typed: str) -> None:
    for read in (seconds, us_dollars):
        with suppress(ValueError):
            assert read(typed) >= 0
