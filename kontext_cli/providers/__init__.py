"""What each provider offers, as data and pure functions; imported when it is named."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from kontext_cli.job import Operation
    from kontext_cli.providers.base import Provider

Name = Literal[
    "fal",
    "aimlapi",
    "chainhub",
    "bfl",
    "replicate",
    "together",
    "huggingface",
    "openai",
    "comfyui",
    "sandbox",
]
NAMES: tuple[Name, ...] = get_args(Name)

NAMED_ONLY: frozenset[Name] = frozenset({"huggingface", "openai", "comfyui"})
"""Providers that are not chosen for their key: people have one for other things, or none at all."""
KEY_FORMS: dict[str, tuple[Name, str]] = {
    "hf_": ("huggingface", "a Hugging Face token"),
    "r8_": ("replicate", "a Replicate token"),
}
"""How keys begin that tell by their form whose they are."""


def provider_class(name: str) -> "type[Provider]":
    """The class of a provider: its data, without a base URL."""
    found: type[Provider] = import_module(f"kontext_cli.providers.{name}").PROVIDER
    return found


def who_queues(*, offline: bool = True) -> list[str]:
    """The providers whose jobs can be asked about later; ``offline`` includes the sandbox."""
    kinds = ((name, provider_class(name)) for name in NAMES)
    return [name for name, kind in kinds if not kind.blocking and (offline or not kind.offline)]


def who_takes(operation: "Operation", field: str, value: Any = None) -> list[str]:
    """The providers that have an option for this operation and take ``value`` (any where None)."""
    names: list[str] = []
    for name in NAMES:
        rows = [
            each.option(field)
            for each in provider_class(name).endpoints
            if each.operation == operation
        ]
        if any(row is not None and (value is None or row.accepts(value)) for row in rows):
            names.append(name)
    return names


def who_serves(operation: "Operation", model: str | None = None) -> list[str]:
    """The providers that offer an operation, on this model where one is named."""
    return [
        name
        for name in NAMES
        if any(
            each.operation == operation and model in (None, each.model)
            for each in provider_class(name).endpoints
        )
    ]
