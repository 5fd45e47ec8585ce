"""A few bytes that would become gigabytes, or hours."""

import tracemalloc
import zlib
from pathlib import Path

import pytest

from fuzz.album import BOMBS, SIZE, as_input, as_output, jpeg_of_scans, png_with
from kontext_cli.errors import BadMedia, InputFault
from kontext_cli.files.saved import VerifiedImage
from kontext_cli.images.decoding import decode
from kontext_cli.images.reading import NotAnImage


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (16_000, 8_000)])
def test_a_bomb_of_pixels_is_no_output(kind: str, width: int, height: int, tmp_path: Path) -> None:
    found = as_output(BOMBS[kind](width, height), tmp_path)
    assert isinstance(found, BadMedia)
    assert f"{width}×{height} pixels, more than 64 megapixels" in found.message


@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (16_000, 100)])
def test_a_bomb_of_pixels_is_no_input(kind: str, width: int, height: int, tmp_path: Path) -> None:
    found = as_input(BOMBS[kind](width, height), tmp_path)
    assert isinstance(found, InputFault)
    assert f"{width}×{height} pixels, more than" in found.message


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_that_the_decoder_refuses_itself_is_no_input(kind: str, tmp_path: Path) -> None:
    assert isinstance(as_input(BOMBS[kind](16_383, 16_383), tmp_path), InputFault)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_a_bomb_of_text_is_not_inflated(kind: bytes, tmp_path: Path) -> None:
    inflated = 64 * 2**20
    head = b"k\0\1\0\0\0" if kind == b"iTXt" else b"k\0\0"
    data = png_with(kind, head + zlib.compress(bytes(inflated), 1))
    assert isinstance(as_input(data, tmp_path), InputFault)
    assert isinstance(as_output(data, tmp_path), BadMedia)
    tracemalloc.start()
    try:
        with pytest.raises(NotAnImage):
            decode(data, formats=["png"], most_pixels=100)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < inflated / 8


def test_a_long_text_that_is_really_there_is_no_bomb(tmp_path: Path) -> None:
    found = as_output(png_with(b"tEXt", b"Comment\0" + b"a" * (4 * 2**20)), tmp_path)
    assert isinstance(found, VerifiedImage)
    assert (found.width, found.height) == SIZE


def test_a_bomb_of_scans_is_no_image(tmp_path: Path) -> None:
    """Each scan of a progressive JPEG goes over all of its pixels, and takes 95 bytes."""
    assert isinstance(as_output(jpeg_of_scans(64, 64, 20), tmp_path), VerifiedImage)
    bomb = jpeg_of_scans(64, 64, 1_000)
    assert isinstance(as_output(bomb, tmp_path), BadMedia)
    assert isinstance(as_input(bomb, tmp_path), InputFault)
