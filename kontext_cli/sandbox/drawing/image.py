"""The images of the sandbox: framed, labelled, and the same for the same request every time."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from random import Random

from PIL import Image

from kontext_cli.sandbox.drawing import caption, collage, landscape, palette

_MARGIN = 26
_FOOT = 104
_LEAST_DRAWN = 256
"""Pixels of the shorter side; a smaller image has no room for a label."""
_MOST_DRAWN = 1_600_000
"""Pixels that are drawn; a larger image is enlarged from these, in a third of the time."""


def draw(
    *,
    prompt: str,
    seed: int,
    size: tuple[int, int],
    output_format: str,
    inputs: Sequence[bytes] = (),
    number: int = 1,
) -> bytes:
    """An image of `size` pixels as a JPEG or PNG file: a landscape, or an edit of the inputs.

    `number` counts the images of a job from 1; each looks different.
    """
    if min(size) < _LEAST_DRAWN:
        return plain(size, output_format, f"{prompt}\0{seed}\0{number}")
    digest = hashlib.sha256(f"{prompt}\0{seed}\0{number}".encode("utf-8", "replace")).digest()
    random = Random(digest)
    wanted, size = size, _drawn_size(size)
    colours = palette.choose(random)
    window = (size[0] - 2 * _MARGIN, size[1] - _MARGIN - _FOOT)
    if inputs:
        art = collage.compose(window, inputs, prompt, random, colours)
    else:
        art = landscape.paint(window, random, colours)
    page = Image.new("RGB", size, colours.paper)
    page.paste(art, (_MARGIN, _MARGIN))
    label = f"seed {seed}" + (f", no. {number}" if number > 1 else "")
    top = size[1] - _FOOT + 20
    caption.write(page, colours, prompt=prompt, seed=label, top=top, side=_MARGIN)
    if size != wanted:
        page = page.resize(wanted, Image.Resampling.BICUBIC)
    return _encoded(page, output_format)


def _drawn_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, (_MOST_DRAWN / (size[0] * size[1])) ** 0.5)
    return round(size[0] * scale), round(size[1] * scale)


def black(size: tuple[int, int], output_format: str) -> bytes:
    """The black image that replaces a flagged one (fal's serving toolkit)."""
    return _encoded(Image.new("RGB", size), output_format)


def plain(size: tuple[int, int], output_format: str, words: str) -> bytes:
    """An image of one colour, chosen by a hash of the words."""
    red, green, blue, *_ = hashlib.sha256(words.encode("utf-8", "replace")).digest()
    return _encoded(Image.new("RGB", size, (red, green, blue)), output_format)


def placeholder(url: str) -> bytes:
    """A placeholder for an input that would have to be downloaded: a small landscape of its URL."""
    random = Random(hashlib.sha256(url.encode("utf-8", "replace")).digest())
    return _encoded(landscape.paint((740, 550), random, palette.choose(random)), "jpeg")


def _encoded(image: Image.Image, output_format: str) -> bytes:
    file = BytesIO()
    if output_format == "png":
        image.save(file, "PNG", compress_level=3)
    elif output_format == "webp":
        image.save(file, "WEBP", quality=80)
    else:
        image.save(file, "JPEG", quality=90)
    return file.getvalue()
