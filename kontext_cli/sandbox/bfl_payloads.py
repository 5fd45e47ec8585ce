"""What Black Forest Labs' endpoints take, as its OpenAPI document says."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from kontext_cli.sandbox.orders import (
    MOST_PIXELS,
    Flux3Order,
    Order,
    Size,
    shape_of,
    whole,
)
from kontext_cli.sizes import nearest_size

_URLS = ("https://", "http://")


def _within_limits(ratio: str) -> str:
    width, height = shape_of(ratio)
    if not 9 * height <= 21 * width <= 49 * height:
        raise PydanticCustomError("value_error", "Aspect ratio must be between 21:9 and 9:21")
    return ratio


AspectRatio = Annotated[
    str, Field(pattern=r"^[1-9][0-9]{0,3}:[1-9][0-9]{0,3}$"), AfterValidator(_within_limits)
]


class Task(Order):
    """What all endpoints with numbered input images take."""

    seed: int | None = None
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
    def asked_size(self) -> Size | None:
        return nearest_size(*shape_of(self.aspect_ratio)) if self.aspect_ratio else None


class Flux2(Task):
    """FLUX.2 pro and max: up to eight input images, sizes in pixels."""

    input_image_5: str | None = None
    input_image_6: str | None = None
    input_image_7: str | None = None
    input_image_8: str | None = None
    width: Annotated[int, Field(ge=64)] | None = None
    height: Annotated[int, Field(ge=64)] | None = None
    safety_tolerance: Annotated[int, Field(ge=0, le=5)] = 2
    disable_pup: bool = False

    @model_validator(mode="after")
    def _not_too_large(self) -> Self:
        if (self.width or 0) * (self.height or 0) > MOST_PIXELS:
            raise PydanticCustomError("value_error", "Image size must be at most 4 megapixels")
        return self

    @property
    def asked_size(self) -> Size | None:
        return (self.width, self.height) if self.width and self.height else None

    def like(self, shape: Size) -> Size:
        return whole(shape)


class Flux2Flex(Flux2):
    """FLUX.2 flex, whose steps and guidance can be chosen."""

    prompt_upsampling: bool = True
    guidance: Annotated[float, Field(ge=1.5, le=10)] = 5
    steps: Annotated[int, Field(ge=1, le=50)] = 50


class Flux3(Flux3Order):
    """FLUX 3: images in a list, a class of resolution, unknown fields refused.

    There is no field for the format; users report that it sends PNG.
    """

    model_config = ConfigDict(extra="forbid")

    images: Annotated[list[str], Field(min_length=1, max_length=10)] | str | None = None
    grounding: bool = True
    version: Literal["latest"] = "latest"

    @property
    def sources(self) -> tuple[str, ...]:
        given = self.images or []
        return tuple(map(as_url, [given] if isinstance(given, str) else given))


BFL: dict[str, type[Order]] = {
    "v1/flux-kontext-pro": Kontext,
    "v1/flux-kontext-max": Kontext,
    "v1/flux-2-pro": Flux2,
    "v1/flux-2-max": Flux2,
    "v1/flux-2-flex": Flux2Flex,
    "v1/flux-3-image": Flux3,
}


def as_url(image: str) -> str:
    """An input image as a URL: as a data URI where it is in base64, which one of its own is not."""
    return image if image.startswith(_URLS) else f"data:;base64,{image}"
