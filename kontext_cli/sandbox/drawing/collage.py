"""An input image as the sandbox edits it: in the colours of the mood, behind a row of firs."""

from collections.abc import Sequence
from io import BytesIO
from random import Random

from PIL import Image, ImageOps

from kontext_cli.sandbox.drawing.palette import Palette
from kontext_cli.sandbox.drawing.ridges import Ridge, raise_ridge

_TINT = 0.42
"""How far an input's colours go towards those of the mood; its own must stay recognisable."""
_INSET = 0.24
"""The longer side of a further input, as a share of the image's shorter side."""


def opened(data: bytes, size: tuple[int, int]) -> Image.Image:
    """An input image, upright and without transparency, about as large as it is needed."""
    image = Image.open(BytesIO(data))
    image.draft("RGB", size)
    return ImageOps.exif_transpose(image).convert("RGBA" if image.has_transparency_data else "RGB")


def compose(
    size: tuple[int, int], inputs: Sequence[bytes], random: Random, palette: Palette
) -> Image.Image:
    """The first input, filling the size; the further ones as prints laid on top."""
    image = _tinted(ImageOps.fit(_flat(opened(inputs[0], size), palette), size), palette)
    bank = Ridge(base=0.985, swing=0.04, foot=1.0, roughness=0.5, nearness=1.0, firs=0.085)
    raise_ridge(image, bank, random, palette)
    edge = round(_INSET * min(size))
    for place, data in enumerate(inputs[1:]):
        _lay_print(image, _flat(opened(data, (edge, edge)), palette), place, edge, palette)
    return image


def _flat(image: Image.Image, palette: Palette) -> Image.Image:
    if image.mode == "RGB":
        return image
    paper = Image.new("RGB", image.size, palette.paper)
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _tinted(image: Image.Image, palette: Palette) -> Image.Image:
    mood = palette.mood
    duotone = ImageOps.colorize(
        ImageOps.grayscale(image),
        black=palette.rgb(mood.near),
        mid=palette.rgb(mood.middle),
        white=palette.rgb(mood.light),
    )
    return Image.blend(image, duotone, _TINT)


def _lay_print(
    image: Image.Image, inset: Image.Image, place: int, edge: int, palette: Palette
) -> None:
    thumbnail = ImageOps.expand(ImageOps.contain(inset, (edge, edge)), 7, palette.paper)
    gap = edge // 7
    corner = (image.width - thumbnail.width - gap - place * (edge + gap + 14), gap)
    shadow = Image.new("L", thumbnail.size, 70)
    image.paste(palette.rgb(palette.mood.near), (corner[0] + 5, corner[1] + 6), shadow)
    image.paste(thumbnail, corner)
