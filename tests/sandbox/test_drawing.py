"""The images: exact sizes, both formats, the same every time, and edits that show their input."""

from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from kontext_cli.sandbox.drawing import image
from kontext_cli.sandbox.drawing.palette import MOODS, choose
from kontext_cli.sizes import KONTEXT_SIZES
from sandbox.clients import opened
from soaking import soaked

SIZE = (672, 1568)


def drawn(**changes: Any) -> bytes:
    wishes: dict[str, Any] = {
        "prompt": "a lighthouse in fog",
        "seed": 7,
        "size": SIZE,
        "output_format": "jpeg",
        "inputs": (),
        "number": 1,
    }
    return image.draw(**wishes | changes)


@cache
def usual() -> bytes:
    """The image to which others are compared."""
    return drawn(prompt="")


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def red_and_blue(size: tuple[int, int] = (400, 300)) -> Image.Image:
    """An input that is easily recognised: its left half red, its right half blue."""
    image = Image.new("RGB", size, "red")
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill="blue")
    return image


def redness(image: Image.Image, box: tuple[int, int, int, int]) -> float:
    red, _, blue = ImageStat.Stat(image.convert("RGB").crop(box)).mean
    return red - blue


@pytest.mark.parametrize("size", soaked(KONTEXT_SIZES[::4], KONTEXT_SIZES))
def test_has_the_size_that_was_asked_for(size: tuple[int, int]) -> None:
    assert opened(drawn(size=size)).size == size


@pytest.mark.parametrize(("output_format", "kind"), [("jpeg", "JPEG"), ("png", "PNG")])
def test_has_the_format_that_was_asked_for(output_format: str, kind: str) -> None:
    assert opened(drawn(output_format=output_format)).format == kind


def test_same_request_same_bytes() -> None:
    assert drawn() == drawn()


@pytest.mark.parametrize("change", [{"prompt": "a fox"}, {"seed": 8}, {"number": 2}])
def test_another_request_another_landscape(change: dict[str, Any]) -> None:
    first, second = opened(drawn()), opened(drawn(**change))
    window = (0, 0, SIZE[0], SIZE[1] - 200)
    assert ImageChops.difference(first.crop(window), second.crop(window)).getbbox() is not None


def test_every_mood_comes_up() -> None:
    # a turned hue keeps the brightest of the three values
    shades = {tuple(map(max, choose(Random(seed)))) for seed in range(200)}
    assert len(shades) == len(MOODS)


@pytest.mark.parametrize(
    "prompt",
    [
        "",
        "x" * 5000,
        "猫が月を見る",
        "\x00\x07\n\t",
        "é à ü — “quoted”",
        "\ud800 alone",
        "🦊" * 300,
    ],
    ids=["empty", "long", "cjk", "control", "accents", "surrogate", "emoji"],
)
def test_any_prompt_can_be_written_under_it(prompt: str) -> None:
    label = (0, SIZE[1] - 104, *SIZE)
    with_prompt, without = opened(drawn(prompt=prompt)), opened(usual())
    extrema = with_prompt.crop(label).convert("L").getextrema()
    assert with_prompt.size == without.size
    assert isinstance(extrema[0], int)
    assert isinstance(extrema[1], int)
    assert extrema[1] - extrema[0] > 128, "dark ink on light paper"


def test_an_edit_shows_its_input() -> None:
    edited = opened(drawn(size=(1184, 880), inputs=[encoded(red_and_blue())]))
    left, right = redness(edited, (60, 60, 500, 600)), redness(edited, (680, 60, 1120, 600))
    assert left - right > 150


def test_an_edit_keeps_the_input_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: what is stored left is seen on top
    edited = opened(drawn(size=(880, 1184), inputs=[encoded(red_and_blue(), "JPEG", exif=exif)]))
    assert redness(edited, (60, 60, 800, 400)) - redness(edited, (60, 700, 800, 950)) > 150


def test_further_inputs_are_laid_on_top() -> None:
    white, green = (encoded(Image.new("RGB", (300, 300), name)) for name in ("white", "green"))
    alone = opened(drawn(size=(1024, 1024), inputs=[white]))
    together = opened(drawn(size=(1024, 1024), inputs=[white, green]))
    changed = ImageChops.difference(alone, together).convert("L").point(lambda v: 255 * (v > 40))
    assert changed.getbbox() is not None
    assert ImageStat.Stat(changed).sum[0] / 255 > 200 * 200


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_any_kind_of_input_can_be_edited(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    edited = drawn(inputs=[encoded(Image.new(mode, (64, 48)), kind)])
    assert opened(edited).size == SIZE


def test_a_flagged_image_is_black() -> None:
    flagged = opened(image.black((1024, 1024), "png"))
    assert flagged.size == (1024, 1024)
    assert flagged.getbbox() is None


def test_a_placeholder_belongs_to_its_url() -> None:
    here, there = (image.placeholder(f"https://example.com/{name}.png") for name in "ab")
    assert here != there
    assert opened(here).size == opened(there).size
