"""Edits that tell what stands in the middle from its background."""

from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from kontext_cli.sandbox.drawing.landscape import strip
from kontext_cli.sandbox.drawing.palette import Rgb, choose, mix

_BLACK, _WHITE, _FLOODED = (0, 0, 0), (255, 255, 255), (255, 0, 255)
_SMALL = 96
"""The longer side, in pixels, of the copy on which the background is looked for."""
_ALIKE = 90
"""How far the background may be from the colour of a corner, as the sum of three channels."""


def recoloured(image: Image.Image, colour: Rgb) -> Image.Image:
    """The subject in a colour, and most of all what is not grey of it."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1)
    toned = ImageOps.colorize(
        grey, black=mix(_BLACK, colour, 0.2), mid=colour, white=mix(colour, _WHITE, 0.75)
    )
    colourful = image.convert("HSV").getchannel("S").point([min(110 + v, 255) for v in range(256)])
    where = ImageChops.multiply(_centre(image.size), _subject(image))
    return Image.composite(toned, image, ImageChops.multiply(colourful, where))


def blurred_background(image: Image.Image, _: Random) -> Image.Image:
    """Sharp in the middle only."""
    small = image.reduce(4).filter(ImageFilter.GaussianBlur(4))
    soft = small.resize(image.size, Image.Resampling.BICUBIC)
    return Image.composite(image, soft, _centre(image.size))


def new_background(image: Image.Image, random: Random, colour: Rgb | None = None) -> Image.Image:
    """The subject before a gradient of one colour, or of a mood."""
    mood = choose(random)
    top, foot = (mood.middle, mood.horizon) if colour is None else (colour, colour)
    foot = mix(foot, _WHITE, 0.35)
    backdrop = strip(image.size, lambda y: mix(top, foot, y / image.height))
    return Image.composite(image, backdrop, _subject(image))


def _subject(image: Image.Image) -> Image.Image:
    """A mask of what an even background leaves over, flooded from the corners; else the middle."""
    small = image.copy()
    small.thumbnail((_SMALL, _SMALL))
    small = small.filter(ImageFilter.MedianFilter(3))
    ImageDraw.floodfill(small, (0, 0), _FLOODED, thresh=_ALIKE)
    right, low = small.width - 1, small.height - 1
    corners = {small.getpixel(place) for place in ((0, 0), (right, 0), (0, low), (right, low))}
    if corners != {_FLOODED}:
        return _centre(image.size)
    changed = ImageChops.difference(small, Image.new("RGB", small.size, _FLOODED))
    mask = changed.convert("L").point([0] + [255] * 255)
    rough = mask.resize(image.size, Image.Resampling.BICUBIC).filter(ImageFilter.BoxBlur(7))
    return rough.point([max(0, min((value - 90) * 4, 255)) for value in range(256)])


def _centre(size: tuple[int, int]) -> Image.Image:
    """A mask: 255 in the middle, fading to 0 towards the edges."""
    fade = Image.radial_gradient("L").point([max(0, min(510 - 3 * v, 255)) for v in range(256)])
    return fade.resize(size, Image.Resampling.BILINEAR)
