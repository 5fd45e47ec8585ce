"""Thumbnails and contact sheets: small, upright, within their places, and known as ours."""

from io import BytesIO

import pytest
from PIL import Image

from kontext_cli.images.reading import NotAnImage
from kontext_cli.images.thumbnails import MARK, Cell, Plan, Sheet, thumbnail
from samples import image_file

LONG = "a prompt that is longer than any cell of the sheet is wide " * 20
PLAN = Plan(columns=2, rows=2, side=80, text=12, lines=2)


def sheet_of(*cells: Cell) -> Image.Image:
    sheet = Sheet(PLAN)
    for cell in cells:
        sheet.add(cell)
    stream = BytesIO()
    sheet.save(stream, "png")
    return Image.open(stream)


def test_a_thumbnail_carries_our_mark() -> None:
    data, size = thumbnail(image_file("png", (1000, 500)), 200, 200)
    assert size == (1000, 500)
    assert MARK.encode() in data[:100]
    with Image.open(BytesIO(data)) as image:
        assert (image.format, image.size) == ("JPEG", (200, 100))


def test_what_is_no_image_has_no_thumbnail() -> None:
    with pytest.raises(NotAnImage):
        thumbnail(image_file("png")[:-20], 200, 200)


@pytest.mark.parametrize("text", [LONG, LONG.replace(" ", ""), "中文" * 300, "\ud800\u202e\x00\n"])
def test_text_stays_in_its_cell(text: str) -> None:
    image = sheet_of(Cell(None, text, [text, text]), Cell(None, "", []))
    assert image.size == PLAN.size
    between = image.crop((12 + 80, 0, 12 + 80 + 12, 12 + 80 + 2 * 16))
    assert between.getcolors() == [(between.width * between.height, (255, 255, 255))]


def test_images_are_in_the_middle_of_their_cells() -> None:
    blue = Image.new("RGB", (80, 40), (0, 0, 255))
    image = sheet_of(*[Cell(blue, "", [])] * 3)
    for left, top in ((12, 12), (104, 12), (12, 12 + 92 + 32)):
        assert image.getpixel((left + 40, top + 40)) == (0, 0, 255)
        assert image.getpixel((left + 40, top + 15)) != (0, 0, 255)


def test_a_sheet_has_a_largest_size() -> None:
    assert Plan(80, 80, 80, 11, 1).fits
    assert not Plan(1, 600, 320, 16, 1).fits
    assert not Plan(200, 200, 320, 16, 1).fits
