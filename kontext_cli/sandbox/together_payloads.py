"""What Together's one call takes, by model."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kontext_cli.sandbox.orders import AspectRatio, Order, Size
from kontext_cli.sizes import RATIO_SIZES

_Side = Annotated[int, Field(ge=64, le=4096, multiple_of=8)]


class _TogetherOrder(Order):
    """The fields of all models; the shape is a ratio or a size, not both."""

    shown: ClassVar[frozenset[str]] = frozenset({"images"})

    model: str
    n: Annotated[int, Field(ge=1, le=4)] = 1
    seed: int | None = None
    output_format: Literal["jpeg", "png"] = "jpeg"
    steps: Annotated[int, Field(ge=1, le=50)] = 20
    guidance_scale: float = 3.5
    disable_safety_checker: bool = False
    negative_prompt: str | None = None
    response_format: Literal["url", "base64"] = "url"
    width: _Side | None = None
    height: _Side | None = None

    @property
    def count(self) -> int:
        return self.n

    @property
    def asked_size(self) -> Size | None:
        ratio: str | None = getattr(self, "aspect_ratio", None)
        if ratio:
            return RATIO_SIZES[ratio]
        if self.width or self.height:
            return self.width or 1024, self.height or 1024
        return None

    @property
    def sources(self) -> tuple[str, ...]:
        one: str | None = getattr(self, "image_url", None)
        several: list[str] | None = getattr(self, "reference_images", None)
        return (one,) if one else tuple(several or ())


class TogetherKontext(_TogetherOrder):
    """Kontext [pro] and [max], with one image or none."""

    aspect_ratio: AspectRatio | None = None
    image_url: str | None = None


class TogetherDev(TogetherKontext):
    """Kontext [dev], which only edits."""

    image_url: str


class TogetherFlux2(_TogetherOrder):
    """FLUX.2, with any number of images up to eight."""

    reference_images: Annotated[list[str], Field(max_length=8)] | None = None
    image_url: str | None = None


TOGETHER: dict[str, type[Order]] = {
    "black-forest-labs/FLUX.1-kontext-pro": TogetherKontext,
    "black-forest-labs/FLUX.1-kontext-max": TogetherKontext,
    "black-forest-labs/FLUX.1-kontext-dev": TogetherDev,
    "black-forest-labs/FLUX.2-pro": TogetherFlux2,
    "black-forest-labs/FLUX.2-max": TogetherFlux2,
    "black-forest-labs/FLUX.2-flex": TogetherFlux2,
}
