"""What all payloads have: a prompt, and an image of some size and format."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from kontext_cli.sizes import nearest_size

Size = tuple[int, int]
"""Width and height in pixels."""
AspectRatio = Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"]

MEGAPIXEL = 2**20
MOST_PIXELS = 4 * MEGAPIXEL
"""Of an image of FLUX.2."""
_SQUARE = (1024, 1024)
_GRID = 16
_LEAST_SIDE = 64
_NARROWEST, _WIDEST = 9 / 21, 21 / 9
"""Width by height of FLUX 3's extreme ratios."""
_SIDES = {"768sq": 768, "1k": 1024, "1.5k": 1536, "2k": 2048, "4k": 4096}


class Order(BaseModel):
    """What every endpoint takes; unknown fields are ignored by default.

    ``shown`` are the fields of the model's own answer that a client sees.
    """

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)
    shown: ClassVar[frozenset[str]] = frozenset(
        {"images", "timings", "seed", "has_nsfw_concepts", "prompt"}
    )

    prompt: str

    @property
    def count(self) -> int:
        """How many images are made."""
        return getattr(self, "num_images", 1)

    @property
    def sources(self) -> tuple[str, ...]:
        """The input images in order, as URLs or data URIs."""
        given: str | list[str] = getattr(self, "image_url", getattr(self, "image_urls", []))
        return (given,) if isinstance(given, str) else tuple(given)

    @property
    def file_format(self) -> str:
        """The format of the images; PNG where it cannot be chosen."""
        return getattr(self, "output_format", "png")

    @property
    def inline(self) -> bool:
        """Whether the images come as data URIs in the result."""
        return getattr(self, "sync_mode", False)

    @property
    def asked_size(self) -> Size | None:
        """Width and height in pixels; None where they follow the first input."""
        return None

    def like(self, shape: Size) -> Size:
        """The size of the image where it follows the first input, which has this shape."""
        return nearest_size(*shape)

    def size(self, first: Size | None) -> Size:
        """The size of the image; ``first`` is that of the first input, None without inputs."""
        return self.asked_size or self.like(first or _SQUARE)


class Flux3Order(Order):
    """FLUX 3, wherever it is: no seed goes in, and none comes out."""

    shown: ClassVar[frozenset[str]] = frozenset({"images"})

    aspect_ratio: Literal["auto", AspectRatio, "2:1", "7:5", "5:4", "4:5", "5:7", "1:2"] = "auto"
    resolution: Literal["768sq", "1k", "1.5k", "2k", "4k"] = "1k"
    safety_tolerance: Annotated[int, Field(ge=0, le=4)] = 2

    @property
    def asked_size(self) -> Size | None:
        return None if self.aspect_ratio == "auto" else self.like(shape_of(self.aspect_ratio))

    def like(self, shape: Size) -> Size:
        ratio = min(max(shape[0] / shape[1], _NARROWEST), _WIDEST)
        return of_area(_SIDES[self.resolution] ** 2, ratio)


def shape_of(ratio: str) -> Size:
    """Width and height of a ratio such as ``16:9``."""
    width, height = map(int, ratio.split(":"))
    return width, height


def whole(shape: Size, most: int = MOST_PIXELS) -> Size:
    """A shape in multiples of 16 pixels, made smaller where it has more than ``most`` in all."""
    scale = min(1.0, (most / (shape[0] * shape[1])) ** 0.5)
    width, height = (max(_LEAST_SIDE, int(side * scale) // _GRID * _GRID) for side in shape)
    return width, height


def of_area(pixels: int, ratio: float) -> Size:
    """A size of about so many pixels, its width ``ratio`` times its height."""
    width = (pixels * ratio) ** 0.5
    return round(width / _GRID) * _GRID, round(width / ratio / _GRID) * _GRID
