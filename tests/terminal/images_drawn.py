"""Reads images back from what is sent to a terminal."""

import io
import re
import zlib
from base64 import standard_b64decode
from collections.abc import Iterator

from PIL import Image

GRAPHICS = re.compile(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\|\x1b\]1337;File=([^:]*):([^\x07]*)\x07")
_CELL = re.compile(r"\x1b\[([\d;]*)m|\x1b\[[\d;]*[A-Z]|\x1b[78]|(.)", re.DOTALL)


def keys_of(text: str, between: str) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in text.split(between))


def kitty_images(sent: str) -> Iterator[tuple[dict[str, str], Image.Image]]:
    """Each image and its keys; sequences that kitty would answer or refuse are errors."""
    first: dict[str, str] = {}
    data = ""
    for keys_text, chunk, *_ in GRAPHICS.findall(sent):
        keys = keys_of(keys_text, ",")
        assert keys["q"] == "2"
        assert len(chunk) <= 4096
        if first:
            assert set(keys) <= {"q", "m"}
        first = first or keys
        data += chunk
        if keys["m"] == "0":
            pixels = zlib.decompress(standard_b64decode(data))
            size = int(first["s"]), int(first["v"])
            yield first, Image.frombytes("RGB", size, pixels)
            first, data = {}, ""
        else:
            assert len(chunk) == 4096
    assert not first


def iterm_images(sent: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Each file and its keys."""
    for *_, keys_text, content in GRAPHICS.findall(sent):
        keys, data = keys_of(keys_text, ";"), standard_b64decode(content)
        assert int(keys["size"]) == len(data)
        yield keys, data


def block_image(sent: str) -> Image.Image:
    """The pixels of the half-blocks in all lines, black where there are none."""
    rows = [[*_pixels(line)] for line in sent.split("\n") if "▀" in line]
    width = max(map(len, rows))
    image = Image.new("RGB", (width, 2 * len(rows)))
    for y, row in enumerate(rows):
        for x, (upper, lower) in enumerate(row):
            image.putpixel((x, 2 * y), upper)
            image.putpixel((x, 2 * y + 1), lower)
    return image


def _pixels(line: str) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    colours: dict[str, tuple[int, ...]] = {"38": (0, 0, 0), "48": (0, 0, 0)}
    for codes, character in _CELL.findall(line):
        if character == "▀":
            yield colours["38"], colours["48"]
        elif character:
            yield (0, 0, 0), (0, 0, 0)
        for ground, colour in re.findall(r"([34]8);2;(\d+;\d+;\d+)", codes):
            colours[ground] = tuple(map(int, colour.split(";")))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
