"""The rows of a provider's table: its options, endpoints and prices."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kontext_cli.job import Operation
from kontext_cli.sizes import ONE_MEGAPIXEL, RATIO_SIZES

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

BOTH: tuple[Operation, ...] = ("generate", "edit")

SIZE = "size"
"""The wire name of an option that is sent as two, width and height in pixels: see `with_sides`."""

Size = tuple[int, int]
"""Width and height in pixels."""


def as_is(value: Any) -> Any:
    """Send the value as it is."""
    return value


def as_size(ratio: str) -> dict[str, int]:
    """The size of about one megapixel for an aspect ratio, for models that take only sizes."""
    width, height = ONE_MEGAPIXEL[ratio]
    return {"width": width, "height": height}


def as_kontext_size(ratio: str) -> dict[str, int]:
    """Kontext's own size for an aspect ratio, for servers that take sizes in pixels."""
    width, height = RATIO_SIZES[ratio]
    return {"width": width, "height": height}


def with_sides(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A payload whose `SIZE` became two fields: width and height."""
    fields = dict(payload)
    fields.update(fields.pop(SIZE, {}))
    return fields


def as_opposite(switch: bool) -> bool:
    """Send what switches on where ours switches off."""
    return not switch


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
            return f"{_number(self.least)} to {_number(self.most)}"
        if self.least is not None:
            return f"at least {_number(self.least)}"
        return "anything"


def _number(limit: float) -> str:
    return f"{limit:,}" if isinstance(limit, int) else f"{limit:g}"


class ImageField(NamedTuple):
    """How an endpoint takes its input images: how many, and the fields of the payload for them."""

    least: int
    most: int
    encode: Callable[[Sequence["InputImage"]], Mapping[str, Any]]


class Endpoint(NamedTuple):
    """The provider's own id for one of our models and an operation, with what it takes.

    ``format`` is that of its images where it cannot be chosen.
    """

    id: str
    model: str
    operation: Operation
    options: tuple[Option, ...]
    images: ImageField | None = None
    format: Literal["jpeg", "png"] = "jpeg"

    def option(self, field: str) -> Option | None:
        """The row for one of our fields, None where the endpoint has no such option."""
        return next((row for row in self.options if row.field == field), None)

    @property
    def fields(self) -> frozenset[str]:
        """The names of all fields that it takes."""
        return frozenset(row.field for row in self.options)

    def takes(self, count: int) -> bool:
        """Whether it takes this many input images."""
        if self.images is None:
            return count == 0
        return self.images.least <= count <= self.images.most


class Price(NamedTuple):
    """An estimate: US dollars for one image of a model, as published on ``dated``.

    ``usd`` is for an image, whatever its size, unless one of these says more. With ``further``,
    it is for the first megapixel of the image, and ``further`` for each one more; ``inputs`` is
    for each megapixel of each input image. With ``resolutions``, the price is that of the
    resolution that was asked for, and ``usd`` that of the default.
    """

    model: str
    usd: float
    dated: str
    further: float | None = None
    inputs: float = 0
    resolutions: Mapping[str, float] = {}

    @property
    def least(self) -> float:
        """US dollars for the cheapest image."""
        return min(self.usd, *self.resolutions.values()) if self.resolutions else self.usd

    @property
    def varies(self) -> bool:
        """Whether some images cost more than ``least``."""
        return bool(self.further or self.inputs or self.resolutions)

    def depends_on_inputs(self, *, follows: bool) -> bool:
        """Whether the sizes of the input images matter; ``follows`` says that the image gets the
        size of the first one."""
        return bool(self.inputs or (follows and self.further))

    def of(
        self, inputs: Sequence[Size | None], *, follows: bool, resolution: str | None = None
    ) -> float | None:
        """US dollars for one image made from ``inputs`` of these sizes (None where not known).

        It is of one megapixel, or, where it ``follows``, of the size of the first input. None
        where the price is unknown.
        """
        if resolution is not None and self.resolutions:
            return self.resolutions.get(resolution)
        if not self.depends_on_inputs(follows=follows):
            return self.usd
        areas = [megapixels(size) for size in inputs if size is not None]
        if len(areas) < len(inputs):
            return None
        return self.by_megapixels(areas[0] if follows and areas else 1, inputs=sum(areas))

    def by_megapixels(self, output: int, *, inputs: int = 0) -> float:
        """US dollars for an image of so many megapixels, with input images of so many in all."""
        return self.usd + (self.further or 0) * (output - 1) + self.inputs * inputs


def megapixels(size: Size) -> int:
    """The whole megapixels that an image is billed as, of 1024 × 1024 pixels each, rounded up."""
    return -(-size[0] * size[1] // 2**20)


def one_image(name: str) -> ImageField:
    """A field that takes one image as a URL."""
    return ImageField(1, 1, lambda images: {name: images[0].uri})


def image_list(name: str, *, least: int = 1, most: int = 4) -> ImageField:
    """A field that takes the URLs of all images as a list, also where there is one."""
    return ImageField(least, most, lambda images: {name: [image.uri for image in images]})


def one_or_list(name: str, *, most: int = 4) -> ImageField:
    """A field that takes a URL for one image, and a list for several."""
    return ImageField(1, most, lambda images: {name: _one_or_list(images)})


def _one_or_list(images: Sequence["InputImage"]) -> str | list[str]:
    return images[0].uri if len(images) == 1 else [image.uri for image in images]
