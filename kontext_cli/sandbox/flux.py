"""What FLUX.2 and FLUX 3 take, field by field, at fal and at AIMLAPI."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from kontext_cli.sandbox.orders import Flux3Order, Order, Size, whole

_NAMED = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}

_Named = Literal[
    "square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"
]
_References = Annotated[list[str], Field(min_length=1)]


class _FalSize(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    width: Annotated[int, Field(gt=0, le=14_142)] = 512
    height: Annotated[int, Field(gt=0, le=14_142)] = 512


class _Sized(Order):
    """An image of a size that is given by name or in pixels."""

    shown: ClassVar[frozenset[str]] = frozenset({"images", "seed"})

    output_format: Literal["jpeg", "png"] = "jpeg"

    @property
    def asked_size(self) -> Size | None:
        size = getattr(self, "image_size", None)
        if size is None or size == "auto":
            return None
        given = _NAMED[size] if isinstance(size, str) else (size.width, size.height)
        return whole(given)

    def like(self, shape: Size) -> Size:
        return whole(shape)


class Flux2(_Sized):
    """Text to image with FLUX.2 [pro] or [max]."""

    image_size: _FalSize | _Named = "landscape_4_3"
    seed: int | None = None
    safety_tolerance: Literal["1", "2", "3", "4", "5"] = "2"
    enable_safety_checker: bool = True
    sync_mode: bool = False


class Flux2Edit(Flux2):
    """Images and an instruction; the model decides on the size."""

    image_size: _FalSize | _Named | Literal["auto"] = "auto"  # type: ignore[assignment]
    image_urls: _References


class Flex(Flux2):
    """Text to image with FLUX.2 [flex], which has two more knobs."""

    guidance_scale: Annotated[float, Field(ge=1.5, le=10)] = 3.5
    num_inference_steps: Annotated[int, Field(ge=1, le=50)] = 28


class FlexEdit(Flex):
    """Images and an instruction; the model decides on the size."""

    image_size: _FalSize | _Named | Literal["auto"] = "auto"  # type: ignore[assignment]
    image_urls: _References


class Flux3(Flux3Order):
    """Text to image with FLUX 3."""

    aspect_ratio: Literal[
        "auto",
        "21:9",
        "2:1",
        "16:9",
        "3:2",
        "7:5",
        "4:3",
        "5:4",
        "1:1",
        "4:5",
        "3:4",
        "5:7",
        "2:3",
        "9:16",
        "1:2",
    ] = "auto"
    resolution: Literal["768sq", "1k", "2k", "4k"] = "1k"
    output_format: Literal["jpeg", "png"] = "jpeg"
    enable_prompt_expansion: bool = False
    sync_mode: bool = False
    version: Literal["latest"] = "latest"


class Flux3Edit(Flux3):
    """Up to ten images and an instruction."""

    image_urls: Annotated[list[str], Field(min_length=1, max_length=10)]


_Side = Annotated[int, Field(ge=512, le=2048, multiple_of=32)]


class _BlockingSize(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    width: _Side = 1024
    height: _Side = 768


class BlockingFlux2(_Sized):
    """Text to image with FLUX.2 [pro] at AIMLAPI, where unknown fields do no harm (its examples
    have one)."""

    model: str
    prompt: Annotated[str, Field(max_length=4000)]
    image_size: _BlockingSize | _Named = "landscape_4_3"
    seed: Annotated[int, Field(ge=1)] | None = None
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = "2"
    enable_safety_checker: bool = True
    output_format: Literal["jpeg", "png"] = "png"


class BlockingFlux2Edit(BlockingFlux2):
    """Up to three images and an instruction; 4:3 unless asked otherwise."""

    image_urls: Annotated[list[str], Field(min_length=1, max_length=3)]


class BlockingFlux2Max(_Sized):
    """Text to image with FLUX.2 [max] at AIMLAPI."""

    model: str
    prompt: Annotated[str, Field(max_length=4000)]
    image_size: _BlockingSize | _Named = "landscape_4_3"
    seed: Annotated[int, Field(ge=1)] | None = None
    safety_tolerance: Literal["1", "2", "3", "4", "5"] = "2"
    enable_safety_checker: bool = True
