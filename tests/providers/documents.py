"""Documented examples of providers, from what is typed to the file."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple


class Document(NamedTuple):
    """A documented example: what is typed, what is sent (but for a seed that we choose), and the
    documented answers, of which every one is asked for. ``size`` and ``format`` are those of the
    image."""

    id: str
    fields: Mapping[str, Any]
    sent: Mapping[str, Any]
    script: Mapping[str, Any]
    size: tuple[int, int]
    reply: Mapping[str, Any]
    seed: int | None = None
    images: tuple[str, ...] = ()
    model: str = "kontext-pro"
    format: Literal["jpeg", "png"] = "jpeg"
