"""Edits of season, weather and time of day: light and colours, and what falls from the sky."""

from functools import partial
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from kontext_cli.sandbox.drawing import toning
from kontext_cli.sandbox.drawing.landscape import Scene, strip
from kontext_cli.sandbox.drawing.palette import Palette, Rgb, mix

_SNOW = (244, 248, 255)
_DRIFT = Palette(_SNOW, _SNOW, _SNOW, _SNOW, (226, 235, 249), _SNOW)
_LEAVES = ((214, 92, 18), (236, 158, 28), (170, 46, 22), (122, 62, 20))
_PETALS = ((255, 214, 228), (250, 178, 205), (255, 240, 245))
_FLAKES = ((900, 1.2), (260, 2.4), (70, 5.0))
"""How many flakes are far, nearer and near, in a megapixel, and their radius in pixels."""
_DUSK = ((64, 34, 104), (238, 96, 58), (255, 176, 72), (54, 22, 40))
_DAWN = ((128, 142, 196), (246, 172, 170), (255, 222, 164), (112, 92, 96))
_LAMP = (255, 198, 96)


def winter(image: Image.Image, random: Random) -> Image.Image:
    """Snow on the ground and on all that stands against the sky, cold light, and snowfall."""
    grey = ImageOps.grayscale(image)
    cold = toning.washed(toning.balanced(toning.saturated(image, 0.4), (0.9, 1, 1.14)), _SNOW, 0.2)
    covered = ImageOps.colorize(
        ImageOps.autocontrast(grey, cutoff=1),
        black=(112, 130, 164), mid=(214, 225, 243), white=(252, 253, 255), midpoint=80,
    )  # fmt: skip
    scene = Image.composite(covered, cold, _lower(image.size, above=0.3, below=0.75))
    scene.paste(_SNOW, (0, 0), _ledges(grey))
    Scene(scene, random, _DRIFT).raise_ridge(base=0.98, swing=0.07, roughness=0.36)
    for count, radius in _FLAKES:
        _snow(scene, random, count, radius)
    return scene


def autumn(image: Image.Image, random: Random) -> Image.Image:
    """What is green turns orange, the light is low and warm, and leaves fall."""
    red, green, blue = image.split()
    leafy = toning.gained(ImageChops.subtract(green, ImageChops.lighter(red, blue)), 6)
    turned = image.convert("RGB", (0.75, 0.75, 0, 0, 0.3, 0.42, 0, 0, 0.1, 0.1, 0.2, 0))
    warm = toning.balanced(Image.composite(turned, image, leafy), (1.12, 0.98, 0.78))
    warm = Image.blend(warm, ImageChops.soft_light(warm, _plain(warm, (232, 130, 40))), 0.6)
    return _strewn(warm, random, _LEAVES, 90, 13)


def spring(image: Image.Image, random: Random) -> Image.Image:
    """Fresh green, and petals in the air."""
    fresh = toning.bent(toning.balanced(toning.saturated(image, 1.25), (0.98, 1.1, 0.94)), 0.8)
    return _strewn(fresh, random, _PETALS, 130, 8)


def summer(image: Image.Image, random: Random) -> Image.Image:
    """Strong colours in warm and bright light."""
    return _glowing(toning.warmer(toning.vivid(toning.bent(image, 0.8), random), random), random)


def rain(image: Image.Image, random: Random) -> Image.Image:
    """Dull and dark, behind slanting streaks."""
    dull = toning.balanced(toning.saturated(image, 0.45), (0.62, 0.69, 0.78))
    streaks = Image.new("L", image.size)
    pen, slant = ImageDraw.Draw(streaks), random.uniform(-0.28, 0.28)
    for _ in range(_number(image, 1100)):
        x, y = _place(random, image)
        long, bright = random.uniform(14, 58), random.randrange(50, 170)
        pen.line((x, y, x + slant * long, y + long), fill=bright, width=random.choice((1, 1, 2)))
    dull.paste((214, 224, 236), (0, 0), streaks.filter(ImageFilter.BoxBlur((0.4, 2))))
    return dull


def storm(image: Image.Image, random: Random) -> Image.Image:
    """Rain in the dark, and a flash of lightning."""
    dark = toning.balanced(image, (0.62, 0.62, 0.72))
    bolt = Image.new("L", image.size)
    x, y = random.uniform(0.2, 0.8) * image.width, 0.0
    points = [(x, y)]
    while y < 0.55 * image.height:
        x, y = x + random.uniform(-0.04, 0.04) * image.width, y + image.height / 22
        points.append((x, y))
    ImageDraw.Draw(bolt).line(points, fill=255, width=4)
    glow = bolt.reduce(4).filter(ImageFilter.GaussianBlur(7)).resize(image.size)
    dark.paste((190, 200, 255), (0, 0), toning.gained(glow, 3.0))
    dark.paste((250, 250, 255), (0, 0), bolt.filter(ImageFilter.BoxBlur(1)))
    return rain(dark, random)


def fog(image: Image.Image, random: Random) -> Image.Image:
    """Pale and without contrast, in drifting banks."""
    pale = toning.washed(toning.saturated(image, 0.55), (208, 214, 220), 0.38)
    noise = Image.frombytes("L", (5, 9), random.randbytes(45))
    banks = noise.resize(image.size, Image.Resampling.BICUBIC)
    banks = toning.gained(banks, 0.8)
    pale.paste((224, 229, 233), (0, 0), banks)
    return pale


def night(image: Image.Image, random: Random) -> Image.Image:
    """Dark and blue under a moon and stars, with light in a few windows."""
    grey = ImageOps.grayscale(image)
    dark = toning.balanced(toning.saturated(image, 0.35), (0.17, 0.24, 0.42))
    dark = ImageChops.multiply(dark, strip(image.size, partial(_dimmed, image.height)))
    dark = ImageChops.add(dark, _plain(image, (3, 6, 17)))
    _sow_stars(dark, grey, random)
    _hang_moon(dark, random)
    _light_windows(dark, grey, random)
    return dark


def sunset(image: Image.Image, random: Random) -> Image.Image:
    """Violet above, orange at the horizon, and a dark foreground."""
    return _glowing(_banded(image, _DUSK, 0.78), random)


def sunrise(image: Image.Image, random: Random) -> Image.Image:
    """Rose and pale gold."""
    return _glowing(_banded(image, _DAWN, 0.7), random)


def _plain(image: Image.Image, colour: Rgb) -> Image.Image:
    return Image.new("RGB", image.size, colour)


def _number(image: Image.Image, in_a_megapixel: float) -> int:
    return round(in_a_megapixel * image.width * image.height / 1e6)


def _place(random: Random, image: Image.Image) -> tuple[float, float]:
    return random.uniform(0, image.width), random.uniform(0, image.height)


def _lower(size: tuple[int, int], *, above: float, below: float) -> Image.Image:
    """A mask: 0 down to a share of the height, strong from another one on."""
    column = Image.new("L", (1, size[1]))
    heights = (y / size[1] for y in range(size[1]))
    shares = (min(max((y - above) / (below - above), 0.0), 1.0) for y in heights)
    column.putdata([round(225 * share) for share in shares])
    return column.resize(size, Image.Resampling.NEAREST)


def _ledges(grey: Image.Image) -> Image.Image:
    """A mask of what is darker than what is above it, where snow would come to lie."""
    soft = grey.filter(ImageFilter.BoxBlur(1))
    drop = max(grey.height // 90, 3)
    above = ImageChops.offset(soft, 0, drop)
    above.paste(0, (0, 0, grey.width, drop))
    edge = ImageChops.subtract(above, soft)
    return edge.point([min(max(value - 16, 0) * 7, 245) for value in range(256)])


def _snow(image: Image.Image, random: Random, count: int, radius: float) -> None:
    """Flakes of about one radius; the larger are nearer, and out of focus."""
    mask = Image.new("L", image.size)
    pen = ImageDraw.Draw(mask)
    for _ in range(_number(image, count)):
        (x, y), half = _place(random, image), radius * random.uniform(0.6, 1.3)
        pen.ellipse((x - half, y - half, x + half, y + half), fill=random.randrange(150, 256))
    image.paste((255, 255, 255), (0, 0), mask.filter(ImageFilter.BoxBlur(radius * 0.3)))


def _strewn(
    image: Image.Image, random: Random, colours: tuple[Rgb, ...], count: int, length: float
) -> Image.Image:
    """Leaves or petals in the air: long ovals, turned at random."""
    image = image.copy()
    pen = ImageDraw.Draw(image)
    for _ in range(_number(image, count)):
        (x, y), turn, size = _place(random, image), random.uniform(0, pi), random.uniform(0.5, 1.2)
        half, flat = length * size, length * size * random.uniform(0.3, 0.55)
        oval = [(half * cos(step * pi / 6), flat * sin(step * pi / 6) ** 3) for step in range(12)]
        outline = [
            (x + a * cos(turn) - b * sin(turn), y + a * sin(turn) + b * cos(turn)) for a, b in oval
        ]
        pen.polygon(outline, fill=random.choice(colours))
    return image


def _dimmed(height: int, y: int) -> Rgb:
    """Of the light at night: less towards the top."""
    level = round(150 + 105 * y / height)
    return level, level, level


def _sow_stars(image: Image.Image, grey: Image.Image, random: Random) -> None:
    """Stars in the upper half, where it was bright: most likely the sky."""
    seen = grey.reduce(8)
    levels = seen.tobytes()
    least = sorted(levels)[len(levels) // 2]
    pen = ImageDraw.Draw(image)
    for _ in range(_number(image, 420)):
        x, y = random.randrange(image.width), int(random.random() ** 1.4 * 0.5 * image.height)
        shine = random.randrange(110, 256)
        if levels[y // 8 * seen.width + x // 8] >= least:
            half = 1 if shine > 215 else 0
            pen.rectangle((x, y, x + half, y + half), fill=(shine, shine, min(shine + 20, 255)))


def _hang_moon(image: Image.Image, random: Random) -> None:
    radius = max(min(image.size) // 24, 3)
    x = round(random.choice((random.uniform(0.12, 0.28), random.uniform(0.72, 0.88))) * image.width)
    y = round(random.uniform(0.12, 0.2) * image.height)
    halo = Image.radial_gradient("L").point([max(120 - value * 2 // 3, 0) for value in range(256)])
    half = 5 * radius
    image.paste((150, 176, 226), (x - half, y - half), halo.resize((2 * half, 2 * half)))
    disc = Image.new("L", (8 * radius, 8 * radius))
    ImageDraw.Draw(disc).ellipse((0, 0, 8 * radius - 1, 8 * radius - 1), fill=255)
    image.paste((246, 243, 226), (x - radius, y - radius), disc.reduce(4))


def _light_windows(image: Image.Image, grey: Image.Image, random: Random) -> None:
    """Warm panes with a glow, where it is darker than around: in windows, and among trees."""
    seen = grey.reduce(8)
    deeper = ImageChops.subtract(seen.filter(ImageFilter.BoxBlur(5)), seen).tobytes()
    first, last = len(deeper) * 45 // 100, len(deeper) * 80 // 100
    darkest = sorted(range(first, last), key=lambda at: -deeper[at])[: (last - first) // 12 + 1]
    panes = Image.new("L", image.size)
    pen, side = ImageDraw.Draw(panes), max(min(image.size) // 110, 2)
    for at in random.sample(darkest, min(len(darkest), 14)):
        x, y = at % seen.width * 8, at // seen.width * 8
        pen.rectangle((x, y, x + side, y + side * 3 // 2), fill=255)
    glow = panes.reduce(4).filter(ImageFilter.GaussianBlur(5)).resize(image.size)
    image.paste(_LAMP, (0, 0), toning.gained(glow, 2.6))
    image.paste((255, 226, 150), (0, 0), panes)


def _banded(image: Image.Image, sky: tuple[Rgb, Rgb, Rgb, Rgb], share: float) -> Image.Image:
    """The light of four colours from the top, by the horizon at half the height, to the foot."""
    places = (0.0, 0.34, 0.55, 1.0)

    def colour(y: int) -> Rgb:
        place = y / image.height
        band = 0 if place < places[1] else 1 if place < places[2] else 2
        depth = (place - places[band]) / (places[band + 1] - places[band])
        return mix(sky[band], sky[band + 1], depth)

    light = strip(image.size, colour)
    toned = ImageChops.overlay(toning.saturated(image, 0.55), light)
    return Image.blend(image, Image.blend(toned, light, 0.28), share)


def _glowing(image: Image.Image, random: Random) -> Image.Image:
    """The sun's glow, low in the sky."""
    half = round(0.55 * max(image.size))
    x = round(random.uniform(0.25, 0.75) * image.width)
    y = round(random.uniform(0.36, 0.46) * image.height)
    halo = Image.radial_gradient("L").point(
        [round(230 * max(1 - value / 180, 0) ** 2) for value in range(256)]
    )
    image = image.copy()
    image.paste((255, 222, 150), (x - half, y - half), halo.resize((2 * half, 2 * half)))
    return image
