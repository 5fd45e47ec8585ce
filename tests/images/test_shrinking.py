"""Small copies of image files."""

from pathlib import Path

import pytest
from PIL import Image

from kontext_cli.images.reading import NotAnImage
from kontext_cli.images.shrinking import small_copy

_RED, _BLUE = (255, 0, 0), (0, 0, 255)


def _left_red(size: tuple[int, int]) -> Image.Image:
    image = Image.new("RGB", size, _BLUE)
    image.paste(_RED, (0, 0, size[0] // 2, size[1]))
    return image


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
@pytest.mark.parametrize(
    ("size", "most", "expected"),
    [
        ((1600, 1200), (400, 400), (400, 300)),
        ((1200, 1600), (400, 400), (300, 400)),
        ((4000, 10), (400, 400), (400, 1)),
        ((30, 20), (400, 400), (30, 20)),
        ((1024, 1024), (512, 64), (64, 64)),
    ],
)
def test_a_copy_keeps_the_shape_and_is_never_enlarged(
    tmp_path: Path,
    suffix: str,
    size: tuple[int, int],
    most: tuple[int, int],
    expected: tuple[int, int],
) -> None:
    path = tmp_path / f"image.{suffix}"
    _left_red(size).save(path)

    copy, own = small_copy(path.read_bytes(), *most)

    assert (copy.size, own, copy.mode) == (expected, size, "RGB")


def test_the_orientation_of_a_photograph_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise: what was left is on top
    _left_red((800, 400)).save(tmp_path / "photo.jpg", exif=exif)

    copy, own = small_copy((tmp_path / "photo.jpg").read_bytes(), 100, 100)

    assert (copy.size, own) == ((50, 100), (400, 800))
    top, bottom = copy.getpixel((25, 10)), copy.getpixel((25, 90))
    assert isinstance(top, tuple)
    assert isinstance(bottom, tuple)
    assert top[0] > 200 > bottom[0]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "jpg" if mode == "CMYK" else "png"
    Image.new(mode, (64, 32)).save(tmp_path / f"image.{suffix}")

    copy, _ = small_copy((tmp_path / f"image.{suffix}").read_bytes(), 16, 16)

    assert (copy.mode, copy.size) == ("RGB", (16, 8))


def test_what_is_transparent_becomes_white(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 32), (0, 0, 0, 0)).save(tmp_path / "image.png")

    copy, _ = small_copy((tmp_path / "image.png").read_bytes(), 16, 16)

    assert copy.getextrema() == ((255, 255),) * 3


def test_what_is_no_complete_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no image")
    _left_red((64, 64)).save(tmp_path / "whole.png")
    (tmp_path / "half.png").write_bytes((tmp_path / "whole.png").read_bytes()[:-20])

    for name in ("text.jpg", "half.png"):
        with pytest.raises(NotAnImage):
            small_copy((tmp_path / name).read_bytes(), 16, 16)
