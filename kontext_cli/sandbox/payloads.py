"""What the providers take, field by field, as their schemas say (fal's and AIMLAPI's model pages).

The words for what does not fit are pydantic's, which are also fal's.
"""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, field_validator

from kontext_cli.sandbox.bfl_payloads import BFL
from kontext_cli.sandbox.comfyui_graphs import COMFYUI
from kontext_cli.sandbox.failures import Failure, NoImage
from kontext_cli.sandbox.flux import (
    BlockingFlux2,
    BlockingFlux2Edit,
    BlockingFlux2Max,
    Flex,
    FlexEdit,
    Flux2,
    Flux2Edit,
    Flux3,
    Flux3Edit,
)
from kontext_cli.sandbox.openai_payloads import OPENAI
from kontext_cli.sandbox.orders import AspectRatio, Order, Size, whole
from kontext_cli.sandbox.replicate_payloads import REPLICATE
from kontext_cli.sandbox.together_payloads import TOGETHER
from kontext_cli.sizes import RATIO_SIZES, nearest_size


class Payload(Order):
    """What Kontext takes where it is spoken to as at fal."""

    output_format: Literal["jpeg", "png"] = "jpeg"
    seed: int | None = None
    guidance_scale: Annotated[float, Field(ge=1, le=20)] = 3.5
    num_images: Annotated[int, Field(ge=1, le=4)] = 1
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = "2"
    aspect_ratio: AspectRatio | None = None

    @property
    def asked_size(self) -> Size | None:
        return RATIO_SIZES[self.aspect_ratio] if self.aspect_ratio else None


class FalPayload(Payload):
    """The fields that only fal has."""

    sync_mode: bool = False
    enhance_prompt: bool = False


class FalGenerate(FalPayload):
    """Text to image, square unless asked otherwise."""

    aspect_ratio: AspectRatio = "1:1"


class FalEdit(FalPayload):
    """One image and an instruction."""

    image_url: str


class FalEditMany(FalPayload):
    """Several images and an instruction."""

    image_urls: Annotated[list[str], Field(min_length=1)]


class FalDev(FalPayload):
    """Kontext [dev]: one image and an instruction; no safety tolerance."""

    image_url: str
    guidance_scale: Annotated[float, Field(ge=0, le=20)] = 2.5
    num_inference_steps: Annotated[int, Field(ge=10, le=50)] = 28
    enable_safety_checker: bool = True
    acceleration: Literal["none", "regular", "high"] = "none"
    resolution_mode: Literal["auto", "match_input", "4:5", "5:4"] | AspectRatio = "match_input"

    @property
    def asked_size(self) -> Size | None:
        return RATIO_SIZES.get(self.resolution_mode)

    def like(self, shape: Size) -> Size:
        return nearest_size(*shape) if self.resolution_mode == "auto" else whole(shape, 2**20)


class GatewayGenerate(Payload):
    """Text to image at the gateway, which also takes numbers as text and a format `default`."""

    model_config = ConfigDict(strict=False)

    aspect_ratio: AspectRatio = "1:1"

    @field_validator("output_format", mode="before")
    @classmethod
    def _its_default(cls, value: object) -> object:
        return "jpeg" if value == "default" else value


class BlockingGenerate(Payload):
    """Text to image at AIMLAPI: the prompt has a limit, seeds start at 1, nothing else is taken."""

    model_config = ConfigDict(extra="forbid")

    model: str
    prompt: Annotated[str, Field(max_length=4000)]
    seed: Annotated[int, Field(ge=1)] | None = None
    aspect_ratio: AspectRatio | None = "1:1"


class BlockingEdit(BlockingGenerate):
    """Up to four images and an instruction at AIMLAPI."""

    aspect_ratio: AspectRatio | None = None
    image_url: str | Annotated[list[str], Field(min_length=1, max_length=4)]


FAL: dict[str, type[Order]] = {
    "fal-ai/flux-pro/kontext": FalEdit,
    "fal-ai/flux-pro/kontext/multi": FalEditMany,
    "fal-ai/flux-pro/kontext/text-to-image": FalGenerate,
    "fal-ai/flux-pro/kontext/max": FalEdit,
    "fal-ai/flux-pro/kontext/max/multi": FalEditMany,
    "fal-ai/flux-pro/kontext/max/text-to-image": FalGenerate,
    "fal-ai/flux-kontext/dev": FalDev,
    "fal-ai/flux-2-pro": Flux2,
    "fal-ai/flux-2-pro/edit": Flux2Edit,
    "fal-ai/flux-2-max": Flux2,
    "fal-ai/flux-2-max/edit": Flux2Edit,
    "fal-ai/flux-2-flex": Flex,
    "fal-ai/flux-2-flex/edit": FlexEdit,
    "blackforestlabs/flux-3/text-to-image": Flux3,
    "blackforestlabs/flux-3/edit-image": Flux3Edit,
}
CHAINHUB: dict[str, type[Order]] = {"fal-ai/flux-pro/kontext/text-to-image": GatewayGenerate}
AIMLAPI: dict[str, type[Order]] = {
    "flux/kontext-pro/text-to-image": BlockingGenerate,
    "flux/kontext-max/text-to-image": BlockingGenerate,
    "flux/kontext-pro/image-to-image": BlockingEdit,
    "flux/kontext-max/image-to-image": BlockingEdit,
    "blackforestlabs/flux-2-pro": BlockingFlux2,
    "blackforestlabs/flux-2-pro-edit": BlockingFlux2Edit,
    "blackforestlabs/flux-2-max": BlockingFlux2Max,
}
ENDPOINTS = {
    "fal": FAL,
    "chainhub": CHAINHUB,
    "aimlapi": AIMLAPI,
    "bfl": BFL,
    "replicate": REPLICATE,
    "together": TOGETHER,
    "openai": OPENAI,
    "comfyui": COMFYUI,
}
"""What each endpoint of each dialect takes."""


def parsed(dialect: str, endpoint: str, fields: dict[str, Any]) -> Order:
    """A payload that fits its endpoint; NoImage, unbilled, with fal's list of what does not."""
    try:
        return ENDPOINTS[dialect][endpoint].model_validate(fields)
    except ValidationError as error:
        unbilled = {"x-fal-billable-units": "0"}
        raise NoImage(Failure(422, _problems(error), headers=unbilled)) from error


def _problems(error: ValidationError) -> list[dict[str, Any]]:
    listed = []
    for found in error.errors(include_url=False):
        problem: dict[str, Any] = {**found, "loc": ["body", *found["loc"]]}
        if found["type"] == "missing":
            del problem["input"]
        listed.append(problem)
    return listed
