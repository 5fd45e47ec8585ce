"""The label under a sandbox image: the request, and that no model made it."""

import unicodedata
from bisect import bisect
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

from kontext_cli.sandbox.drawing.palette import Palette

NOTICE = "SANDBOX - not made by a model"
_SWATCH = 18
_LOOK_ALIKES = str.maketrans({"–": "-", "—": "-", "‘": "'", "’": "'", "“": '"', "”": '"'})

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_font = lru_cache(maxsize=2)(ImageFont.load_default)


def write(
    image: Image.Image, palette: Palette, *, prompt: str, seed: str, top: int, side: int
) -> None:
    """Write a label onto the paper from `top` down, `side` pixels in from both edges."""
    pen, ink, right = ImageDraw.Draw(image), palette.near, image.width - side
    large, small = _font(24), _font(19)
    left = right - 5 * _SWATCH
    for place, colour in enumerate(palette[4::-1]):
        x = right - (place + 1) * _SWATCH
        pen.rectangle((x, top + 5, x + _SWATCH - 1, top + 5 + _SWATCH - 1), fill=colour)
    pen.text((side, top), _shortened(prompt, large, left - side - 24), fill=ink, font=large)
    pen.text((side, top + 36), NOTICE, fill=ink, font=small)
    fitting = _shortened(seed, small, right - side - small.getlength(NOTICE) - 24)
    pen.text((right, top + 36), fitting, fill=ink, font=small, anchor="ra")


def _shortened(text: str, font: Font, width: float) -> str:
    """The text in letters that Pillow's own font has, cut to a width in pixels."""
    plain = unicodedata.normalize("NFKD", text[:400].translate(_LOOK_ALIKES))
    letters = (char for char in plain if not unicodedata.combining(char))
    shown = (char if char.isspace() or " " <= char <= "~" else "·" for char in letters)
    line = " ".join("".join(shown).split())
    if font.getlength(line) <= width:
        return line
    fitting = bisect(range(len(line)), width, key=lambda end: font.getlength(line[: end + 1] + "…"))
    return line[:fitting].rstrip(" ,.;:-") + "…"
