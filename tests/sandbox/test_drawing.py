"""The images: exact sizes, both formats, the same every time, and edits that show their input."""

from functools import cache
from io import BytesIO
from random import Random
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageOps, ImageStat

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
    edited = opened(drawn(prompt="", size=(1184, 880), inputs=[encoded(red_and_blue())]))
    left, right = redness(edited, (60, 60, 500, 600)), redness(edited, (680, 60, 1120, 600))
    assert left - right > 150


def test_an_edit_keeps_the_input_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side: what is stored left is seen on top
    stored = encoded(red_and_blue(), "JPEG", exif=exif)
    edited = opened(drawn(prompt="", size=(880, 1184), inputs=[stored]))
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


def a_view() -> Image.Image:
    """An input of two colours: blue sky over a green meadow, with a red square between."""
    view = Image.new("RGB", (592, 440), (92, 150, 214))
    pen = ImageDraw.Draw(view)
    pen.rectangle((0, 220, 592, 440), fill=(92, 146, 60))
    pen.rectangle((250, 170, 342, 270), fill=(200, 60, 50))
    return view


SKY, GROUND, MIDDLE, WHOLE = (
    (60, 60, 1120, 300),
    (60, 560, 1120, 740),
    (480, 320, 700, 500),
    (30, 30, 1150, 770),
)
GROUND_HERE = (30, 530, 1090, 710)
"""The ground, within the whole."""


def edited(prompt: str, box: tuple[int, int, int, int] = WHOLE, **changes: Any) -> Image.Image:
    """What an edit makes of the view, within a box."""
    data = drawn(prompt=prompt, size=(1184, 880), inputs=[encoded(a_view())], **changes)
    return opened(data).convert("RGB").crop(box)


def as_it_was(box: tuple[int, int, int, int] = WHOLE) -> Image.Image:
    """The view where an edit shows it."""
    page = Image.new("RGB", (1184, 880))
    page.paste(ImageOps.fit(a_view(), (1132, 750)), (26, 26))
    return page.crop(box)


def mean(image: Image.Image) -> tuple[float, float, float]:
    red, green, blue = ImageStat.Stat(image).mean
    return red, green, blue


def far_apart(first: Image.Image, second: Image.Image) -> float:
    """The mean difference of two images, from 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def test_winter_lies_white_and_blue_on_the_ground() -> None:
    (red, green, blue), before = mean(edited("make it winter", GROUND)), mean(as_it_was(GROUND))
    assert min(red, green, blue) > 150 > max(before)
    assert blue >= green >= red


def test_night_is_dark_and_blue_with_something_bright_in_the_sky() -> None:
    night = edited("at night")
    red, _, blue = mean(night)
    assert sum(mean(night)) < 0.5 * sum(mean(as_it_was()))
    assert blue > red
    brightest = edited("at night", SKY).convert("L").point(lambda v: 255 * (v > 220))
    assert brightest.getbbox() is not None


def test_sepia_has_no_colour_but_brown() -> None:
    red, green, blue = edited("a sepia photograph", output_format="png").split()
    assert ImageChops.subtract(green, red).getbbox() is None
    assert ImageChops.subtract(blue, green).getbbox() is None
    assert ImageStat.Stat(ImageChops.subtract(red, blue)).mean[0] > 20


def test_black_and_white_has_no_colour() -> None:
    red, green, blue = edited("in black and white", output_format="png").split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()


def test_sunset_and_warmer_are_redder_rain_and_colder_bluer() -> None:
    assert redness(edited("at sunset"), GROUND_HERE) > redness(as_it_was(), GROUND_HERE)
    warm, cold = edited("warmer"), edited("colder")
    assert redness(warm, GROUND_HERE) > redness(cold, GROUND_HERE) + 20
    assert sum(mean(edited("heavy rain"))) < sum(mean(as_it_was()))


def test_autumn_turns_what_is_green() -> None:
    red, green, _ = mean(edited("autumn leaves", GROUND))
    assert red > green


def test_fog_takes_contrast_away() -> None:
    spread = [sum(ImageStat.Stat(each).stddev) for each in (edited("thick fog"), as_it_was())]
    assert spread[0] < 0.7 * spread[1]


def test_brighter_and_darker() -> None:
    levels = [sum(mean(edited(word))) for word in ("darker", "put a hat on it", "brighter")]
    assert levels == sorted(levels)


def test_mirror_and_upside_down_move_what_is_there() -> None:
    data = [encoded(red_and_blue())]
    mirrored = opened(drawn(prompt="mirror it", size=(1184, 880), inputs=data))
    left, right = redness(mirrored, (60, 60, 500, 600)), redness(mirrored, (680, 60, 1120, 600))
    assert right - left > 300
    _, green, blue = mean(edited("turn it upside down", SKY))
    assert green > blue, "the meadow is on top"


def test_closer_shows_the_middle_larger() -> None:
    def red(image: Image.Image) -> float:
        red, green, _ = image.split()
        return ImageStat.Stat(ImageChops.subtract(red, green)).mean[0]

    assert red(edited("zoom in")) > 2 * red(as_it_was())


def test_a_colour_is_put_on_what_stands_in_the_middle() -> None:
    red, _, blue = mean(edited("make the car blue", MIDDLE))
    assert blue > red + 40


def test_a_background_is_replaced_around_what_stands_in_the_middle() -> None:
    corner = (40, 40, 120, 120)
    assert redness(edited("replace the background with a red one"), corner) > 60
    assert far_apart(edited("remove the background", corner), as_it_was(corner)) > 5
    assert far_apart(edited("blur the background"), as_it_was()) > 0.5


def test_an_even_background_is_told_from_what_stands_before_it() -> None:
    studio = Image.new("RGB", (592, 440), (240, 240, 240))
    ImageDraw.Draw(studio).rectangle((200, 120, 392, 320), fill=(200, 60, 50))
    data = [encoded(studio)]
    page = opened(drawn(prompt="make the background blue", size=(1184, 880), inputs=data))
    beside, within = (300, 300, 360, 500), (440, 260, 740, 560)
    assert redness(page, beside) < -60
    assert redness(page, within) > 100


@pytest.mark.parametrize(
    "prompt", ["oil painting", "watercolour", "a pencil sketch", "pixel art", "a cartoon", "neon"]
)
def test_a_style_changes_it_and_it_can_still_be_told(prompt: str) -> None:
    image = edited(prompt)
    assert far_apart(image, as_it_was()) > 5
    sky, ground = image.crop((30, 30, 1090, 270)), image.crop(GROUND_HERE)
    assert far_apart(*(each.resize((400, 200)) for each in (sky, ground))) > 8


def test_several_words_combine() -> None:
    both = edited("a winter night")
    assert far_apart(both, edited("winter")) > 10
    assert far_apart(both, edited("night")) > 5


@pytest.mark.parametrize("prompt", ["put a hat on the dog", "", "雪", "remove the snow"])
def test_without_a_known_word_the_colours_change_with_the_seed(prompt: str) -> None:
    first, second = edited(prompt), edited(prompt, seed=8)
    assert far_apart(first, as_it_was()) > 8
    assert far_apart(first, second) > 4
    assert min(mean(edited(prompt, GROUND))) < 150, "no snow"


@pytest.mark.parametrize("prompt", ["winter", "night", "autumn", "oil painting", "watercolour"])
def test_same_edit_same_bytes(prompt: str) -> None:
    data = [encoded(a_view())]
    assert drawn(prompt=prompt, inputs=data) == drawn(prompt=prompt, inputs=data)
