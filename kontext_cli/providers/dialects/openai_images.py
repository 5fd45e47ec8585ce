"""What servers take that speak OpenAI's images API, and how they want it written.

Sources: OpenAI's API reference; the source of sd-server (stable-diffusion.cpp, its `api.md`), of
vLLM-Omni and of LocalAI; runs of sd-server and of LiteLLM's proxy. The sizes for aspect ratios are
Kontext's own (`sizes.py`); OpenAI's models have three of their own.
"""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli.errors import UnsupportedOption
from kontext_cli.http.call import Part
from kontext_cli.job import Operation
from kontext_cli.providers.base import neutral_name
from kontext_cli.providers.options import Endpoint, ImageField, Option
from kontext_cli.sizes import RATIO_SIZES, nearest_size

if TYPE_CHECKING:
    from kontext_cli.images.inputs import InputImage

_EXTRA_ARGS = "sd_cpp_extra_args"
_MOST_IMAGES = 10
_LITELLM_TIME = 1_677_610_602
"""When each model of LiteLLM's proxy was made, by its own list."""
_STANDARD = {
    "prompt": "prompt",
    "num_images": "n",
    "aspect_ratio": "size",
    "output_format": "output_format",
}
_KONTEXT_SIZES = {ratio: f"{width}x{height}" for ratio, (width, height) in RATIO_SIZES.items()}


class Dialect(NamedTuple):
    """How one kind of server is spoken to.

    ``software`` is what images made there name; empty where it is not known. ``fields`` are the
    names on the wire of our options, those alone that it takes; ``within_prompt`` lists options
    that travel in the prompt instead, with their place in the JSON there. ``asks`` says that the
    form of the answer is asked for. ``edits`` is false where input images go to the same URL as
    prompts, as plain base64. ``fetches`` says that it takes images by URL. ``format`` is that of
    its images where it cannot be chosen.
    """

    software: str
    fields: Mapping[str, str]
    within_prompt: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    asks: bool = True
    edits: bool = True
    fetches: bool = False
    sizes: Mapping[str, str] = MappingProxyType(_KONTEXT_SIZES)
    most: int = 4
    format: Any = "png"

    def takes(self, option: str) -> bool:
        """Whether it has an option."""
        return option in self.fields or option in self.within_prompt

    def endpoints(self, model: str) -> tuple[Endpoint, ...]:
        """What it offers on a model."""
        operations: tuple[Operation, ...] = ("generate", "edit")
        return tuple(
            Endpoint(
                model,
                model,
                operation,
                tuple(row for row in self._rows() if self.takes(row.field)),
                _IMAGES if operation == "edit" else None,
                "jpeg" if self.takes("output_format") else self.format,
            )
            for operation in operations
        )

    def _rows(self) -> tuple[Option, ...]:
        return (
            Option("prompt"),
            Option("aspect_ratio", choices=tuple(self.sizes)),
            Option("num_images", least=1, most=self.most, default=1),
            Option("seed", least=0),
            Option("guidance_scale", least=0, most=20),
            Option("steps", least=1, most=50),
            Option("output_format", choices=("jpeg", "png")),
        )

    def fields_of(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a request, but for its images and the model."""
        written = {
            self.fields[name]: self.sizes[value] if name == "aspect_ratio" else value
            for name, value in options.items()
            if name in self.fields
        }
        extra = _nested(
            {place: options[name] for name, place in self.within_prompt.items() if name in options}
        )
        if extra:
            written["prompt"] = _with_extra(str(options["prompt"]), extra)
        return written

    def parts(self, fields: Mapping[str, Any], images: "Sequence[InputImage]") -> tuple[Part, ...]:
        """The form of an edit. Raises UnsupportedOption for an image that is only a URL."""
        texts = (Part(name, str(value).encode()) for name, value in fields.items())
        return (*texts, *map(self._part, images))

    def inline(
        self, fields: Mapping[str, Any], images: "Sequence[InputImage]"
    ) -> Mapping[str, Any]:
        """The body of an edit that goes where prompts go. It gets the size of the first image, to
        which such a server does not look."""
        size = _KONTEXT_SIZES["1:1"]
        if images[0].size is not None:
            width, height = nearest_size(*images[0].size)
            size = f"{width}x{height}"
        return {"size": size, **fields, "ref_images": [image.base64 for image in images]}

    def _part(self, image: "InputImage") -> Part:
        if image.content is not None:
            media_type = image.media_type or "image/png"
            return Part("image[]", image.content, neutral_name(media_type), media_type)
        if not self.fetches:
            raise UnsupportedOption(
                f"{self.software or 'an OpenAI-compatible server'} takes files, not URLs of images",
                hint="download the image, and name the file with -i",
            )
        return Part("url[]", str(image.url).encode())


_IMAGES = ImageField(1, _MOST_IMAGES, lambda images: {"images": tuple(images)})

PLAIN = Dialect("", {**_STANDARD, "seed": "seed"})
"""A server of which nothing is known: OpenAI's fields, and the one for seeds that most have."""
OPENAI = Dialect(
    "OpenAI",
    _STANDARD,
    asks=False,
    sizes={"1:1": "1024x1024", "3:2": "1536x1024", "2:3": "1024x1536"},
)
LITELLM = PLAIN._replace(software="LiteLLM")
VLLM = Dialect(
    "vLLM-Omni",
    {
        "prompt": "prompt",
        "num_images": "n",
        "aspect_ratio": "size",
        "seed": "seed",
        "guidance_scale": "guidance_scale",
        "steps": "num_inference_steps",
    },
    fetches=True,
)
SDCPP = Dialect(
    "stable-diffusion.cpp",
    _STANDARD,
    {
        "seed": ("seed",),
        "guidance_scale": ("sample_params", "guidance", "distilled_guidance"),
        "steps": ("sample_params", "sample_steps"),
    },
    asks=False,
)
LOCALAI = Dialect(
    "LocalAI",
    {
        "prompt": "prompt",
        "num_images": "n",
        "aspect_ratio": "size",
        "seed": "seed",
        "steps": "step",
    },
    edits=False,
    most=1,  # it gives all images of a request the same seed
)
AUTO = PLAIN._replace(fields={**PLAIN.fields, **VLLM.fields})
"""What is planned for before a server was asked: all that one of them takes."""

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {"auto": AUTO, "vllm": VLLM, "sdcpp": SDCPP, "localai": LOCALAI, "litellm": LITELLM}
)
"""By their names in `config.toml`."""


def recognized(entries: Sequence[Any]) -> Dialect:
    """The dialect of a server, by its list of models."""
    models = [entry for entry in entries if isinstance(entry, dict)]
    if any(str(model.get("owned_by")).startswith("vllm") for model in models):
        return VLLM
    if any(model.get("id") == "sd-cpp-local" for model in models):
        return SDCPP
    if models and all(model.get("created") == _LITELLM_TIME for model in models):
        return LITELLM
    return PLAIN


def resembles_localai(entries: Sequence[Any]) -> bool:
    """Whether a list of models may be LocalAI's, which says nothing of them but a name."""
    return bool(entries) and all(
        isinstance(entry, dict) and entry.keys() == {"id", "object"} for entry in entries
    )


def _with_extra(prompt: str, extra: Mapping[str, Any]) -> str:
    """A prompt with what sd-server reads in it and removes; the first such block counts."""
    if f"<{_EXTRA_ARGS}>" in prompt:
        raise UnsupportedOption(
            f"the prompt contains <{_EXTRA_ARGS}>, where seed, steps and guidance are sent"
        )
    text = json.dumps(extra, separators=(",", ":"))
    return f"{prompt}<{_EXTRA_ARGS}>{text}</{_EXTRA_ARGS}>"


def _nested(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """JSON objects within each other, with each value at its place."""
    whole: dict[str, Any] = {}
    for place, value in values.items():
        inner = whole
        for name in place[:-1]:
            inner = inner.setdefault(name, {})
        inner[place[-1]] = value
    return whole
