"""Mountain ridges by midpoint displacement, each fading into mist at its foot, some with firs."""

from dataclasses import dataclass
from itertools import pairwise
from random import Random

from PIL import Image, ImageDraw

from kontext_cli.sandbox.drawing.palette import Palette, Rgb
from kontext_cli.sandbox.drawing.sky import strip

_FINE = 2
"""Shapes are drawn this many times larger and averaged down, which smooths their edges."""
_LEVELS = 9
"""Halvings of a ridge: 2 · 2⁹ + 1 points, one for about each pixel."""


_MIST_DEPTH = 0.26
"""How far below its top a ridge is lost in mist, as a share of the height."""


@dataclass(frozen=True, slots=True)
class Ridge:
    """One ridge; lengths in shares of the image's height.

    ``nearness`` runs from 0, far away in the haze, to 1, right in front.
    """

    base: float
    swing: float
    foot: float
    roughness: float
    nearness: float
    firs: float


def raise_ridge(image: Image.Image, ridge: Ridge, random: Random, palette: Palette) -> None:
    """Paint one ridge over what stands behind it."""
    width, height = image.size
    swing = ridge.swing * height
    heights = _displaced(random, roughness=ridge.roughness)
    crest = [ridge.base * height - rise * swing for rise in heights]
    top = max(round(min(crest) - 1.3 * ridge.firs * height), 0)
    size = (width, round(ridge.foot * height) - top)
    mask = _silhouette(size, [y - top for y in crest], random, firs=ridge.firs * height)
    image.paste(strip(size, _shades(ridge, palette, size[1], height)), (0, top), mask)


def _shades(ridge: Ridge, palette: Palette, rows: int, height: int) -> list[Rgb]:
    thick = 0.9 * (1 - ridge.nearness) ** 0.5
    mist = [thick * min(y / (_MIST_DEPTH * height), 1.0) for y in range(rows)]
    return [palette.ridge(ridge.nearness, mist=share) for share in mist]


def _silhouette(
    size: tuple[int, int], crest: list[float], random: Random, *, firs: float
) -> Image.Image:
    width, height = size[0] * _FINE, size[1] * _FINE
    step = width / (len(crest) - 1)
    outline = [(index * step, y * _FINE) for index, y in enumerate(crest)]
    mask = Image.new("L", (width, height))
    pen = ImageDraw.Draw(mask)
    pen.polygon([(0, height), *outline, (width, height)], fill=255)
    if firs:
        _plant(pen, outline, random, tall=firs * _FINE)
    return mask.reduce(_FINE)


def _plant(
    pen: ImageDraw.ImageDraw,
    outline: list[tuple[float, float]],
    random: Random,
    *,
    tall: float,
) -> None:
    # a second displaced line says where the wood is dense and high, and where it opens
    groves = _displaced(random, roughness=0.6)
    for (x, y), grove in zip(outline, groves, strict=True):
        if random.random() < 0.10 + 0.22 * grove:
            _fir(pen, x, y, tall * min(max(grove + 0.35, 0.25), 1.2) * random.uniform(0.55, 1.0))


def _fir(pen: ImageDraw.ImageDraw, x: float, y: float, tall: float) -> None:
    foot = y + 0.1 * tall
    for tier in range(5):
        top = foot - tall * (1.1 - tier * 0.19)
        low, half = top + 0.34 * tall, tall * (0.055 + 0.036 * tier)
        pen.polygon([(x, top), (x - half, low), (x + half, low)], fill=255)


def _displaced(random: Random, *, roughness: float) -> list[float]:
    heights = [random.uniform(-0.4, 0.8) for _ in range(3)]
    spread = 0.55
    for _ in range(_LEVELS):
        finer = heights[:1]
        for left, right in pairwise(heights):
            finer += ((left + right) / 2 + random.uniform(-spread, spread), right)
        heights, spread = finer, spread * roughness
    return heights
