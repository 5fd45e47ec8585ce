"""Edits of light and colour; like all edits, they take an image, and return one."""

from random import Random

from PIL import Image, ImageChops, ImageEnhance, ImageOps

from kontext_cli.sandbox.drawing.palette import Rgb, choose

_SLIGHT = 0.06
_GRADE = 0.42
"""How far an edit without a known word goes towards a mood: its own colours stay recognisable."""


def vary(image: Image.Image, random: Random) -> Image.Image:
    """A little brighter or darker, so that no two images of a job are the same."""
    return lit(image, 1 + random.uniform(-_SLIGHT, _SLIGHT))


def grade(image: Image.Image, random: Random) -> Image.Image:
    """In the colours of a mood drawn at random: the edit of a prompt without a known word."""
    mood = choose(random)
    toned = ImageOps.colorize(
        ImageOps.grayscale(image), black=mood.near, mid=mood.middle, white=mood.light
    )
    return Image.blend(image, toned, _GRADE)


def brighter(image: Image.Image, _: Random) -> Image.Image:
    """As with a longer exposure, without burning out."""
    return bent(image, 0.62)


def darker(image: Image.Image, _: Random) -> Image.Image:
    """As with a shorter exposure."""
    return lit(bent(image, 1.35), 0.7)


def warmer(image: Image.Image, _: Random) -> Image.Image:
    """More red and less blue."""
    return balanced(image, (1.14, 1.03, 0.76))


def colder(image: Image.Image, _: Random) -> Image.Image:
    """More blue and less red."""
    return balanced(image, (0.78, 0.99, 1.2))


def vivid(image: Image.Image, _: Random) -> Image.Image:
    """More colour and contrast."""
    return ImageEnhance.Contrast(saturated(image, 1.7)).enhance(1.12)


def black_and_white(image: Image.Image, _: Random) -> Image.Image:
    """Grey, from black to white."""
    return ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1).convert("RGB")


def sepia(image: Image.Image, random: Random) -> Image.Image:
    """An old print: browns on yellowed paper, grain, and corners that have darkened."""
    grey = grained(ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1), random)
    toned = ImageOps.colorize(grey, black=(38, 22, 10), mid=(156, 116, 74), white=(246, 229, 195))
    return vignette(toned, (62, 38, 18))


def neon(image: Image.Image, _: Random) -> Image.Image:
    """Dark, with magenta and cyan light."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1)
    toned = ImageOps.colorize(
        grey, black=(8, 2, 34), mid=(214, 24, 148), white=(92, 255, 244), midpoint=120
    )
    return Image.blend(saturated(image, 1.6), toned, 0.75)


def lit(image: Image.Image, factor: float) -> Image.Image:
    """All light by a factor."""
    return image.point([min(round(value * factor), 255) for value in range(256)] * 3)


def bent(image: Image.Image, gamma: float) -> Image.Image:
    """Middle tones brighter below a gamma of 1, darker above."""
    return image.point([round(255 * (value / 255) ** gamma) for value in range(256)] * 3)


def balanced(image: Image.Image, factors: tuple[float, float, float]) -> Image.Image:
    """Red, green and blue, each by a factor."""
    return image.point([min(round(v * factor), 255) for factor in factors for v in range(256)])


def saturated(image: Image.Image, factor: float) -> Image.Image:
    """Colours by a factor: 0 is grey, 1 leaves them as they are."""
    return ImageEnhance.Color(image).enhance(factor)


def washed(image: Image.Image, colour: Rgb, share: float) -> Image.Image:
    """A share of one colour over everything."""
    return Image.blend(image, Image.new("RGB", image.size, colour), share)


def gained(mask: Image.Image, gain: float) -> Image.Image:
    """A mask by a factor."""
    return mask.point([min(round(value * gain), 255) for value in range(256)])


def vignette(image: Image.Image, colour: Rgb) -> Image.Image:
    """Corners that fade into a colour."""
    fade = Image.radial_gradient("L").point([max(v - 110, 0) * 3 // 2 for v in range(256)])
    image = image.copy()
    image.paste(colour, (0, 0), fade.resize(image.size, Image.Resampling.BILINEAR))
    return image


def grained(grey: Image.Image, random: Random) -> Image.Image:
    """A grey image with the grain of film or paper."""
    side = 256
    grain = Image.frombytes("L", (side, side), random.randbytes(side * side))
    grain = grain.point([118 + value // 12 for value in range(256)])
    sheet = Image.new("L", grey.size)
    for left in range(0, grey.width, side):
        for top in range(0, grey.height, side):
            sheet.paste(grain, (left, top))
    return ImageChops.add(grey, sheet, offset=-128)
