"""When to ask again, and how long to wait first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kontext_cli.http.call import Kind, Reply
from kontext_cli.http.retry import (
    LONGEST_RETRY_AFTER,
    TRIES,
    WINDOW,
    Patience,
    retry_after,
    should_ask_again,
)

NOW = "Sat, 21 Nov 2026 12:00:00 GMT"


def reply(value: str, date: str = NOW) -> Reply:
    return Reply(429, {"retry-after": value, "date": date}, b"")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("Sat, 21 Nov 2026 12:00:09 GMT", 9.0),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2026 13:00:00 GMT", LONGEST_RETRY_AFTER),
        ("9" * 400, LONGEST_RETRY_AFTER),
        ("inf", LONGEST_RETRY_AFTER),
        ("nan", None),
        ("-5", None),
        ("", None),
        ("soon", None),
        ("Sat, 31 Feb 2026 12:00:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after(reply(value)) == seconds


@pytest.mark.parametrize(
    ("status", "body", "seconds"),
    [
        (429, b'{"status": 429, "retry_after": 5}', 5.0),
        (429, b'{"retry_after": 9e9}', LONGEST_RETRY_AFTER),
        (429, b'{"retry_after": null}', None),
        (429, b'{"retry_after": {}}', None),
        (429, b"[]", None),
        (503, b'{"retry_after": 5}', None),
    ],
)
def test_retry_after_in_the_body(status: int, body: bytes, seconds: float | None) -> None:
    assert retry_after(Reply(status, {}, body)) == seconds


def test_the_header_comes_before_the_body() -> None:
    assert retry_after(Reply(429, {"retry-after": "7"}, b'{"retry_after": 5}')) == 7.0


def test_a_clock_that_is_years_off_does_not_matter() -> None:
    value = "Sat, 21 Nov 2016 12:00:05 GMT"
    assert retry_after(reply(value, date="Sat, 21 Nov 2016 12:00:00 GMT")) == 5.0


@given(st.text(st.characters(codec="latin-1")), st.text(st.characters(codec="latin-1")))
def test_retry_after_takes_anything(value: str, date: str) -> None:
    seconds = retry_after(reply(value, date))
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


@pytest.mark.parametrize(
    ("kind", "status", "body", "again"),
    [
        ("result", 200, b'{"images": []}', False),
        ("result", 200, b'{"images": [', True),
        ("result", 200, b"<html>log in first</html>", True),
        ("result", 200, b"", True),
        ("result", 202, b"", False),
        ("result", 500, b'{"detail": "boom"}', False),
        ("result", 502, b"<html>", True),
        ("result", 429, b"{}", True),
        ("status", 200, b"<html>", False),
        ("status", 503, b"{}", True),
        ("status", 503, b'{"id": "x", "status": "shedding"}', True),
        ("status", 503, b'{"id": "x", "status": "Error", "result": null}', False),
        ("status", 429, b'{"id": "x", "status": "Error", "result": null}', True),
        ("cancel", 200, b"", False),
        ("upload", 200, b"", False),
    ],
)
def test_answers_that_say_more_about_the_moment_than_about_the_job(
    kind: Kind, status: int, body: bytes, again: bool
) -> None:
    assert should_ask_again(kind, Reply(status, {}, body)) is again


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_five_tries_with_growing_waits() -> None:
    patience = Patience(roll=lambda: 0.0, clock=Clock())
    waits = [patience.next_wait() for _ in range(TRIES)]
    assert waits == [0.5, 1.0, 2.0, 4.0, None]


def test_a_wait_is_shortened_by_up_to_a_half() -> None:
    assert Patience(roll=lambda: 1.0, clock=Clock()).next_wait() == 0.25


def test_slow_failures_use_up_the_window() -> None:
    clock = Clock()
    patience = Patience(roll=lambda: 0.0, clock=clock)
    assert patience.next_wait() == 0.5
    clock.now += WINDOW
    assert patience.next_wait() is None


def test_what_a_provider_asks_for_comes_on_top() -> None:
    clock = Clock()
    patience = Patience(roll=lambda: 0.0, clock=clock)
    assert patience.next_wait(reply("20")) == 20.0
    clock.now += 20.0
    assert patience.next_wait() == 1.0
