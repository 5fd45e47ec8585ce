"""Prices by image, by megapixel and by resolution."""

from collections.abc import Sequence

import pytest

from kontext_cli.providers.options import Price, Size, megapixels

FLAT = Price("kontext-pro", usd=0.04, dated="2026-11-29")
BY_MEGAPIXEL = Price("flux-2-pro", usd=0.03, further=0.015, inputs=0.015, dated="2026-11-29")
OF_THE_OUTPUT = Price("dev", usd=0.025, further=0.025, dated="2026-11-29")
BY_RESOLUTION = Price(
    "flux-3", usd=0.048, resolutions={"768sq": 0.041, "1k": 0.048}, dated="2026-11-29"
)
ONE, TWO, FOUR = (1024, 1024), (1920, 1080), (2048, 2048)


@pytest.mark.parametrize(
    ("size", "counted"),
    [
        ((512, 512), 1),
        ((1024, 1024), 1),
        ((1024, 1025), 2),
        ((1920, 1080), 2),
        ((2048, 2048), 4),
        ((1, 1), 1),
    ],
)
def test_megapixels_are_rounded_up(size: Size, counted: int) -> None:
    assert megapixels(size) == counted


@pytest.mark.parametrize(
    ("price", "inputs", "follows", "usd"),
    [
        (FLAT, [], False, 0.04),
        (FLAT, [FOUR, None], True, 0.04),
        (BY_MEGAPIXEL, [], False, 0.03),
        (BY_MEGAPIXEL, [ONE], False, 0.045),
        (BY_MEGAPIXEL, [TWO], False, 0.06),
        (BY_MEGAPIXEL, [TWO], True, 0.075),
        (BY_MEGAPIXEL, [ONE, FOUR], True, 0.105),
        (BY_MEGAPIXEL, [None], False, None),
        (BY_MEGAPIXEL, [ONE, None], True, None),
        (OF_THE_OUTPUT, [FOUR], True, 0.1),
        (OF_THE_OUTPUT, [None], False, 0.025),
        (OF_THE_OUTPUT, [None], True, None),
        (BY_RESOLUTION, [None], True, 0.048),
    ],
)
def test_the_sizes_of_images_count_where_the_price_is_by_megapixel(
    price: Price, inputs: Sequence[Size | None], follows: bool, usd: float | None
) -> None:
    found = price.of(inputs, follows=follows)
    assert found == (usd if usd is None else pytest.approx(usd))


def test_the_resolution_decides() -> None:
    assert BY_RESOLUTION.of([], follows=False, resolution="768sq") == 0.041
    assert BY_RESOLUTION.of([], follows=False, resolution="4k") is None
    assert FLAT.of([], follows=False, resolution="4k") == 0.04


def test_the_least_price() -> None:
    assert (FLAT.least, FLAT.varies) == (0.04, False)
    assert (BY_MEGAPIXEL.least, BY_MEGAPIXEL.varies) == (0.03, True)
    assert (BY_RESOLUTION.least, BY_RESOLUTION.varies) == (0.041, True)
