"""How long a provider may make us wait, whatever it writes."""

from hypothesis import example, given
from hypothesis import strategies as st

from fuzz.examples import fuzzed
from kontext_cli.http.call import Reply
from kontext_cli.http.retry import LONGEST_RETRY_AFTER, TRIES, WINDOW, Patience, retry_after

DATES = (
    ["Sat, ", "Saturday, ", "", "xxx "],
    ["21 ", "21-", "0 ", "99 ", "² ", "Nov ", "-1 "],
    ["Nov ", "Nov-", "Foo ", "21, ", "11 "],
    ["2026 ", "26 ", "0 ", "1 ", "9999 ", "10000 ", "9" * 30 + " "],
    ["12:00:09", "24:00:00", "23:59:60", "12.00.09", "12:00", "1:2:3:4", "٣:٠:٠", "-1:0:0"],
    [" GMT", " EST", " +0000", " -2400", " +9999", " -99999999", " Z", "", " (x", " ("],
)
"""The pieces of a date in HTTP, each with what may stand in its place."""
dates = st.tuples(*(st.just(each[0]) | st.sampled_from(each) for each in DATES)).map("".join)
numbers = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.sampled_from(
        [
            "1_0",
            "٣",
            "²",
            "+5",
            "0x10",
            "1e400",
            "-1e400",
            "-0",
            "-0.0",
            "1e-400",
            "9" * 5000,
            " 7 ",
        ]
    ),
)
damaged = st.builds(
    lambda text, at, patch: text[: at % (len(text) + 1)] + patch + text[at % (len(text) + 1) + 1 :],
    dates,
    st.integers(0, 40),
    st.sampled_from(["", " ", ",", ":", "-", "(", '"', "\x00", "é", "99", "\\"]),
)
values = dates | damaged | numbers | st.text(st.characters(codec="latin-1"))


@fuzzed(100)
@given(value=values, date=st.none() | values)
@example("Sat, 01 Jan 0001 00:00:00 +2359", None)
@example("Fri, 31 Dec 9999 23:59:59 -2359", "Sat, 01 Jan 0001 00:00:00 +2359")
def test_a_wait_is_between_nothing_and_the_clamp(value: str, date: str | None) -> None:
    headers = {"retry-after": value} | ({} if date is None else {"date": date})
    seconds = retry_after(Reply(429, headers, b""))
    assert seconds is None or 0 <= seconds <= LONGEST_RETRY_AFTER


class Clock:
    """Stands still but for the waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@fuzzed(60)
@given(
    answers=st.lists(st.none() | values, min_size=TRIES + 3, max_size=TRIES + 3),
    roll=st.floats(0, 1, exclude_max=True),
)
def test_patience_ends_whatever_it_is_asked(answers: list[str | None], roll: float) -> None:
    clock = Clock()
    patience = Patience(roll=lambda: roll, clock=clock)
    waits = 0
    for value in answers:
        reply = None if value is None else Reply(503, {"retry-after": value}, b"")
        wait = patience.next_wait(reply)
        if wait is None:
            break
        assert 0 < wait <= LONGEST_RETRY_AFTER
        clock.now += wait
        waits += 1
    assert waits < TRIES
    assert clock.now <= WINDOW + TRIES * LONGEST_RETRY_AFTER
