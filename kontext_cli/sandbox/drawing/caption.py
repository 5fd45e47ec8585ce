"""The label under a sandbox image: the request, and that no model made it."""

import unicodedata
from bisect import bisect
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from kontext_cli.sandbox.drawing.palette import Palette

NOTICE = "SANDBOX - not made by a model"
_PROMPT_HEIGHT = 24
_NOTICE_HEIGHT = 19
_SWATCH = 9
_LOOK_ALIKES = str.maketrans({"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"'})


@dataclass(frozen=True, slots=True)
class Caption:
    """The words of a label; `number` counts the images of a job from 1."""

    prompt: str
    seed: int
    number: int


def write(image: Image.Image, caption: Caption, palette: Palette, *, top: int, side: int) -> None:
    """Write a label onto the paper from `top` down, `side` pixels in from both edges."""
    pen = ImageDraw.Draw(image)
    ink, right = palette.rgb(palette.mood.near), image.width - side
    swatches = _lay_swatches(pen, palette, right=right, middle=top + 14)
    large, small = _font(_PROMPT_HEIGHT), _font(_NOTICE_HEIGHT)
    prompt = shortened(caption.prompt, large, width=swatches - side - 24)
    pen.text((side, top), prompt, fill=ink, font=large)
    pen.text((side, top + 36), NOTICE, fill=ink, font=small)
    seed = f"seed {caption.seed}" + (f", no. {caption.number}" if caption.number > 1 else "")
    room = right - side - small.getlength(NOTICE) - 24
    pen.text(
        (right, top + 36), shortened(seed, small, width=room), fill=ink, font=small, anchor="ra"
    )


def shortened(text: str, font: ImageFont.FreeTypeFont, *, width: float) -> str:
    """The text in letters that Pillow's own font has, cut to a width in pixels."""
    line = " ".join(_renderable(text[:400]).split())
    if font.getlength(line) <= width:
        return line
    fitting = bisect(range(len(line)), width, key=lambda end: font.getlength(line[: end + 1] + "…"))
    return line[:fitting].rstrip(" ,.;:-") + "…"


def _renderable(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.translate(_LOOK_ALIKES))
    letters = (char for char in plain if not unicodedata.combining(char))
    return "".join(
        char if " " <= char <= "~" else " " if char.isspace() else "·" for char in letters
    )


def _lay_swatches(pen: ImageDraw.ImageDraw, palette: Palette, *, right: int, middle: int) -> int:
    mood = palette.mood
    left = right
    for colour in (mood.near, mood.far, mood.horizon, mood.middle, mood.top):
        left -= 2 * _SWATCH
        box = (left, middle - _SWATCH, left + 2 * _SWATCH - 1, middle + _SWATCH - 1)
        pen.rectangle(box, fill=palette.rgb(colour))
    return left


@lru_cache(maxsize=4)
def _font(height: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=height)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType, which the label needs")
    return font
