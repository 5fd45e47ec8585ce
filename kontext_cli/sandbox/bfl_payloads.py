"""What Black Forest Labs' endpoints take, as its OpenAPI document says."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from kontext_cli.sandbox.order import Order
from kontext_cli.sizes import nearest_size

_URLS = ("https://", "http://")
_SQUARE = (1024, 1024)


def _within_limits(ratio: str) -> str:
    width, height = map(int, ratio.split(":"))
    if not 9 * height <= 21 * width <= 49 * height:
        raise ValueError("Aspect ratio must be between 21:9 and 9:21")
    return ratio


AspectRatio = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$"), AfterValidator(_within_limits)
]


class Task(Order):
    """What all endpoints with numbered input images take."""

    output_format: Literal["jpeg", "png"] = "jpeg"
    input_image: str | None = None
    input_image_2: str | None = None
    input_image_3: str | None = None
    input_image_4: str | None = None
    webhook_url: Annotated[str, Field(min_length=1, max_length=2083)] | None = None
    webhook_secret: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        given = (getattr(self, name) for name in type(self).model_fields if "input_image" in name)
        return tuple(as_url(image) for image in given if image is not None)


class Kontext(Task):
    """FLUX.1 Kontext: text to image, or an edit where there is an input image."""

    output_format: Literal["jpeg", "png"] = "png"
    aspect_ratio: AspectRatio | None = None
    prompt_upsampling: bool = False
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2

    @property
    def asked_size(self) -> tuple[int, int] | None:
        if self.aspect_ratio is None:
            return None if self.sources else _SQUARE
        width, height = map(int, self.aspect_ratio.split(":"))
        return nearest_size(width, height)


BFL: dict[str, type[Order]] = {
    "v1/flux-kontext-pro": Kontext,
    "v1/flux-kontext-max": Kontext,
}


def as_url(image: str) -> str:
    """An input image as a URL, as a data URI where it is in base64: with one as it is, decoding
    fails."""
    return image if image.startswith(_URLS) else f"data:;base64,{image}"
