"""Figures of tests that have a short form for every day and a long one, for `make soak`."""

import os
from typing import TypeVar

T = TypeVar("T")

SOAK = os.environ.get("KONTEXT_SOAK", "") not in ("", "0")
"""Whether the long forms were asked for; read before the tests hide what is in the environment."""


def soaked(short: T, long: T) -> T:
    """The figure of this run."""
    return long if SOAK else short
