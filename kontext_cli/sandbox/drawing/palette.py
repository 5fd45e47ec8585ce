"""The colours of a sandbox image: hand-mixed moods, shifted a little by the request's digest."""

import math
from dataclasses import dataclass
from random import Random

Rgb = tuple[int, int, int]
Lch = tuple[float, float, float]
"""Lightness 0…1, chroma, hue in degrees, in Björn Ottosson's Oklab space."""
Lab = tuple[float, float, float]
"""The same space with straight axes: lightness, green to red, blue to yellow."""

_HUE_SHIFT = 14.0
_MIDDLE = 0.55
"""Where between the top (0) and the horizon (1) the sky has its middle colour."""


@dataclass(frozen=True, slots=True)
class Mood:
    """The light of one hour: the sky from its top to the horizon, the ridges, the sun or moon."""

    top: Lch
    middle: Lch
    horizon: Lch
    far: Lch
    near: Lch
    light: Lch
    stars: bool = False


MOODS = (
    # dawn over the lowlands
    Mood(
        top=(0.60, 0.08, 262),
        middle=(0.80, 0.065, 330),
        horizon=(0.93, 0.075, 72),
        far=(0.77, 0.065, 320),
        near=(0.23, 0.06, 288),
        light=(0.985, 0.045, 92),
    ),
    # a red evening
    Mood(
        top=(0.34, 0.11, 300),
        middle=(0.61, 0.165, 22),
        horizon=(0.87, 0.135, 76),
        far=(0.63, 0.135, 32),
        near=(0.16, 0.055, 325),
        light=(0.97, 0.085, 92),
    ),
    # a clear night
    Mood(
        top=(0.17, 0.055, 268),
        middle=(0.34, 0.08, 242),
        horizon=(0.68, 0.085, 200),
        far=(0.50, 0.07, 222),
        near=(0.12, 0.03, 250),
        light=(0.975, 0.025, 105),
        stars=True,
    ),
    # a bright morning in the hills
    Mood(
        top=(0.70, 0.095, 232),
        middle=(0.86, 0.055, 212),
        horizon=(0.965, 0.04, 98),
        far=(0.80, 0.05, 205),
        near=(0.30, 0.06, 172),
        light=(0.995, 0.03, 102),
    ),
    # dust and heat
    Mood(
        top=(0.68, 0.085, 52),
        middle=(0.82, 0.095, 66),
        horizon=(0.94, 0.065, 86),
        far=(0.77, 0.095, 52),
        near=(0.27, 0.075, 32),
        light=(0.99, 0.04, 96),
    ),
    # the lilac hour
    Mood(
        top=(0.33, 0.095, 282),
        middle=(0.57, 0.115, 318),
        horizon=(0.85, 0.095, 38),
        far=(0.60, 0.105, 334),
        near=(0.17, 0.06, 292),
        light=(0.98, 0.04, 82),
        stars=True,
    ),
    # northern green
    Mood(
        top=(0.20, 0.05, 225),
        middle=(0.42, 0.085, 190),
        horizon=(0.83, 0.115, 128),
        far=(0.57, 0.095, 168),
        near=(0.14, 0.035, 205),
        light=(0.98, 0.05, 118),
        stars=True,
    ),
    # winter afternoon
    Mood(
        top=(0.64, 0.055, 258),
        middle=(0.80, 0.045, 290),
        horizon=(0.94, 0.05, 28),
        far=(0.79, 0.045, 272),
        near=(0.31, 0.05, 262),
        light=(0.995, 0.025, 62),
    ),
)


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one image, in Oklab so that every mixture of two of them is clean."""

    mood: Mood
    shift: float

    def rgb(self, colour: Lch) -> Rgb:
        """One colour of the mood."""
        return _rgb(self._lab(colour))

    @property
    def paper(self) -> Rgb:
        """The paper the image is printed on: nearly white, a breath of the horizon."""
        return self.rgb((0.975, 0.012, self.mood.horizon[2]))

    def sky(self, depth: float) -> Rgb:
        """The sky's colour from its top (0) to the horizon (1)."""
        return _rgb(self._sky(depth))

    def star(self, depth: float, *, shine: float) -> Rgb:
        """A star in the sky; one of brightness 0 is invisible."""
        return _rgb(_mix(self._sky(depth), self._lab(self.mood.light), shine))

    def ridge(self, nearness: float, *, mist: float) -> Rgb:
        """A ridge from the farthest (0) to the nearest (1), behind a share of mist."""
        bare = _mix(self._lab(self.mood.far), self._lab(self.mood.near), nearness**1.05)
        return _rgb(_mix(bare, self._lab(self.mood.horizon), mist))

    def _sky(self, depth: float) -> Lab:
        top, middle, horizon = map(self._lab, (self.mood.top, self.mood.middle, self.mood.horizon))
        if depth < _MIDDLE:
            return _mix(top, middle, depth / _MIDDLE)
        return _mix(middle, horizon, min((depth - _MIDDLE) / (1 - _MIDDLE), 1.0))

    def _lab(self, colour: Lch) -> Lab:
        light, chroma, hue = colour
        angle = math.radians(hue + self.shift)
        return light, chroma * math.cos(angle), chroma * math.sin(angle)


def choose(random: Random) -> Palette:
    """A mood, and how far its hues are turned."""
    return Palette(mood=random.choice(MOODS), shift=random.uniform(-_HUE_SHIFT, _HUE_SHIFT))


def _mix(first: Lab, second: Lab, share: float) -> Lab:
    light, green_red, blue_yellow = (
        a + (b - a) * share for a, b in zip(first, second, strict=True)
    )
    return light, green_red, blue_yellow


def _rgb(colour: Lab) -> Rgb:
    light, green_red, blue_yellow = colour
    long = (light + 0.3963377774 * green_red + 0.2158037573 * blue_yellow) ** 3
    medium = (light - 0.1055613458 * green_red - 0.0638541728 * blue_yellow) ** 3
    short = (light - 0.0894841775 * green_red - 1.2914855480 * blue_yellow) ** 3
    return (
        _encoded(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
        _encoded(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
        _encoded(-0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short),
    )


def _encoded(linear: float) -> int:
    clipped = min(max(linear, 0.0), 1.0)
    value = 12.92 * clipped if clipped <= 0.0031308 else 1.055 * clipped ** (1 / 2.4) - 0.055
    return round(255 * value)
