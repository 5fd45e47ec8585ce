"""The options of `generate` and `edit`, each defined once: name, type, limits and help.

Flags, the keys of prompts files and the validation of requests are derived from this table. Each
provider has a table of its own: the options that it supports, with their limits and defaults.
"""

from typing import Any, Literal, NamedTuple, get_args

from kontext_cli.sizes import ASPECT_RATIOS

Metadata = Literal["off", "mark", "full"]
"""What is written into an image: nothing, that a model made it, or also how."""


class RequestOption(NamedTuple):
    """One option; its ``name`` is the key in prompts files and, with dashes, the flag.

    ``type`` is bool for a switch, else int, float or str; a str is one of ``choices``. ``least``
    and ``most`` are the widest limits of all providers. These three are fields of ``help``. An
    option that is not ``sent`` is not part of the request to the provider.
    """

    name: str
    type: type[bool] | type[int] | type[float] | type[str]
    help: str
    short: str | None = None
    choices: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    sent: bool = True

    @property
    def annotation(self) -> Any:
        """The type of its values, as Typer and pydantic read it."""
        return Literal[self.choices] if self.choices else self.type

    @property
    def description(self) -> str:
        """Its help, with the limits and choices filled in."""
        choices = ", ".join(self.choices)
        return self.help.format(least=self.least, most=self.most, choices=choices)


OPTIONS = (
    RequestOption(
        "aspect_ratio",
        str,
        "Aspect ratio. One of {choices}. Default: 1:1 for `generate`, that of the input for "
        "`edit`.",
        short="-a",
        choices=ASPECT_RATIOS,
    ),
    RequestOption(
        "resolution",
        str,
        "Resolution, of FLUX 3: about 0.6, 1, 2.4, 4 or 16 megapixels.",
        choices=("768sq", "1k", "1.5k", "2k", "4k"),
    ),
    RequestOption(
        "num_images", int, "Number of images, {least} to {most}.", short="-n", least=1, most=4
    ),
    RequestOption(
        "seed",
        int,
        "Seed. The same request usually makes the same image again. Default: random.",
    ),
    RequestOption(
        "guidance_scale",
        float,
        "How closely to follow the prompt, {least} to {most}.",
        short="-g",
        least=0,
        most=20,
    ),
    RequestOption(
        "safety_tolerance",
        int,
        "Safety tolerance, {least} to {most}; the lowest is the strictest.",
        least=0,
        most=6,
    ),
    RequestOption(
        "no_safety_checker", bool, "Switch off the safety checker, where a model lets you."
    ),
    RequestOption(
        "steps",
        int,
        "Number of denoising steps, {least} to {most}, where a model has them.",
        least=1,
        most=50,
    ),
    RequestOption(
        "output_format",
        str,
        "Image format. One of {choices}. Default: from the extension of --output, else jpeg.",
        choices=("jpeg", "png"),
    ),
    RequestOption("enhance_prompt", bool, "Let the provider improve the prompt."),
    RequestOption(
        "sync_mode",
        bool,
        "Get the image in the reply itself; it is not kept in the provider's history.",
    ),
    RequestOption(
        "keep_flagged", bool, "Also save images that the provider flagged as unsafe.", sent=False
    ),
    RequestOption(
        "metadata",
        str,
        "What to write into each image: off, nothing; mark, that a model made it; full, also "
        "prompt, seed and options. Default: KONTEXT_METADATA, else mark.",
        choices=get_args(Metadata),
        sent=False,
    ),
    RequestOption(
        "sidecar",
        bool,
        "Also save prompt, seed and options beside each image, as NAME.SUFFIX.json.",
        sent=False,
    ),
)
"""In the order of the help."""
