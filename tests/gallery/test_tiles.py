"""Tiles are made by threads, in order, and few at a time."""

from collections.abc import Iterator

import pytest

from kontext_cli.gallery.tiles import in_threads


def test_few_items_are_taken_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1, 1001):
            taken.append(number)
            yield number

    for number, result in enumerate(in_threads(lambda item: item * 2, items()), start=1):
        assert result == 2 * number
        assert len(taken) - number <= 16
    assert len(taken) == 1000


def test_an_error_is_raised_in_its_turn() -> None:
    def invert(number: int) -> float:
        return 1 / number

    results = in_threads(invert, [2, 0, 4])
    assert next(results) == 0.5
    with pytest.raises(ZeroDivisionError):
        next(results)
