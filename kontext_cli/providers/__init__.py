"""What each provider offers, as data and pure functions; imported when it is named.

A name that is not in ``NAMES`` may be that of an installed package (`providers/installed.py`). The
packages are searched only then: it takes 30 to 50 ms.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from kontext_cli.job import Operation
    from kontext_cli.providers.base import Provider

Name = str
"""The name of a provider: one of ``NAMES``, or of an installed package."""

NAMES: tuple[Name, ...] = (
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
)

NAMED_ONLY: frozenset[Name] = frozenset({"huggingface", "openai", "comfyui"})
"""Providers that are not chosen for their key: people have one for other things, or none at all."""
KEY_FORMS: dict[str, tuple[Name, str]] = {
    "hf_": ("huggingface", "a Hugging Face token"),
    "r8_": ("replicate", "a Replicate token"),
}
"""How keys begin that tell by their form whose they are."""


def is_known(name: str) -> bool:
    """Whether there is a provider of that name, here or in an installed package."""
    return name in NAMES or name in _installed()


def every_name() -> tuple[Name, ...]:
    """The names of all providers, those of installed packages last."""
    return (*NAMES, *(name for name in _installed() if name not in NAMES))


def _installed() -> "Collection[Name]":
    from kontext_cli.providers.installed import installed_names

    return installed_names()


def provider_class(name: str) -> "type[Provider]":
    """The class of a provider: its data, without a base URL.

    Raises UsageError for one of an installed package that is missing or cannot be used.
    """
    if name not in NAMES:
        from kontext_cli.providers.installed import installed_class

        return installed_class(name)
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
