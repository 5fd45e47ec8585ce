"""The colours of a sandbox image: one of several moods, its hues turned a little at random."""

import colorsys
from random import Random
from typing import NamedTuple

from PIL import ImageColor

Rgb = tuple[int, int, int]

MOODS = {
    # the sky's top, middle and horizon, the far and the near ridges, the sun or moon
    "dawn": "#6680b0 #d6afd2 #ffe1b1 #c7a7ce #1c1737 #fffad8",
    "red evening": "#422667 #d45154 #ffc766 #ce6653 #18041a #fff4b3",
    "clear night": "#060d27 #013c5d #4fa8ad #2f6c80 #010610 #f9f8e5",
    "bright morning": "#5ca9cf #a8dbe6 #faf4d6 #98c8cd #00372a #ffffe8",
    "dust and heat": "#c38967 #efb881 #ffe9ba #e5a37b #44150d #fffcde",
    "lilac hour": "#2f2c64 #9360a3 #ffb8a1 #a6679a #110827 #fff7db",
    "northern green": "#001a27 #005b57 #b2d683 #32896d #000d10 #f5fed8",
    "winter afternoon": "#788eae #bdb9d9 #ffdfd9 #b0b9d8 #22304a #fffaed",
}
_TURN = 14 / 360
"""How far hues are turned at most, as a share of the colour circle."""
_MIDDLE = 0.55
"""Where between the top (0) and the horizon (1) the sky has its middle colour."""


class Palette(NamedTuple):
    """The colours of one image."""

    top: Rgb
    middle: Rgb
    horizon: Rgb
    far: Rgb
    near: Rgb
    light: Rgb

    @property
    def paper(self) -> Rgb:
        """The paper the image is printed on: white with a tint of the horizon."""
        return mix((255, 255, 255), self.horizon, 0.1)

    def sky(self, depth: float) -> Rgb:
        """The sky's colour from its top (0) to the horizon (1)."""
        if depth < _MIDDLE:
            return mix(self.top, self.middle, depth / _MIDDLE)
        return mix(self.middle, self.horizon, min((depth - _MIDDLE) / (1 - _MIDDLE), 1.0))

    def ridge(self, nearness: float, *, mist: float) -> Rgb:
        """A ridge from the farthest (0) to the nearest (1), behind a share of mist."""
        return mix(mix(self.far, self.near, nearness), self.horizon, mist)


def choose(random: Random) -> Palette:
    """The colours of a mood, with turned hues."""
    mood, turn = random.choice([*MOODS.values()]), random.uniform(-_TURN, _TURN)
    return Palette(*(_turned(colour, turn) for colour in mood.split()))


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """A colour between two: the first at a share of 0, the second at 1."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _turned(colour: str, turn: float) -> Rgb:
    hue, saturation, value = colorsys.rgb_to_hsv(*ImageColor.getrgb(colour)[:3])
    red, green, blue = map(round, colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value))
    return red, green, blue
