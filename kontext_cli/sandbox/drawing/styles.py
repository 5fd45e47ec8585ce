"""Edits of style: as if painted, drawn, or made of large pixels."""

from random import Random

from PIL import Image, ImageChops, ImageFilter, ImageOps

from kontext_cli.sandbox.drawing import toning

_BLOCKS = 120
"""How many blocks pixel art has on its longer side."""


def oil_painting(image: Image.Image, random: Random) -> Image.Image:
    """Dabs of strong colours, in which the bristles of the brush can be seen."""
    small = image.reduce(3).filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(5))
    dabs = toning.saturated(small.filter(ImageFilter.MedianFilter(3)), 1.45)
    relief = ImageOps.grayscale(dabs).filter(ImageFilter.EMBOSS)
    dabs = ImageChops.overlay(dabs, relief.convert("RGB")).resize(image.size)
    return ImageChops.overlay(dabs, _bristles(image.size, random).convert("RGB"))


def watercolour(image: Image.Image, random: Random) -> Image.Image:
    """Pale washes with darker rims, on paper that shows at the edges."""
    washes = toning.bent(toning.saturated(_smooth(image, 4, 5), 1.3), 0.62)
    rims = ImageOps.invert(_outlines(ImageOps.grayscale(washes), 2, 2.0)).point(
        [value // 3 for value in range(256)]
    )
    washes.paste((70, 76, 104), (0, 0), rims)
    paper = toning.grained(Image.new("L", image.size, 244), random).convert("RGB")
    return Image.composite(ImageChops.multiply(washes, paper), paper, _ragged(image.size, random))


def sketch(image: Image.Image, random: Random) -> Image.Image:
    """Pencil on paper."""
    grey = ImageOps.autocontrast(ImageOps.grayscale(image), cutoff=1)
    shade = grey.point([min(188 + value // 3, 255) for value in range(256)])
    drawn = ImageChops.multiply(_outlines(grey, 5, 4.5), shade)
    drawn = toning.grained(drawn, random)
    return ImageOps.colorize(drawn, black=(44, 44, 52), white=(252, 250, 244))


def cartoon(image: Image.Image, _: Random) -> Image.Image:
    """Flat colours with black outlines."""
    smooth = toning.saturated(_smooth(image, 3, 5), 1.4)
    flat = smooth.point([min(value // 43 * 43 + 24, 255) for value in range(256)] * 3)
    lines = _outlines(ImageOps.grayscale(image.filter(ImageFilter.BoxBlur(1))), 3, 6.0)
    return ImageChops.multiply(flat, lines.convert("RGB"))


def pixel_art(image: Image.Image, _: Random) -> Image.Image:
    """Few and large pixels, of few colours."""
    scale = _BLOCKS / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = toning.vivid(image.resize(size, Image.Resampling.BOX), Random())
    few = small.quantize(24, dither=Image.Dither.NONE).convert("RGB")
    return few.resize(image.size, Image.Resampling.NEAREST)


def _smooth(image: Image.Image, factor: int, window: int) -> Image.Image:
    """Without detail, but with edges: the middle one of the colours around each pixel."""
    small = image.reduce(factor).filter(ImageFilter.MedianFilter(window))
    return small.resize(image.size, Image.Resampling.BICUBIC)


def _bristles(size: tuple[int, int], random: Random) -> Image.Image:
    """Short streaks around a middle grey, slanting to the right."""
    width, height = size[0] // 9 + 1, size[1] // 2 + 1
    noise = Image.frombytes("L", (width, height), random.randbytes(width * height))
    noise = noise.point([92 + value * 72 // 255 for value in range(256)])
    long = noise.resize((2 * size[0], size[1]), Image.Resampling.BICUBIC)
    slanted = (1, 0.35 * size[0] / size[1], 0, -0.4, 1, 0.5 * size[1])
    return long.transform(size, Image.Transform.AFFINE, slanted, fillcolor=128)


def _outlines(grey: Image.Image, radius: float, gain: float) -> Image.Image:
    """Dark lines on white, where an image is darker than around it."""
    around = grey.filter(ImageFilter.BoxBlur(radius))
    deeper = ImageChops.subtract(around, grey)
    return deeper.point([max(255 - round(value * gain), 0) for value in range(256)])


def _ragged(size: tuple[int, int], random: Random) -> Image.Image:
    """A mask with an uneven rim, as a brush leaves it."""
    grid = (size[0] // 24 + 2, size[1] // 24 + 2)
    noise = Image.frombytes("L", grid, random.randbytes(grid[0] * grid[1])).resize(size)
    inner = Image.new("L", size)
    margin = min(size) // 40
    inner.paste(255, (margin, margin, size[0] - margin, size[1] - margin))
    soft = inner.resize((size[0] // 8, size[1] // 8)).filter(ImageFilter.BoxBlur(margin / 8))
    mixed = ImageChops.add(soft.resize(size), noise, scale=2)
    return mixed.point([max(0, min((value - 115) * 20, 255)) for value in range(256)])
