"""Calls that may be refused; any other way to fail is a failure of the test."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Exception)


def tried(kind: type[E], call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | E:
    """What a call returns, or the error of that kind that it raises."""
    try:
        return call(*args, **kwargs)
    except kind as refusal:
        return refusal
