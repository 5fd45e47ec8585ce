"""What the models take at Replicate, field by field; fields that they do not know are ignored."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from kontext_cli.sandbox.orders import (
    MEGAPIXEL,
    AspectRatio,
    Flux3Order,
    Order,
    Size,
    of_area,
    shape_of,
    whole,
)
from kontext_cli.sizes import RATIO_SIZES, nearest_size

_Ratio = Literal["match_input_image", "4:5", "5:4", "2:1", "1:2"] | AspectRatio
_Flux2Ratio = Literal[
    "match_input_image", "1:1", "16:9", "3:2", "2:3", "4:5", "5:4", "9:16", "3:4", "4:3"
]
_MOST_WITH_IMAGE = 2
_MEGAPIXELS = {"0.5 MP": 0.5, "1 MP": 1.0, "2 MP": 2.0, "4 MP": 4.0}


class Input(Order):
    """What each model takes; only ``jpg`` is its name for JPEG."""

    output_format: Literal["jpeg", "png", "webp"] = "webp"

    @field_validator("output_format", mode="before")
    @classmethod
    def _by_our_name(cls, value: Any) -> Any:
        return (
            {"jpg": "jpeg", "jpeg": "JPEG"}.get(value, value) if isinstance(value, str) else value
        )


class _OneImage(Input):
    input_image: str | None = None
    aspect_ratio: _Ratio = "match_input_image"
    seed: int | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        return () if self.input_image is None else (self.input_image,)

    @property
    def asked_size(self) -> Size | None:
        if self.aspect_ratio == "match_input_image":
            return None
        return RATIO_SIZES.get(self.aspect_ratio) or nearest_size(*shape_of(self.aspect_ratio))


class Kontext(_OneImage):
    """Kontext [pro] and [max]: text to image, or an image and an instruction."""

    output_format: Literal["jpeg", "png"] = "png"
    safety_tolerance: Annotated[int, Field(ge=0, le=6)] = 2
    prompt_upsampling: bool = False

    @model_validator(mode="after")
    def _stricter_with_an_image(self) -> Self:
        if self.sources and self.safety_tolerance > _MOST_WITH_IMAGE:
            raise ValueError("safety_tolerance is at most 2 where there is an input image")
        return self


class KontextDev(_OneImage):
    """Kontext [dev]: an image and an instruction."""

    input_image: str
    guidance: Annotated[float, Field(ge=0, le=10)] = 2.5
    num_inference_steps: Annotated[int, Field(ge=4, le=50)] = 30
    output_quality: Annotated[int, Field(ge=0, le=100)] = 80
    disable_safety_checker: bool = False


class Flux2(Input):
    """FLUX.2 [pro] and [max]: up to eight images."""

    input_images: list[str] = Field(default_factory=list, max_length=8)
    aspect_ratio: _Flux2Ratio = "1:1"
    resolution: Literal["match_input_image", "0.5 MP", "1 MP", "2 MP", "4 MP"] = "1 MP"
    seed: int | None = None
    safety_tolerance: Annotated[int, Field(ge=1, le=5)] = 2
    output_quality: Annotated[int, Field(ge=0, le=100)] = 80

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.input_images)

    @property
    def asked_size(self) -> Size | None:
        if self.aspect_ratio == "match_input_image":
            return None
        return self.like(shape_of(self.aspect_ratio))

    def like(self, shape: Size) -> Size:
        if self.resolution == "match_input_image":
            return whole(shape)
        return of_area(int(_MEGAPIXELS[self.resolution] * MEGAPIXEL), shape[0] / shape[1])


class Flex(Flux2):
    """FLUX.2 [flex]: up to ten images, and two more knobs."""

    input_images: list[str] = Field(default_factory=list, max_length=10)
    prompt_upsampling: bool = True
    guidance: Annotated[float, Field(ge=1.5, le=10)] = 4.5
    steps: Annotated[int, Field(ge=1, le=50)] = 30


class Flux3(Input, Flux3Order):
    """FLUX 3: up to ten images, and no seed."""

    images: list[str] = Field(default_factory=list, max_length=10)
    grounding: bool = True
    output_quality: Annotated[int, Field(ge=0, le=100)] = 80

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.images)


REPLICATE: dict[str, type[Order]] = {
    "black-forest-labs/flux-kontext-pro": Kontext,
    "black-forest-labs/flux-kontext-max": Kontext,
    "black-forest-labs/flux-kontext-dev": KontextDev,
    "black-forest-labs/flux-2-pro": Flux2,
    "black-forest-labs/flux-2-max": Flux2,
    "black-forest-labs/flux-2-flex": Flex,
    "black-forest-labs/flux-3-image": Flux3,
}
