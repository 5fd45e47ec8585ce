"""Whether a value has the type that an annotation names: for values of code that is not ours."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, ClassVar, Literal, Union, get_args, get_origin, get_type_hints

_OF_TYPE_CHECKERS = {"InputImage": object}
"""Names in annotations that are imported for type checkers alone."""


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is of the type ``hint``, with all that it contains.

    A bool is no number here, and a number is finite; of callables only that they are some.
    """
    origin, of = get_origin(hint), get_args(hint)
    if origin is not None:
        return _fits_generic(value, origin, of)
    if hint is Any:
        return True
    if hint is None or hint is NoneType:
        return value is None
    if hint in (int, float):
        is_number = isinstance(value, int | hint) and not isinstance(value, bool)
        return is_number and isfinite(value)
    return isinstance(value, hint) and misfit(value) is None


def misfit(value: Any) -> str | None:
    """The first field of a named tuple that has a wrong type; None for all other values."""
    if not isinstance(value, tuple) or not hasattr(value, "_fields"):
        return None
    hints = hints_of(type(value))
    fields = zip(value._fields, value, strict=True)
    return next((name for name, each in fields if not fits(each, hints[name])), None)


@cache
def hints_of(kind: Callable[..., Any]) -> Mapping[str, Any]:
    """The annotations of a class or a function."""
    return get_type_hints(kind, localns=_OF_TYPE_CHECKERS)


def _fits_generic(value: Any, origin: Any, of: tuple[Any, ...]) -> bool:
    if origin is ClassVar:
        return fits(value, of[0])
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in of)
    if origin is Literal:
        return isinstance(value, str) and value in of
    if origin is Callable:
        return callable(value)
    if not isinstance(value, origin) or isinstance(value, str):
        return False
    if issubclass(origin, Mapping):
        return all(fits(key, of[0]) and fits(each, of[1]) for key, each in value.items())
    if issubclass(origin, tuple) and of[1:] != (...,):
        return len(value) == len(of) and all(map(fits, value, of))
    return not issubclass(origin, Sequence | frozenset) or all(fits(each, of[0]) for each in value)
