"""What all payloads have: a prompt, and an image of some size and format."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from kontext_cli.sizes import nearest_size

Size = tuple[int, int]
"""Width and height in pixels."""
AspectRatio = Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"]

_GRID = 16
_LEAST_SIDE = 64


class Order(BaseModel):
    """What every endpoint takes; unknown fields are ignored by default.

    ``told`` are the fields of the model's own answer that a client sees.
    """

    model_config = ConfigDict(strict=True, frozen=True)
    told: ClassVar[frozenset[str]] = frozenset(
        {"images", "timings", "seed", "has_nsfw_concepts", "prompt"}
    )

    prompt: str
    output_format: Literal["jpeg", "png"] = "jpeg"

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


def whole(shape: Size, most: int) -> Size:
    """A shape in multiples of 16 pixels, made smaller where it has more than ``most`` in all."""
    scale = min(1.0, (most / (shape[0] * shape[1])) ** 0.5)
    width, height = (max(_LEAST_SIDE, int(side * scale) // _GRID * _GRID) for side in shape)
    return width, height


def of_area(pixels: int, ratio: float) -> Size:
    """A size of about so many pixels, its width ``ratio`` times its height."""
    width = (pixels * ratio) ** 0.5
    return round(width / _GRID) * _GRID, round(width / ratio / _GRID) * _GRID
