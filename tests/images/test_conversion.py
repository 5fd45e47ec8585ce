"""HEIC and AVIF inputs: converted upright, within the limits, or refused with what to install.

The files in `heic/` hold an image of 64 × 48 pixels in four colours: red and blue above green and
white. The cameras of `orientation-N.heic` stored it as it is and say in EXIF and in the container
how it is to be turned. `crashes-libheif.heic` is damaged; reading its metadata crashes pi-heif.
"""

import hashlib
import io
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from kontext_cli.errors import InputFault
from kontext_cli.files.inputs import load_images
from kontext_cli.images.inputs import InputImage, check_image
from processes import kontext_here

HEIC = Path(__file__).parent / "heic"
ORIENTATION = 0x0112
COLOURS = {"red": (220, 20, 20), "blue": (20, 40, 220), "green": (20, 180, 40), "white": (250,) * 3}
TURNED = {
    1: "red blue green white",
    2: "blue red white green",
    3: "white green blue red",
    4: "green white red blue",
    5: "red green blue white",
    6: "green red white blue",
    7: "white blue green red",
    8: "blue white red green",
}
"""The colours of the corners, row by row, of an image that is seen by each EXIF orientation."""


def four_colours(size: tuple[int, int] = (64, 48)) -> Image.Image:
    image, (width, height) = Image.new("RGB", size), size
    pen = ImageDraw.Draw(image)
    for number, colour in enumerate(COLOURS.values()):
        left, top = number % 2 * width // 2, number // 2 * height // 2
        pen.rectangle((left, top, left + width // 2 - 1, top + height // 2 - 1), fill=colour)
    return image


def corners(image: Image.Image) -> str:
    """The colours of the corners, row by row."""
    width, height = image.size
    places = [(x, y) for y in (8, height - 9) for x in (8, width - 9)]
    return " ".join(_nearest(image.convert("RGB").getpixel(place)) for place in places)


def _nearest(pixel: Any) -> str:
    def distance(name: str) -> int:
        return sum(abs(a - b) for a, b in zip(pixel, COLOURS[name], strict=True))

    return min(COLOURS, key=distance)


def avif(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "AVIF", **options)
    return file.getvalue()


def load(path: Path, inline: int = 1_000_000) -> InputImage:
    (image,) = load_images([str(path)], inline_bytes=inline, provider="fal", stdin=io.BytesIO)
    return image


def fault(path: Path) -> InputFault:
    with pytest.raises(InputFault) as caught:
        load(path)
    assert caught.value.exit_code == 8
    return caught.value


def opened(image: InputImage) -> Image.Image:
    assert image.content is not None
    copy = Image.open(io.BytesIO(image.content))
    assert copy.size == image.size
    assert Image.MIME[copy.format or ""] == image.media_type
    assert not copy.getexif()
    return copy


def test_a_heic_is_sent_as_a_jpeg_with_a_notice() -> None:
    path = HEIC / "orientation-1.heic"
    image = load(path)
    assert (opened(image).format, image.size) == ("JPEG", (64, 48))
    assert image.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert image.content is not None
    assert image.notice == (
        f"`{path}` is HEIC, which fal does not take; "
        f"sent as 64×48 JPEG, {len(image.content) / 1000:.1f} kB"
    )


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("inline", [1_000_000, 1_400], ids=["whole", "smaller"])
def test_a_heic_is_upright_and_turned_only_once(orientation: int, inline: int) -> None:
    image = load(HEIC / f"orientation-{orientation}.heic", inline)
    assert len(image.content or b"") <= inline
    assert corners(opened(image)) == TURNED[orientation]


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("inline", [1_000_000, 1_400], ids=["whole", "smaller"])
def test_an_avif_is_upright_and_turned_only_once(
    tmp_path: Path, orientation: int, inline: int
) -> None:
    exif, path = Image.Exif(), tmp_path / "photo.avif"
    exif[ORIENTATION] = orientation
    path.write_bytes(avif(four_colours(), exif=exif))
    image = load(path, inline)
    assert corners(opened(image)) == TURNED[orientation]
    assert image.notice is not None
    assert image.notice.startswith(f"`{path}` is AVIF, which fal does not take; sent as ")


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_what_is_made_smaller_is_upright(tmp_path: Path, orientation: int, kind: str) -> None:
    exif, path = Image.Exif(), tmp_path / "photo"
    exif[ORIENTATION] = orientation
    four_colours().save(path, kind, exif=exif)
    with path.open("ab") as file:
        file.write(bytes(20_000))
    assert corners(opened(load(path, 10_000))) == TURNED[orientation]


@pytest.mark.parametrize("name", ["alpha.heic", "alpha.avif"])
def test_what_is_transparent_is_sent_as_a_png(tmp_path: Path, name: str) -> None:
    path = HEIC / name
    if name.endswith("avif"):
        clear, path = four_colours(), tmp_path / name
        clear.putalpha(Image.linear_gradient("L").resize(clear.size))
        path.write_bytes(avif(clear))
    copy = opened(load(path))
    assert (copy.format, copy.mode) == ("PNG", "RGBA")
    assert copy.getchannel("A").getextrema() != (255, 255)


def test_an_alpha_channel_without_transparency_is_no_reason_for_a_png(tmp_path: Path) -> None:
    path = tmp_path / "opaque.avif"
    path.write_bytes(avif(four_colours().convert("RGBA")))
    assert opened(load(path)).format == "JPEG"


def test_a_grey_heic_is_converted_too() -> None:
    assert opened(load(HEIC / "grey.heic")).mode == "RGB"


def test_the_colour_profile_is_kept(tmp_path: Path) -> None:
    with_profile = load(HEIC / "profile.heic")
    assert opened(with_profile).info["icc_profile"][36:40] == b"acsp"
    path = tmp_path / "x.avif"
    path.write_bytes(avif(four_colours(), icc_profile=opened(with_profile).info["icc_profile"]))
    assert opened(load(path)).info["icc_profile"][36:40] == b"acsp"


def test_the_open_brand_is_told_by_what_it_is_compatible_with(tmp_path: Path) -> None:
    for data, kind in (
        ((HEIC / "orientation-1.heic").read_bytes(), "HEIC"),
        (avif(four_colours()), "AVIF"),
    ):
        path = tmp_path / kind
        path.write_bytes(data[:8] + b"mif1" + data[12:])
        assert f"is {kind}, " in (load(path).notice or "")


def sized(data: bytes, width: int, height: int) -> bytes:
    """A HEIC or AVIF that says it is of another size (its `ispe` property)."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


@pytest.mark.parametrize("size", [(14_000, 14_000), (20_000, 10), (2**31, 2**31), (0, 0)])
@pytest.mark.parametrize("kind", ["HEIC", "AVIF"])
def test_a_bomb_is_refused(tmp_path: Path, kind: str, size: tuple[int, int]) -> None:
    path = tmp_path / "bomb"
    whole = avif(four_colours()) if kind == "AVIF" else (HEIC / "grey.heic").read_bytes()
    path.write_bytes(sized(whole, *size))
    assert " image " in fault(path).message


@pytest.mark.parametrize("name", ["photo.heic", "photo.avif"])
def test_what_is_cut_short_is_refused(tmp_path: Path, name: str) -> None:
    whole = avif(four_colours()) if name == "photo.avif" else (HEIC / "grey.heic").read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[:-30])
    noun = "a HEIC image" if name == "photo.heic" else "an AVIF image"
    assert fault(path).message == f"`{path}` is {noun} that does not decode"


def test_a_crash_of_the_decoder_is_a_fault_of_the_input() -> None:
    path = HEIC / "crashes-libheif.heic"
    assert fault(path).message == f"`{path}` is a HEIC image that does not decode"


def test_the_decoder_gets_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen by a module in its place, which it imports from `PYTHONPATH`."""
    (tmp_path / "pi_heif.py").write_text(
        "import os, pathlib\n"
        "pathlib.Path(__file__).with_name('seen').write_text(repr(os.environ))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("FAL_KEY", "a-secret")
    fault(HEIC / "grey.heic")
    seen = (tmp_path / "seen").read_text()
    assert "PYTHONPATH" in seen
    assert "a-secret" not in seen


def test_without_its_reader_a_heic_is_refused_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    path = HEIC / "grey.heic"
    error = fault(path)
    assert error.message == f"`{path}` is HEIC, which cannot be read here"
    assert 'pip install "kontext-cli[heic]"' in (error.hint or "")
    with pytest.raises(InputFault, match="cannot be read here"):
        check_image("x.heic", path.read_bytes())


def test_each_takes_them_from_a_folder(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.HEIC").write_bytes((HEIC / "orientation-6.heic").read_bytes())
    (photos / "b.avif").write_bytes(avif(four_colours()))
    (photos / "c.heif").write_bytes((HEIC / "grey.heic").read_bytes())
    order = ["edit", "make it winter", "-i", "photos", "--each", "-p", "sandbox", "-d", "out"]
    done = kontext_here(*order, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    files = {each.name: io.BytesIO(each.read_bytes()) for each in (tmp_path / "out").iterdir()}
    made = {name: Image.open(file).size for name, file in files.items()}
    assert made.keys() == {"a-edit.jpg", "b-edit.jpg", "c-edit.jpg"}
    assert made["a-edit.jpg"] == (880, 1184), "upright"
