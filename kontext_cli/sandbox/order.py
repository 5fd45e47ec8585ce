"""What the images of a job are made from, whichever provider's payload it came in."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Order(BaseModel):
    """The fields that every dialect has; unknown ones are ignored by default."""

    model_config = ConfigDict(strict=True, frozen=True)

    prompt: str
    seed: int | None = None
    num_images: int = 1
    output_format: Literal["jpeg", "png"] = "jpeg"

    @property
    def sources(self) -> tuple[str, ...]:
        """The input images in order, as URLs or data URIs."""
        return ()

    @property
    def inline(self) -> bool:
        """Whether the images come as data URIs in the result."""
        return False

    @property
    def asked_size(self) -> tuple[int, int] | None:
        """Width and height in pixels; None where they follow the first input."""
        return None
