"""Small JPEGs of image files, and contact sheets of them."""

import io
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple

from kontext_cli.images.shrinking import small_copy

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

    BaseImageFont = FreeTypeFont | ImageFont

MARK = "kontext gallery"
"""Within the first bytes of all that we write, to tell it from the files of others."""
MOST_PIXELS = 64_000_000
"""Of a sheet, which is held in memory with three bytes each."""
_MOST_SIDE = 65_000
"""Of a JPEG."""
_QUALITY = 82
_SHEET_QUALITY = 88
_GAP = 12
_PAPER, _MAT, _INK, _DIM, _BAD = "#ffffff", "#f1f0ed", "#1c1b19", "#6b6862", "#a1261d"


def thumbnail(data: bytes, width: int, height: int) -> tuple[bytes, tuple[int, int]]:
    """A JPEG within ``width`` × ``height`` of an image, and the size of the image in pixels.

    Raises NotAnImage.
    """
    image, size = small_copy(data, width, height)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY, optimize=True, comment=MARK)
    return stream.getvalue(), size


class Cell(NamedTuple):
    """What is shown in one place of a sheet: an image, or why there is none; and its labels."""

    image: "Image | None"
    reason: str
    labels: Sequence[str]


class Plan(NamedTuple):
    """The grid of a sheet: its cells are squares, with lines of text below; in pixels."""

    columns: int
    rows: int
    side: int
    text: int
    lines: int

    @property
    def line(self) -> int:
        """The height of a line of text."""
        return self.text * 4 // 3

    @property
    def size(self) -> tuple[int, int]:
        """The size of the whole sheet."""
        across = self.side + _GAP
        down = self.side + _GAP + self.lines * self.line
        return _GAP + self.columns * across, _GAP + self.rows * down

    @property
    def fits(self) -> bool:
        """Whether a sheet may be that large."""
        width, height = self.size
        return width * height <= MOST_PIXELS and max(width, height) <= _MOST_SIDE


class Sheet:
    """A contact sheet, to be filled cell by cell."""

    def __init__(self, plan: Plan) -> None:
        from PIL import Image, ImageDraw

        self._plan = plan
        self._canvas = Image.new("RGB", plan.size, _PAPER)
        self._draw = ImageDraw.Draw(self._canvas)
        self._font = _font(plan.text)
        self._next = 0

    def add(self, cell: Cell) -> None:
        """Draw the next cell."""
        row, column = divmod(self._next, self._plan.columns)
        self._next += 1
        side, line = self._plan.side, self._plan.line
        left = _GAP + column * (side + _GAP)
        top = _GAP + row * (side + _GAP + self._plan.lines * line)
        self._draw.rectangle((left, top, left + side - 1, top + side - 1), fill=_MAT)
        if cell.image is not None:
            width, height = cell.image.size
            at = left + (side - width) // 2, top + (side - height) // 2
            self._canvas.paste(cell.image, at)
        else:
            self._reason(cell.reason, left + _GAP, top + _GAP)
        for number, label in enumerate(cell.labels):
            at = left, top + side + number * line + self._plan.text // 4
            self._write(label, at, side, _INK if number == 0 else _DIM)

    def save(self, stream: BinaryIO, kind: Literal["png", "jpeg"]) -> None:
        """Write the sheet as a PNG or a JPEG that carries our mark."""
        from PIL.PngImagePlugin import PngInfo

        if kind == "jpeg":
            self._canvas.save(stream, "JPEG", quality=_SHEET_QUALITY, comment=MARK)
            return
        info = PngInfo()
        info.add_text("Software", MARK)
        self._canvas.save(stream, "PNG", pnginfo=info, compress_level=6)

    def _reason(self, reason: str, left: int, top: int) -> None:
        room = self._plan.side - 2 * _GAP
        lines: list[str] = [""]
        for word in reason.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and _width(self._draw, longer, self._font) > room:
                lines.append(word)
            else:
                lines[-1] = longer
        for number, line in enumerate(lines[: max(1, room // self._plan.line)]):
            self._write(line, (left, top + number * self._plan.line), room, _BAD)

    def _write(self, text: str, at: tuple[int, int], room: int, colour: str) -> None:
        self._draw.text(at, _cut(self._draw, text, self._font, room), colour, font=self._font)


def _cut(draw: "ImageDraw", text: str, font: "BaseImageFont", room: int) -> str:
    """As much of a line as there is room for; characters that cannot be drawn become `?`."""
    text = " ".join(text[:400].encode("utf-8", "replace").decode().split())
    if _width(draw, text, font) <= room:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if _width(draw, f"{text[:middle].rstrip()}…", font) <= room:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low].rstrip()}…" if low else ""


def _width(draw: "ImageDraw", text: str, font: "BaseImageFont") -> float:
    return draw.textlength(text, font=font)


def _font(size: int) -> "BaseImageFont":
    """Pillow's own font; where Pillow was built without FreeType, the one it has instead."""
    from PIL import ImageFont

    with suppress(ImportError, OSError):
        return ImageFont.load_default(size)
    return ImageFont.load_default()
