"""A request as the user gave it, validated: the same for every provider.

To import pydantic takes a quarter of the time to the first byte. It waits for the first request, so
that the certificates are loaded meanwhile (`http.certificates`).
"""

import os
from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from kontext_cli.errors import UsageError
from kontext_cli.job import Operation
from kontext_cli.options import OPTIONS
from kontext_cli.words import flag

if TYPE_CHECKING:
    from pydantic import TypeAdapter

MOST_IMAGES = 10
"""Of any model; each endpoint has its own number."""
LONGEST_PROMPT = 32_768
"""Characters; far beyond what the model reads, it catches a wrong file on standard input."""

_TYPES: Mapping[str, Any] = {
    "operation": Operation,
    "prompt": str,
    "images": tuple[str, ...],
    **{row.name: row.annotation for row in OPTIONS if row.sent},
}
"""The fields of a request, in the order in which it is reported."""


class Request(NamedTuple):
    """One request: the operation, its prompt and images, and by name each option that was given.

    Made by `parse`, which validates it. ``chosen`` are the options that were not asked for.
    """

    operation: Operation
    prompt: str
    images: tuple[str, ...]
    options: Mapping[str, Any]
    chosen: Collection[str] = ()

    def values(self) -> dict[str, Any]:
        """The prompt and the options, by name: what the provider is sent, but for the images."""
        return {"prompt": self.prompt, **self.options}

    def described(self) -> dict[str, Any]:
        """The request as it is reported: every value given, images by the name they were given."""
        images = {"images": self.images} if self.images else {}
        return {"prompt": self.prompt, **images, **self.options}

    def completed(self, takes: Collection[str]) -> "Request":
        """With what is always sent of what an endpoint ``takes``: a format, a ratio to generate
        at, and a seed.

        The providers' own default ratios disagree, so ours is 1:1; ``edit`` leaves the ratio out,
        which keeps the shape of the input. The seed is chosen in 1…2³¹−1, so that
        every image can be made again.
        """
        defaults: dict[str, Any] = {"output_format": "jpeg"}
        if self.operation == "generate":
            defaults["aspect_ratio"] = "1:1"
        if "seed" not in self.options:
            defaults["seed"] = chosen_seed()
        always = {name: value for name, value in defaults.items() if name in takes}
        chosen = always.keys() - self.options.keys()
        return self._replace(options=_in_order({**always, **self.options}), chosen=chosen)

    def with_seed(self, seed: int) -> "Request":
        """With this seed in place of its own."""
        return self._replace(options={**self.options, "seed": seed})


def chosen_seed() -> int:
    """A seed in 1…2³¹−1 for a request that has none."""
    return (int.from_bytes(os.urandom(4), "little") >> 1) or 1


def parse(fields: Mapping[str, Any]) -> Request:
    """Validate ``fields`` (option names to values; None where not given) into a Request.

    Raises UsageError that names everything that is wrong.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    valid: dict[str, Any] = {"images": ()}
    wrong = [] if "prompt" in given else ["the prompt is missing"]
    for name in _in_order(given):
        try:
            valid[name] = _checked(name, given[name])
        except ValueError as error:
            wrong.append(str(error))
    wrong += [f"there is no option `{name}`" for name in given if name not in _TYPES]
    wrong = wrong or _misfit(valid["operation"], valid["images"])
    if wrong:
        raise UsageError("; ".join(wrong))
    return Request(valid.pop("operation"), valid.pop("prompt"), valid.pop("images"), valid)


def _checked(name: str, given: Any) -> Any:
    """The value as its field's type. Raises ValueError that says what is wrong."""
    from pydantic import ValidationError

    try:
        value = _adapter(name).validate_python(given)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False)[0]
        reason = error["msg"].removeprefix("Input should be ")
        raise ValueError(f"`{flag(name)} {error['input']}` should be {reason}") from None
    if name == "prompt":
        _check_prompt(value)
    if name == "images" and len(value) > MOST_IMAGES:
        raise ValueError(f"`edit` takes 1 to {MOST_IMAGES} images, not {len(value)}")
    return value


def _check_prompt(prompt: str) -> None:
    if not prompt.strip():
        raise ValueError("the prompt is empty")
    if len(prompt) > LONGEST_PROMPT:
        most = f"at most {LONGEST_PROMPT:,} are allowed"
        raise ValueError(f"the prompt has {len(prompt):,} characters; {most}")
    try:
        prompt.encode()
    except UnicodeEncodeError:
        raise ValueError("the prompt is not valid UTF-8 text") from None


@cache
def _adapter(name: str) -> "TypeAdapter[Any]":
    """One for each field, built when it is given: a model of all takes twice as long."""
    from pydantic import ConfigDict, TypeAdapter

    return TypeAdapter(_TYPES[name], config=ConfigDict(allow_inf_nan=False))


def _misfit(operation: Operation, images: tuple[str, ...]) -> list[str]:
    if operation == "edit" and not images:
        return ["`edit` needs an image: -i PATH, https URL, or - for standard input"]
    if operation == "generate" and images:
        return ["`generate` takes no images; use `kontext edit`"]
    return []


def _in_order(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in _TYPES if name in values}
