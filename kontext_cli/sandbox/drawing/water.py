"""A lake: what stands above the shore, mirrored and rippled, with the sun's path on it."""

from random import Random

from PIL import Image, ImageDraw, ImageFilter

from kontext_cli.sandbox.drawing.palette import Palette
from kontext_cli.sandbox.drawing.sky import strip

_FINE = 2


def flood(
    image: Image.Image, random: Random, palette: Palette, *, shore: float, sun: float
) -> None:
    """Cover everything below the shore with water."""
    width, height = image.size
    line = round(shore * height)
    depth = height - line
    # twice as much above the shore as the water is deep: seen from a bank, a mirror is flattened
    above = image.crop((0, max(line - 2 * depth, 0), width, line))
    mirror = above.transpose(Image.Transpose.FLIP_TOP_BOTTOM).resize((width, depth))
    mirror = mirror.filter(ImageFilter.BoxBlur((1, 4)))
    sky = strip(mirror.size, [palette.sky(1 - 0.75 * y / depth) for y in range(depth)])
    mirror = Image.blend(mirror, sky, 0.38)
    mirror.paste(palette.rgb(palette.mood.horizon), (0, 0), _ripples(mirror.size, random))
    mirror.paste(palette.rgb(palette.mood.light), (0, 0), _sunpath(mirror.size, random, sun=sun))
    image.paste(mirror, (0, line))


def _ripples(size: tuple[int, int], random: Random) -> Image.Image:
    width, height = size
    noise = Image.frombytes("L", (9, 64), random.randbytes(9 * 64))
    waves = noise.resize((width, height), Image.Resampling.BICUBIC)
    return waves.point([max(0, round((value - 175) * 0.75)) for value in range(256)])


def _sunpath(size: tuple[int, int], random: Random, *, sun: float) -> Image.Image:
    width, height = size[0], size[1] * _FINE
    path = Image.new("L", (width, height))
    pen = ImageDraw.Draw(path)
    for _ in range(110):
        depth = random.random()
        x = sun * width + random.gauss(0, 0.018 + 0.03 * depth) * width
        half = random.uniform(4, 10 + 26 * depth)
        y, thick = depth * height, 1 + round(2 * depth)
        pen.ellipse((x - half, y - thick, x + half, y + thick), fill=random.randrange(70, 215))
    return path.reduce((1, _FINE))
