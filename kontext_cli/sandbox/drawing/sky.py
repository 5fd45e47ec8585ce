"""The sky of a sandbox image: its gradient, the sun or moon with a halo, stars and clouds."""

from random import Random

from PIL import Image, ImageChops, ImageDraw

from kontext_cli.sandbox.drawing.palette import Palette, Rgb

_STARS = 260
_HALOS = ((11.0, 0.50), (3.2, 0.55))
"""How many radii each halo around the sun reaches, and how bright it is at its centre."""


def open_sky(size: tuple[int, int], palette: Palette, *, skyline: float) -> Image.Image:
    """The empty sky, at its lightest where the land begins."""
    height = size[1]
    return strip(size, [palette.sky(y / (height * skyline)) for y in range(height)])


def strip(size: tuple[int, int], rows: list[Rgb]) -> Image.Image:
    """A vertical gradient: one colour for each row of pixels."""
    column = Image.frombytes("RGB", (1, len(rows)), bytes(value for row in rows for value in row))
    return column.resize(size, Image.Resampling.NEAREST)


def hang_sun(
    image: Image.Image, palette: Palette, *, centre: tuple[float, float], radius: float
) -> None:
    """The sun or moon; its place in shares of the sides, its radius of the shorter one."""
    x, y = round(centre[0] * image.width), round(centre[1] * image.height)
    pixels = round(radius * min(image.size))
    light = palette.rgb(palette.mood.light)
    for reach, strength in _HALOS:
        half = round(pixels * reach)
        halo = _halo(strength).resize((2 * half, 2 * half), Image.Resampling.BILINEAR)
        image.paste(light, (x - half, y - half), halo)
    disc = Image.new("L", (8 * pixels, 8 * pixels))
    ImageDraw.Draw(disc).ellipse((0, 0, 8 * pixels - 1, 8 * pixels - 1), fill=255)
    image.paste(light, (x - pixels, y - pixels), disc.reduce(4))


def sow_stars(image: Image.Image, random: Random, palette: Palette, *, skyline: float) -> None:
    """Stars, denser and brighter towards the top."""
    pen = ImageDraw.Draw(image)
    for _ in range(_STARS):
        depth = random.random() ** 1.6 * 0.8
        shine = random.random() ** 2.5
        colour = palette.star(depth, shine=(0.25 + 0.75 * shine) * (1 - depth))
        x, y = random.uniform(0, image.width), depth * skyline * image.height
        pen.point((x, y), fill=colour)
        if shine > 0.5:
            pen.point([(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)], fill=colour)


def drift_clouds(image: Image.Image, random: Random, palette: Palette, *, skyline: float) -> None:
    """Long thin veils, drawn small and stretched, which is what makes them soft."""
    width, height = image.width, round(image.height * skyline)
    noise = Image.frombytes("L", (6, 22), random.randbytes(6 * 22))
    veil = noise.resize((width // 4, height // 4), Image.Resampling.BICUBIC)
    veil = veil.point([max(0, round((value - 138) * 1.15)) for value in range(256)])
    veil = ImageChops.multiply(veil, Image.linear_gradient("L").resize(veil.size))
    veil = veil.resize((width, height), Image.Resampling.BICUBIC)
    image.paste(palette.rgb(palette.mood.horizon), (0, 0), veil)


def _halo(strength: float) -> Image.Image:
    # Pillow's radial gradient is 0 in the middle, 181 at the middle of a side
    fades = [strength * max(1 - far / 180, 0) ** 2 for far in range(256)]
    return Image.radial_gradient("L").point([round(255 * value) for value in fades])
