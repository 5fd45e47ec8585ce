"""The keys of a row, and the type of each value."""

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from kontext_cli.options import OPTIONS

Pair = tuple[str, Any]
"""A key as written, and its JSON value; an object is a tuple of pairs."""

MOST_DIGITS = 200
"""Python itself does not convert numbers of some thousand digits."""

_LONGEST_ID = 200
_LONGEST_NAME = 40  # of a key that may be misspelled
_SHOWN = 40
_ALIKE = 0.65
"""How alike a misspelled key and the one that was meant are; `price` and `provider` are 0.62."""
_INVALID = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")


class Refused(Exception):
    """A value or a line is invalid; the message says why."""


def checked(pairs: Iterable[Pair]) -> tuple[dict[str, Any], list[str]]:
    """The valid values by key, and a message for each fault.

    A value of None counts as not given.
    """
    values: dict[str, Any] = {}
    wrong: list[str] = []
    unknown: list[str] = []
    seen: set[str] = set()
    for key, value in pairs:
        if key not in KEYS:
            unknown.append(key)
        elif key in seen:
            wrong.append(f"`{key}` appears twice")
        elif value is not None:
            try:
                values[key] = _CHECKS[key](value)
            except Refused as refused:
                wrong.append(f"{_spelled(key)} {refused}")
        seen.add(key)
    return values, unknown_keys(unknown) + wrong


def unknown_keys(names: Sequence[str]) -> list[str]:
    """Messages for unknown keys: one for each that looks misspelled, one for all others."""
    wrong = []
    others = []
    for name in dict.fromkeys(names):
        if near := nearest(name):
            wrong.append(f"unknown key `{shown(name)}`; did you mean `{near}`?")
        else:
            others.append(f"`{shown(name)}`")
    if others:
        what = "key" if len(others) == 1 else "keys"
        wrong.append(f"unknown {what} {', '.join(others)}; the keys are {listed()}")
    return wrong


def nearest(name: str) -> str | None:
    """The key that was probably meant."""
    return _nearest(name) if len(name) <= _LONGEST_NAME else None


@lru_cache(maxsize=256)
def _nearest(name: str) -> str | None:
    plain = re.sub(r"[\s-]+", "_", name.strip(" -").lower())
    near = difflib.get_close_matches(plain, KEYS, n=1, cutoff=_ALIKE)
    return near[0] if near else None


def listed() -> str:
    """All keys, for a message."""
    return " ".join(_CHECKS)


def shown(text: str) -> str:
    """The start of a text from the file, on one line, for a message."""
    start = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return start if start.isprintable() else repr(start)[1:-1]


def described(value: Any) -> str:
    """A JSON value, for a message."""
    if isinstance(value, str):
        return f"the string `{shown(value)}`"
    if isinstance(value, list | tuple):
        return "a list" if isinstance(value, list) else "an object"
    return f"`{shown(json.dumps(value))}`"


def _spelled(key: str) -> str:
    return "the prompt" if key == "prompt" else f"`{key}`"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(f"should be a string, not {described(value)}")
    if invalid := _INVALID.search(value):
        what = "a NUL character" if invalid[0] == "\0" else "half a surrogate pair"
        raise Refused(f"contains {what}")
    return value


def _prompt(value: Any) -> str:
    text = _text(value)
    if not text.strip():
        raise Refused("is empty")
    return text


def _id(value: Any) -> str:
    text = str(value) if _is_whole(value) else _text(value)
    if not text.strip():
        raise Refused("is empty")
    if text != text.strip():
        raise Refused("starts or ends with a space")
    if _CONTROL.search(text):
        raise Refused("contains a control character")
    if len(text) > _LONGEST_ID:
        raise Refused(f"has {len(text):,} characters; at most {_LONGEST_ID} are allowed")
    return text


def _whole(value: Any) -> Any:
    if not _is_whole(value):
        raise Refused(f"should be a whole number, not {described(value)}")
    return value


def _number(value: Any) -> Any:
    if not (_is_whole(value) or (isinstance(value, float) and math.isfinite(value))):
        raise Refused(f"should be a number, not {described(value)}")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _switch(value: Any) -> Any:
    if not isinstance(value, bool):
        raise Refused(f"should be true or false, not {described(value)}")
    return value


def _images(value: Any) -> tuple[str, ...]:
    images = value if isinstance(value, list) else [value]
    if not images:
        raise Refused("is empty")
    if not all(map(_text, images)):
        raise Refused("contains an empty name")
    return tuple(images)


def _one_of(choices: Sequence[str]) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in choices:
            raise Refused(f"should be one of {', '.join(choices)}, not {described(value)}")
        return str(value)

    return check


_OF_TYPE: dict[type, Callable[[Any], Any]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _switch,
}
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "prompt": _prompt,
    "provider": _text,
    "model": _text,
    **{row.name: _OF_TYPE[row.type] for row in OPTIONS},
    "id": _id,
    "images": _images,
    "output": _text,
    **{row.name: _one_of(row.choices) for row in OPTIONS if row.choices and not row.sent},
}

KEYS = frozenset(_CHECKS)
"""The option names with underscores, and `id`, `images`, `output`."""
