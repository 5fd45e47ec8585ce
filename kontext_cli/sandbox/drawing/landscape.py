"""A landscape in layers: sky, sun or moon, ridges in mist, and now and then a lake."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from kontext_cli.sandbox.drawing.palette import Palette, Rgb, mix

_FINE = 2
"""Shapes are drawn this many times larger and averaged down, which smooths their edges."""
_RIDGES = 6
_FIRS = {0: 0.085, 1: 0.05}
"""How tall the firs on the nearest and the next ridge are, as shares of the image's height."""
_LAKES = 0.45
"""The share of images with a lake."""
_HALOS = ((11.0, 0.50), (3.2, 0.55))
"""How many radii each halo around the sun reaches, and how bright it is at its centre."""
_MIST_DEPTH = 0.26
"""How far below its top a ridge is lost in mist, as a share of the height."""


def paint(size: tuple[int, int], random: Random, palette: Palette) -> Image.Image:
    """A landscape of the given size in pixels; the same generator state gives the same one."""
    skyline = random.uniform(0.50, 0.60)
    shore = random.uniform(0.71, 0.76) if random.random() < _LAKES else None
    roughness = random.uniform(0.45, 0.57)
    aside = random.choice((-1, 1)) * random.uniform(0.10, 0.28)
    sky = strip(size, lambda y: palette.sky(y / (size[1] * skyline)))
    scene = Scene(sky, random, palette)
    scene.sow_stars(skyline)
    scene.hang_sun(0.5 + aside, skyline - random.uniform(0.14, 0.26))
    scene.drift_clouds(skyline)
    # with a lake, one ridge fewer: all of them stand beyond it
    count, foot = (_RIDGES, 1.0) if shore is None else (_RIDGES - 1, shore)
    ground = min(foot, 0.97) - skyline
    for layer in range(count):
        share = layer / (count - 1)
        scene.raise_ridge(
            base=skyline + ground * share**1.2 * 0.94,
            swing=0.17 - 0.13 * share,
            foot=foot,
            roughness=roughness - 0.05 * share,
            nearness=layer / (_RIDGES - 1),
            firs=_FIRS.get(count - 1 - layer, 0.0) * (1.0 if shore is None else 0.6),
        )
    if shore is not None:
        scene.flood(shore, sun=0.5 + aside)
        scene.raise_ridge(base=0.975, swing=0.05, roughness=roughness, firs=0.10)
    return scene.image


def strip(size: tuple[int, int], colour: Callable[[int], Rgb]) -> Image.Image:
    """A vertical gradient, by the colour of each row of pixels."""
    column = Image.new("RGB", (1, size[1]))
    column.putdata([colour(y) for y in range(size[1])])
    return column.resize(size, Image.Resampling.NEAREST)


@dataclass(frozen=True, slots=True)
class Scene:
    """An image that is painted from far to near; lengths are shares of its width and height."""

    image: Image.Image
    random: Random
    palette: Palette

    def sow_stars(self, skyline: float) -> None:
        """Stars, denser and brighter towards the top; none are seen in a bright sky."""
        if sum(self.palette.top) > 255:
            return
        pen = ImageDraw.Draw(self.image)
        for _ in range(260):
            depth, shine = self.random.random() ** 1.6 * 0.8, self.random.random() ** 2.5
            share = (0.25 + 0.75 * shine) * (1 - depth)
            colour = mix(self.palette.sky(depth), self.palette.light, share)
            x = self.random.uniform(0, self.image.width)
            y = depth * skyline * self.image.height
            pen.point((x, y), fill=colour)
            if shine > 0.5:
                pen.point([(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)], fill=colour)

    def hang_sun(self, x: float, y: float) -> None:
        """The sun or moon, with a halo."""
        left, top = round(x * self.image.width), round(y * self.image.height)
        radius = round(self.random.uniform(0.045, 0.085) * min(self.image.size))
        for reach, strength in _HALOS:
            half = round(radius * reach)
            halo = _halo(strength).resize((2 * half, 2 * half), Image.Resampling.BILINEAR)
            self.image.paste(self.palette.light, (left - half, top - half), halo)
        disc = Image.new("L", (8 * radius, 8 * radius))
        ImageDraw.Draw(disc).ellipse((0, 0, 8 * radius - 1, 8 * radius - 1), fill=255)
        self.image.paste(self.palette.light, (left - radius, top - radius), disc.reduce(4))

    def drift_clouds(self, skyline: float) -> None:
        """Long thin veils, drawn small and stretched, which is what makes them soft."""
        width, height = self.image.width, round(self.image.height * skyline)
        veil = self._noise((6, 22), (width // 4, height // 4), least=138, gain=1.15)
        veil = ImageChops.multiply(veil, Image.linear_gradient("L").resize(veil.size))
        veil = veil.resize((width, height), Image.Resampling.BICUBIC)
        self.image.paste(self.palette.horizon, (0, 0), veil)

    def raise_ridge(
        self,
        *,
        base: float,
        swing: float,
        roughness: float,
        foot: float = 1.0,
        nearness: float = 1.0,
        firs: float = 0.0,
    ) -> None:
        """Paint a ridge over what stands behind it, fading into mist towards its foot.

        ``nearness`` is 0 far away in the haze, and 1 right in front; ``firs`` is how tall they are.
        """
        width, height = self.image.size
        crest = [(base - rise * swing) * height for rise in self._displaced(roughness)]
        top = max(round(min(crest) - 1.3 * firs * height), 0)
        size = (width, round(foot * height) - top)
        step = width * _FINE / (len(crest) - 1)
        outline = [(place * step, (y - top) * _FINE) for place, y in enumerate(crest)]
        mask = Image.new("L", (width * _FINE, size[1] * _FINE))
        pen = ImageDraw.Draw(mask)
        pen.polygon([(0, mask.height), *outline, mask.size], fill=255)
        if firs:
            self._plant(pen, outline, tall=firs * height * _FINE)
        thick, deep = 0.9 * (1 - nearness) ** 0.5, _MIST_DEPTH * height
        shades = strip(
            size, lambda y: self.palette.ridge(nearness, mist=thick * min(y / deep, 1.0))
        )
        self.image.paste(shades, (0, top), mask.reduce(_FINE))

    def flood(self, shore: float, *, sun: float) -> None:
        """Cover everything below the shore with a lake that mirrors what stands above it."""
        width, line = self.image.width, round(shore * self.image.height)
        depth = self.image.height - line
        # twice as much above the shore as the water is deep: seen from a bank, a mirror is flat
        above = self.image.crop((0, max(line - 2 * depth, 0), width, line))
        mirror = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, depth))
        mirror = mirror.filter(ImageFilter.BoxBlur((1, 4)))
        sky = strip(mirror.size, lambda y: self.palette.sky(1 - 0.75 * y / depth))
        mirror = Image.blend(mirror, sky, 0.38)
        ripples = self._noise((9, 64), mirror.size, least=175, gain=0.75)
        mirror.paste(self.palette.horizon, (0, 0), ripples)
        mirror.paste(self.palette.light, (0, 0), self._sun_path(mirror.size, sun))
        self.image.paste(mirror, (0, line))

    def _sun_path(self, size: tuple[int, int], sun: float) -> Image.Image:
        path = Image.new("L", (size[0], size[1] * _FINE))
        pen, random = ImageDraw.Draw(path), self.random
        for _ in range(110):
            depth = random.random()
            x = (sun + random.gauss(0, 0.018 + 0.03 * depth)) * path.width
            half = random.uniform(4, 10 + 26 * depth)
            y, thick = depth * path.height, 1 + round(2 * depth)
            pen.ellipse((x - half, y - thick, x + half, y + thick), fill=random.randrange(70, 215))
        return path.reduce((1, _FINE))

    def _plant(
        self, pen: ImageDraw.ImageDraw, outline: list[tuple[float, float]], *, tall: float
    ) -> None:
        # a second displaced line says where the wood is dense and high, and where it opens
        for (x, y), grove in zip(outline, self._displaced(0.6), strict=True):
            if self.random.random() < 0.10 + 0.22 * grove:
                share = min(max(grove + 0.35, 0.25), 1.2) * self.random.uniform(0.55, 1.0)
                _draw_fir(pen, x, y, tall * share)

    def _displaced(self, roughness: float) -> list[float]:
        """A jagged line of 1025 heights, by midpoint displacement."""
        heights = [self.random.uniform(-0.4, 0.8) for _ in range(3)]
        spread = 0.55
        for _ in range(9):
            finer = heights[:1]
            for left, right in pairwise(heights):
                finer += ((left + right) / 2 + self.random.uniform(-spread, spread), right)
            heights, spread = finer, spread * roughness
        return heights

    def _noise(
        self, grains: tuple[int, int], size: tuple[int, int], *, least: int, gain: float
    ) -> Image.Image:
        noise = Image.frombytes("L", grains, self.random.randbytes(grains[0] * grains[1]))
        soft = noise.resize(size, Image.Resampling.BICUBIC)
        return soft.point([max(0, round((value - least) * gain)) for value in range(256)])


def _halo(strength: float) -> Image.Image:
    # Pillow's radial gradient is 0 in the middle, 181 at the middle of a side
    fades = [strength * max(1 - far / 180, 0) ** 2 for far in range(256)]
    return Image.radial_gradient("L").point([round(255 * value) for value in fades])


def _draw_fir(pen: ImageDraw.ImageDraw, x: float, y: float, tall: float) -> None:
    for tier in range(5):
        top = y - tall * (1.0 - tier * 0.19)
        low, half = top + 0.34 * tall, tall * (0.055 + 0.036 * tier)
        pen.polygon([(x, top), (x - half, low), (x + half, low)], fill=255)
