"""What the images of a job are made from, whichever provider's payload it came in."""

from pydantic import BaseModel, ConfigDict

from kontext_cli.sizes import nearest_size

_SQUARE = (1024, 1024)

Size = tuple[int, int]
"""Width and height in pixels."""


class Order(BaseModel):
    """What every payload says in one form or another; unknown fields are ignored by default."""

    model_config = ConfigDict(strict=True, frozen=True)

    prompt: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The input images in order, as URLs or data URIs."""
        return ()

    @property
    def count(self) -> int:
        """How many images are asked for."""
        return 1

    @property
    def file_format(self) -> str:
        """The format of the images: jpeg or png."""
        return "png"

    @property
    def inline(self) -> bool:
        """Whether the images come as data URIs in the result."""
        return False

    @property
    def asked_size(self) -> Size | None:
        """The size that is asked for; None where it follows the first input."""
        return None

    def size(self, first: Size | None) -> Size:
        """The size of the images; ``first`` is that of the first input, None without inputs."""
        return self.asked_size or (nearest_size(*first) if first else _SQUARE)
