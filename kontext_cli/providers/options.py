"""The rows of a provider's table: its options, endpoints and prices."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli.job import Operation

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

BOTH: tuple[Operation, ...] = ("generate", "edit")


def as_is(value: Any) -> Any:
    """Send the value as it is."""
    return value


class Option(NamedTuple):
    """One option as a provider takes it.

    ``field`` is our name and ``wire`` the provider's (the same where empty). ``least`` and
    ``most`` bound numbers, ``longest`` bounds text in characters, ``choices`` lists words.
    ``default`` is what the provider does where the option is not sent, None where it says nothing.
    """

    field: str
    wire: str = ""
    least: float | None = None
    most: float | None = None
    longest: int | None = None
    choices: tuple[str, ...] = ()
    encode: Callable[[Any], Any] = as_is
    default: Any = None
    operations: tuple[Operation, ...] = BOTH

    def accepts(self, value: Any) -> bool:
        """Whether the provider takes this value."""
        if self.choices:
            return value in self.choices
        if self.longest is not None:
            return len(value) <= self.longest
        above = self.least is None or value >= self.least
        return above and (self.most is None or value <= self.most)

    def limits(self) -> str:
        """What it takes, in words: ``1 to 20``, ``at least 1``, ``jpeg, png``."""
        if self.choices:
            return ", ".join(self.choices)
        if self.longest is not None:
            return f"at most {self.longest:,} characters"
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f"at least {self.least:g}"
        return "anything"


class ImageField(NamedTuple):
    """Where an endpoint takes its input images: the wire name, how many, and their form."""

    wire: str
    least: int
    most: int
    encode: Callable[[Sequence["InputImage"]], Any]


class Endpoint(NamedTuple):
    """The provider's own id for one of our models and an operation."""

    id: str
    model: str
    operation: Operation
    images: ImageField | None = None

    def takes(self, count: int) -> bool:
        """Whether it takes this many input images."""
        if self.images is None:
            return count == 0
        return self.images.least <= count <= self.images.most


class Price(NamedTuple):
    """An estimate: US dollars for one image of a model, as published on ``dated``."""

    model: str
    usd: float
    dated: str


def one_image(images: Sequence["InputImage"]) -> str:
    """The single image as a URL."""
    return images[0].uri


def image_list(images: Sequence["InputImage"]) -> list[str]:
    """The URLs of all images as a list, also when there is one."""
    return [image.uri for image in images]


def one_or_list(images: Sequence["InputImage"]) -> str | list[str]:
    """A URL for one image, a list for several."""
    return images[0].uri if len(images) == 1 else image_list(images)
