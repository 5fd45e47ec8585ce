"""Prices by image, by megapixel and by resolution."""

from collections.abc import Sequence

import pytest

from kontext_cli.providers import provider_class
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


@pytest.mark.parametrize(
    ("model", "size", "usd"),
    [
        ("flux-2-pro", (1024, 1024), 0.03),
        ("flux-2-pro", (1920, 1080), 0.045),
        ("flux-2-pro", (512, 512), 0.03),
        ("flux-2-flex", (1024, 1024), 0.05),
        ("flux-2-flex", (1920, 1080), 0.10),
        ("flux-2-flex", (512, 512), 0.05),
        ("flux-2-max", (1024, 1024), 0.07),
        ("flux-2-max", (1920, 1080), 0.10),
    ],
)
def test_the_examples_on_the_pages_of_fal(model: str, size: Size, usd: float) -> None:
    price = provider_class("fal")().price(model)
    assert price is not None
    assert price.by_megapixels(megapixels(size)) == pytest.approx(usd)


@pytest.mark.parametrize(
    ("model", "usd"), [("flux-2-pro", 0.045), ("flux-2-max", 0.10), ("flux-2-flex", 0.10)]
)
def test_the_makers_table_of_edits_of_one_megapixel(model: str, usd: float) -> None:
    price = provider_class("fal")().price(model)
    assert price is not None
    assert price.by_megapixels(1, inputs=1) == pytest.approx(usd)
