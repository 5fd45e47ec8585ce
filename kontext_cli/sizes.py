"""The picture sizes FLUX.1 Kontext works in, about one megapixel each.

Source: the list of preferred resolutions in Black Forest Labs' reference code; 21:9, 16:9, 4:3
and 1:1 agree with pictures measured at the providers.
"""

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
"""Width and height in pixels of what each aspect ratio comes out as."""

ASPECT_RATIOS = tuple(RATIO_SIZES)


def nearest_size(width: int, height: int) -> tuple[int, int]:
    """The Kontext size whose shape is nearest to that of a picture of width × height."""
    wanted = width / height
    return min(KONTEXT_SIZES, key=lambda size: abs(size[0] / size[1] - wanted))
