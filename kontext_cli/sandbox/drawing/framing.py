"""Edits of what is in the frame: mirrored, turned, closer."""

from random import Random

from PIL import Image, ImageOps

_CLOSER = 0.58


def mirrored(image: Image.Image, _: Random) -> Image.Image:
    """Left becomes right."""
    return ImageOps.mirror(image)


def flipped(image: Image.Image, _: Random) -> Image.Image:
    """Top becomes bottom."""
    return ImageOps.flip(image)


def upside_down(image: Image.Image, _: Random) -> Image.Image:
    """Turned by half a circle."""
    return image.transpose(Image.Transpose.ROTATE_180)


def closer(image: Image.Image, _: Random) -> Image.Image:
    """Its middle, enlarged to the same size."""
    width, height = image.size
    left, top = width * (1 - _CLOSER) / 2, height * (1 - _CLOSER) / 2
    box = (left, top, width - left, height - top)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)
