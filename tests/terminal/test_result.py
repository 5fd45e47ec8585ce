"""The result of a command is printed in one place: as text, or as JSON Lines."""

import pytest

from kontext_cli.terminal.result import Result, show

RESULT = Result(
    4,
    text=["id  state", "\x1b[2J"],
    records=[{"id": "1q3x"}, {"id": "\x1b[2J"}],
    messages=["forgot 1 job"],
    errors=["error: no luck"],
)


@pytest.mark.parametrize(
    ("options", "out", "err"),
    [
        ({}, "id  state\n\\x1b[2J\n", "forgot 1 job\nerror: no luck\n"),
        (
            {"as_json": True},
            '{"id":"1q3x"}\n{"id":"\\u001b[2J"}\n',
            "forgot 1 job\nerror: no luck\n",
        ),
        ({"quiet": True}, "id  state\n\\x1b[2J\n", "error: no luck\n"),
    ],
    ids=str,
)
def test_a_result(
    capfd: pytest.CaptureFixture[str], options: dict[str, bool], out: str, err: str
) -> None:
    assert show(RESULT, **options) == 4
    assert capfd.readouterr() == (out, err)
