"""Figures of tests that have a short form for every day and a long one, for `make soak`, and the
seeds of those whose dice decide."""

import os
from typing import TypeVar

T = TypeVar("T")

SOAK = os.environ.get("KONTEXT_SOAK", "") not in ("", "0")
"""Whether the long forms were asked for; read before the tests hide what is in the environment."""


_SEEDS = os.environ.get("KONTEXT_SEEDS", "")


def seeds(*usual: int) -> list[int]:
    """The seeds of a test; KONTEXT_SEEDS, such as `7,8,9`, names others."""
    return [int(seed) for seed in _SEEDS.split(",")] if _SEEDS else [*usual]


def soaked(short: T, long: T) -> T:
    """The figure of this run."""
    return long if SOAK else short
