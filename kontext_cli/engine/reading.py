"""Turns replies that a provider's adapter does not understand into errors."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from kontext_cli.errors import UnexpectedReply

P = ParamSpec("P")
R = TypeVar("R")

_MISREAD = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError)


def read(adapter: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call an adapter's method that reads a reply; a form it does not know is UnexpectedReply."""
    try:
        return adapter(*args, **kwargs)
    except _MISREAD as error:
        raise UnexpectedReply("the provider's reply has an unknown form") from error
