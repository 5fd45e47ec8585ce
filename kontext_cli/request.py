"""A request as the user gave it, validated: the same for every provider."""

import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from kontext_cli.errors import UsageError
from kontext_cli.job import Operation
from kontext_cli.options import OPTIONS
from kontext_cli.words import flag

MOST_IMAGES = 4
LONGEST_PROMPT = 32_768
"""Characters; far beyond what the model reads, it catches a wrong file on standard input."""

_HIGHEST_CHOSEN_SEED = 2**31 - 1


def _with_options(model: type[BaseModel]) -> type[BaseModel]:
    """The model with a field for each option that is sent, None where it was not given."""
    fields: dict[str, Any] = {
        row.name: (row.annotation | None, _FINITE if row.type is float else None)
        for row in OPTIONS
        if row.sent
    }
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **fields)


_FINITE = Field(None, allow_inf_nan=False)


@_with_options
class Request(BaseModel):
    """One request: the operation, its prompt and images, and every option that was given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: Operation
    prompt: Annotated[str, Field(max_length=LONGEST_PROMPT)]
    images: Annotated[tuple[str, ...], Field(max_length=MOST_IMAGES)] = ()
    if TYPE_CHECKING:  # the options that code reads by name; all of them are in the table
        aspect_ratio: str | None = None
        num_images: int | None = None
        seed: int | None = None
        output_format: str | None = None
        sync_mode: bool | None = None

    @field_validator("prompt")
    @classmethod
    def _says_something(cls, prompt: str) -> str:
        if not prompt.strip():
            raise ValueError("the prompt is empty")
        return prompt

    @model_validator(mode="after")
    def _images_fit_the_operation(self) -> Self:
        if self.operation == "edit" and not self.images:
            raise ValueError("`edit` needs an image: -i PATH, https URL, or - for standard input")
        if self.operation == "generate" and self.images:
            raise ValueError("`generate` takes no images; use `kontext edit`")
        return self

    def options(self) -> dict[str, Any]:
        """The prompt and the options that have a value, by field name."""
        return self.model_dump(exclude_none=True, exclude={"operation", "images"})

    def described(self) -> dict[str, Any]:
        """The request as it is reported: every value given, images by the name they were given."""
        return self.model_dump(exclude_none=True, exclude_defaults=True, exclude={"operation"})

    def completed(self, *, takes_seed: bool, seed: int | None = None) -> "Request":
        """With what is always sent: a format, a ratio to generate at, and a seed where one goes.

        The providers' own default ratios disagree, so ours is 1:1; ``edit`` leaves the ratio out,
        which keeps the shape of the input. The seed is ``seed``, or chosen in 1…2³¹−1, so that
        every picture can be made again.
        """
        chosen: dict[str, Any] = {"output_format": self.output_format or "jpeg"}
        if self.operation == "generate":
            chosen["aspect_ratio"] = self.aspect_ratio or "1:1"
        if takes_seed and self.seed is None:
            chosen["seed"] = seed or chosen_seed()
        return self.model_copy(update=chosen)


def chosen_seed() -> int:
    """A seed in 1…2³¹−1 for a request that has none."""
    return 1 + secrets.randbelow(_HIGHEST_CHOSEN_SEED)


def parse(fields: Mapping[str, Any]) -> Request:
    """Validate ``fields`` (option names to values; None where not given) into a Request.

    Raises UsageError that names every mistake.
    """
    try:
        return Request.model_validate({k: v for k, v in fields.items() if v is not None})
    except ValidationError as invalid:
        raise UsageError("; ".join(_mistakes(invalid))) from None


def _mistakes(invalid: ValidationError) -> list[str]:
    return [_mistake(error) for error in invalid.errors(include_url=False, include_context=True)]


def _mistake(error: Any) -> str:
    field = str(error["loc"][0]) if error["loc"] else ""
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "missing":
            return f"the {field} is missing"
        case "string_unicode":
            return f"the {field} is not valid UTF-8 text"
        case "extra_forbidden":
            return f"there is no option `{field}`"
        case "string_too_long":
            length = f"{len(error['input']):,}"
            return f"the prompt has {length} characters; at most {LONGEST_PROMPT:,} are allowed"
        case "too_long" if field == "images":
            return f"`edit` takes 1 to {MOST_IMAGES} images, not {error['ctx']['actual_length']}"
        case _:
            reason = error["msg"].removeprefix("Input should be ")
            return f"`{flag(field)} {error['input']}` should be {reason}"
