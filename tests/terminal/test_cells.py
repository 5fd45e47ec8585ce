"""Text measured in cells, cut and wrapped to them."""

import pytest

from kontext_cli.terminal.cells import fitted, width_of, wrapped


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("", 0),
        ("fox", 3),
        ("Füchse", 6),
        ("Fu\u0308chse", 6),  # a combining character
        ("灯台", 4),
        ("🦊", 2),
        ("❤\ufe0f", 2),
        ("…–×", 3),
    ],
)
def test_width(text: str, cells: int) -> None:
    assert width_of(text) == cells


@pytest.mark.parametrize(
    ("text", "cells", "shown"),
    [
        ("a fox", 5, "a fox"),
        ("a fox", 4, "a f…"),
        ("a fox", 3, "a…"),
        ("灯台と霧", 8, "灯台と霧"),
        ("灯台と霧", 7, "灯台と…"),
        ("灯台と霧", 6, "灯台…"),
        ("Fu\u0308chse", 3, "Fu\u0308…"),
        ("a fox", 1, "…"),
        ("a fox", 0, ""),
        ("", 0, ""),
    ],
)
def test_fitted(text: str, cells: int, shown: str) -> None:
    assert fitted(text, cells) == shown
    assert width_of(shown) <= cells


def test_words_and_commands_are_not_broken() -> None:
    text = "for more run `kontext auth set fal` or see https://example.com/a-long-address now"
    assert list(wrapped(text, 20)) == [
        "for more run",
        "`kontext auth set fal`",
        "or see",
        "https://example.com/a-long-address",
        "now",
    ]


@pytest.mark.parametrize("cells", [1, 7, 20, 80])
def test_wrapped_lines_hold_all_words(cells: int) -> None:
    text = "a lighthouse 灯台 in fog"
    assert " ".join(wrapped(text, cells)) == text
    assert list(wrapped("", cells)) == [""]
