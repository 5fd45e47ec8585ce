"""What the emulated OpenAI-compatible server takes: its models, and their fields."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from kontext_cli.sandbox.orders import Order, Size

_SIZE = r"^(auto|[1-9]\d{1,3}x[1-9]\d{1,3})$"
MODELS = ("FLUX.1-Kontext-dev", "FLUX.2-klein")
"""By the server's own names, the one that it uses unasked first."""


class OpenaiOrder(Order):
    """The fields of both calls; an edit has its files as data URIs in ``images``."""

    shown: ClassVar[frozenset[str]] = frozenset({"images"})

    model: str = MODELS[0]
    n: Annotated[int, Field(ge=1, le=10)] = 1
    asked: Annotated[str, Field(alias="size", pattern=r"^(auto|[1-9]\d{1,3}x[1-9]\d{1,3})$")] = (
        "auto"
    )
    seed: int | None = None
    output_format: Literal["jpeg", "png"] = "png"
    response_format: Literal["url", "b64_json"] = "url"
    images: Annotated[list[str], Field(default_factory=list, max_length=10)]

    @property
    def count(self) -> int:
        return self.n

    @property
    def asked_size(self) -> Size | None:
        if self.asked == "auto":
            return None
        width, height = map(int, self.asked.split("x"))
        return width, height

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.images)


OPENAI: dict[str, type[Order]] = dict.fromkeys(MODELS, OpenaiOrder)
