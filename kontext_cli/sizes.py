"""The image sizes that FLUX.1 Kontext works in, about one megapixel each, and size limits.

Source: the list of preferred resolutions in Black Forest Labs' reference code; 21:9, 16:9, 4:3
and 1:1 agree with images measured at the providers.
"""

import re
from math import log

KONTEXT_SIZES = (
    (672, 1568),
    (688, 1504),
    (720, 1456),
    (752, 1392),
    (800, 1328),
    (832, 1248),
    (880, 1184),
    (944, 1104),
    (1024, 1024),
    (1104, 944),
    (1184, 880),
    (1248, 832),
    (1328, 800),
    (1392, 752),
    (1456, 720),
    (1504, 688),
    (1568, 672),
)

RATIO_SIZES = {
    "21:9": (1568, 672),
    "16:9": (1392, 752),
    "4:3": (1184, 880),
    "3:2": (1248, 832),
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:4": (880, 1184),
    "9:16": (752, 1392),
    "9:21": (672, 1568),
}
"""Width and height in pixels of an image with each aspect ratio."""

ASPECT_RATIOS = tuple(RATIO_SIZES)

ONE_MEGAPIXEL = {
    "21:9": (1504, 640),
    "16:9": (1312, 736),
    "4:3": (1152, 864),
    "3:2": (1248, 832),
    "1:1": (1024, 1024),
    "2:3": (832, 1248),
    "3:4": (864, 1152),
    "9:16": (736, 1312),
    "9:21": (640, 1504),
}
"""Width and height for the models that take any size, as FLUX.2: multiples of 32, and no more than
1024 × 1024 pixels, which are billed as one megapixel."""

_SHAPES = {
    "square": "1:1",
    "landscape": "3:2",
    "horizontal": "3:2",
    "portrait": "2:3",
    "vertical": "2:3",
    "wide": "16:9",
    "widescreen": "16:9",
    "tall": "9:16",
    "story": "9:16",
    "panorama": "21:9",
    "ultrawide": "21:9",
}
"""Words for shapes, and the usual ratio of each."""
_SAME = 0.03
"""Sizes in pixels are rounded: 1344 × 768 counts as 16:9."""


def nearest_size(width: int, height: int) -> tuple[int, int]:
    """The Kontext size whose shape is nearest to width × height."""
    wanted = width / height
    return min(KONTEXT_SIZES, key=lambda size: abs(size[0] / size[1] - wanted))


def meant_ratio(typed: str) -> tuple[str, bool] | None:
    """The aspect ratio nearest to ``1024x768``, ``16x9``, ``1.78`` or ``landscape_4_3``, and
    whether it is the same shape; None if the text does not describe a shape."""
    word = typed.strip().casefold().replace("-", "_").removesuffix("_hd")
    if word in _SHAPES:
        return _SHAPES[word], True
    wanted = _quotient(word)
    if wanted is None:
        return None
    shapes = {name: _quotient(name) or 1 for name in ASPECT_RATIOS}
    name = min(shapes, key=lambda each: abs(log(shapes[each] / wanted)))
    return name, abs(shapes[name] / wanted - 1) < _SAME


def _quotient(word: str) -> float | None:
    """Width divided by height; None if the text is not in numbers."""
    number = r"(\d{1,5}(?:\.\d{1,5})?)"
    if found := re.fullmatch(rf"{number}\s*[x×*:/,_]\s*{number}", word, re.ASCII):
        width, height = float(found[1]), float(found[2])
    elif found := re.fullmatch(r"(landscape|portrait)_(\d{1,2})_(\d{1,2})", word, re.ASCII):
        width, height = sorted(map(float, found.groups()[1:]), reverse=found[1] == "landscape")
    elif found := re.fullmatch(r"\d{1,2}\.\d{1,5}", word, re.ASCII):
        width, height = float(word), 1.0
    else:
        return None
    return width / height if width and height else None


MOST_BYTES = 64 * 2**20
MOST_PIXELS = 64_000_000
"""Limits of an image from a provider."""
MOST_INPUT_BYTES = 50 * 2**20
"""What a provider would download of a URL, and so the most of an input file as well."""
