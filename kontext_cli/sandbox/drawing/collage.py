"""An edit of the sandbox: the first input as the prompt asks, and prints of the further ones."""

from collections.abc import Sequence
from io import BytesIO
from random import Random

from PIL import Image, ImageOps

from kontext_cli.sandbox.drawing import edits
from kontext_cli.sandbox.drawing.palette import Palette

_INSET = 0.24
"""The longer side of a further input, as a share of the image's shorter side."""
_ROW = 0.75
"""The share of the image's width that all further inputs may take together."""


def compose(
    size: tuple[int, int], inputs: Sequence[bytes], prompt: str, random: Random, palette: Palette
) -> Image.Image:
    """The first input, edited and filling the size; the further ones as prints laid on top."""
    image = edits.apply(ImageOps.fit(_opened(inputs[0], size, palette), size), prompt, random)
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
