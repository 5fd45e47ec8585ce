"""An input image as the sandbox edits it: in the colours of the mood, behind a row of firs."""

from collections.abc import Sequence
from io import BytesIO
from random import Random

from PIL import Image, ImageOps

from kontext_cli.sandbox.drawing.landscape import Scene
from kontext_cli.sandbox.drawing.palette import Palette

_TINT = 0.42
"""How far an input's colours go towards those of the mood; its own must stay recognisable."""
_INSET = 0.24
"""The longer side of a further input, as a share of the image's shorter side."""
_ROW = 0.75
"""The share of the image's width that all further inputs may take together."""


def compose(
    size: tuple[int, int], inputs: Sequence[bytes], random: Random, palette: Palette
) -> Image.Image:
    """The first input, filling the size; the further ones as prints laid on top."""
    image = ImageOps.fit(_opened(inputs[0], size, palette), size)
    grey = ImageOps.grayscale(image)
    tint = ImageOps.colorize(grey, black=palette.near, mid=palette.middle, white=palette.light)
    image = Image.blend(image, tint, _TINT)
    bank = Scene(image, random, palette)
    bank.raise_ridge(base=0.985, swing=0.04, roughness=0.5, firs=0.085)
    edge = round(min(_INSET * min(size), _ROW * size[0] / max(len(inputs) - 1, 1)))
    gap = edge // 7
    for place, data in enumerate(inputs[1:]):
        inset = ImageOps.contain(_opened(data, (edge, edge), palette), (edge, edge))
        thumbnail = ImageOps.expand(inset, 7, palette.paper)
        left = image.width - thumbnail.width - gap - place * (edge + gap + 14)
        image.paste(palette.near, (left + 5, gap + 6), Image.new("L", thumbnail.size, 70))
        image.paste(thumbnail, (left, gap))
    return image


def _opened(data: bytes, size: tuple[int, int], palette: Palette) -> Image.Image:
    """An input image, upright and on paper where it is transparent, about as large as needed."""
    image = Image.open(BytesIO(data))
    image.draft("RGB", size)
    upright = ImageOps.exif_transpose(image)
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    paper = Image.new("RGBA", upright.size, palette.paper)
    return Image.alpha_composite(paper, upright.convert("RGBA")).convert("RGB")
