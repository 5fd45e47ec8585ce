"""Checks the values in the lines of a lock."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from kontext_cli.lock.rows import Header, LockedFile, LockedInput, LockedRow

_MOST_PATH = 4096
_MOST_TEXT = 256
_MOST_LIST = 64
_MOST_NUMBER = 2**63
_MOST_DIGITS = 20
_HASH = re.compile("[0-9a-f]{64}")
_NAME = re.compile("[a-z][a-z0-9_]{0,39}")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")
_INVALID = re.compile("[\0\ud800-\udfff]")
_DRIVE = re.compile("[A-Za-z]:")
_IMAGE = re.compile(r"\.(jpe?g|png|webp)", re.IGNORECASE)
_ROW = dict.fromkeys(LockedRow._fields)
_FILE = dict.fromkeys(LockedFile._fields)
_INPUT = dict.fromkeys(LockedInput._fields)
_HEADER = dict.fromkeys(("kontext_lock", *Header._fields))


class Wrong(Exception):
    """A line is not what it should be; the message says why."""


def decoded(line: bytes, *, most: int) -> Mapping[str, Any]:
    """The object of a line of at most ``most`` bytes. Raises Wrong."""
    if len(line) > most:
        raise Wrong(f"it is longer than {most // 2**20} MiB")
    try:
        value = _DECODER.decode(line.decode())
    except UnicodeDecodeError:
        raise Wrong("it is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Wrong(f"invalid JSON at column {error.colno}") from None
    except RecursionError:
        raise Wrong("it is nested too deeply") from None
    if not isinstance(value, dict):
        raise Wrong("it is not a JSON object")
    return value


def is_header(value: Mapping[str, Any]) -> bool:
    """Whether an object is the first line."""
    return "kontext_lock" in value


def version_of(value: Mapping[str, Any]) -> int:
    """The version of the format. Raises Wrong."""
    return _number(value["kontext_lock"], "kontext_lock", least=1)


def header_of(value: Mapping[str, Any]) -> Header:
    """The header of an object. Raises Wrong."""
    _check_keys(value, _HEADER, "")
    prompts_file = value["prompts_file"]
    if prompts_file is not None:
        _text(prompts_file, "prompts_file", most=_MOST_TEXT)
        if "/" in prompts_file or "\\" in prompts_file or prompts_file in (".", ".."):
            raise Wrong("`prompts_file` should be the name of a file beside the lock")
    output_dir = _text(value["output_dir"], "output_dir", most=_MOST_PATH)
    if output_dir != ".":
        _check_inside(output_dir, "output_dir")
    return Header(prompts_file, output_dir, _options(value["defaults"], "defaults", lists=True))


def row_of(value: Mapping[str, Any]) -> LockedRow:
    """The row of an object. Raises Wrong."""
    _check_keys(value, _ROW, "")
    seed = value["seed"]
    return LockedRow(
        id=_text(value["id"], "id"),
        request=_digest(value["request"], "request"),
        prompt=_digest(value["prompt"], "prompt"),
        options=_options(value["options"], "options"),
        inputs=tuple(map(_input, _list(value["inputs"], "inputs"))),
        seed=None if seed is None else _number(seed, "seed", least=-_MOST_NUMBER),
        provider=_text(value["provider"], "provider"),
        model=_text(value["model"], "model"),
        files=tuple(map(_file, _list(value["files"], "files"))),
    )


def _input(value: Any) -> LockedInput:
    _check_keys(value, _INPUT, "inputs: ")
    path = _text(value["path"], "path", most=_MOST_PATH)
    given = value["sha256"]
    return LockedInput(path, None if given is None else _hash(given, "sha256"))


def _file(value: Any) -> LockedFile:
    _check_keys(value, _FILE, "files: ")
    path = _text(value["path"], "path", most=_MOST_PATH)
    _check_inside(path, "path")
    if not _IMAGE.search(path, len(path) - 5):
        raise Wrong(f"the path `{path}` is not that of an image")
    return LockedFile(
        path,
        _hash(value["sha256"], "sha256"),
        _number(value["bytes"], "bytes", least=1),
        _number(value["width"], "width", least=1),
        _number(value["height"], "height", least=1),
    )


def _check_keys(value: Any, keys: Mapping[str, Any], where: str) -> None:
    if not isinstance(value, dict):
        raise Wrong(f"{where}it should be an object")
    if value.keys() == keys.keys():
        return
    for key in keys:
        if key not in value:
            raise Wrong(f"{where}`{key}` is missing")
    unknown = next(key for key in value if key not in keys)
    raise Wrong(f"{where}unknown key `{unknown[:40]}`")


def _check_inside(path: str, name: str) -> None:
    """Raises Wrong for a path that leaves its folder, on any system."""
    parts = path.replace("\\", "/").split("/")
    if _DRIVE.match(path) or any(part in ("", ".", "..") for part in parts):
        raise Wrong(f"the {name} `{path}` leaves the folder of the lock, or is not in short form")


def _options(value: Any, name: str, *, lists: bool = False) -> Mapping[str, Any]:
    if not isinstance(value, dict) or len(value) > _MOST_LIST:
        raise Wrong(f"`{name}` should be an object of options")
    for key, each in value.items():
        is_list = lists and isinstance(each, list) and len(each) <= _MOST_LIST
        if not _NAME.fullmatch(key) or not all(map(_is_plain, each if is_list else [each])):
            raise Wrong(f"`{name}`: `{key[:40]}` is not an option, or its value is wrong")
    return value


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return not _INVALID.search(value)
    return isinstance(value, bool | float) or (
        isinstance(value, int) and abs(value) <= _MOST_NUMBER
    )


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST_LIST:
        raise Wrong(f"`{name}` should be a list of at most {_MOST_LIST}")
    return value


def _text(value: Any, name: str, *, most: int = _MOST_TEXT) -> str:
    if not isinstance(value, str) or not value or len(value) > most or _CONTROL.search(value):
        raise Wrong(f"`{name}` should be a text of at most {most} characters on one line")
    return value


def _number(value: Any, name: str, *, least: int) -> int:
    if type(value) is not int or not least <= value <= _MOST_NUMBER:
        raise Wrong(f"`{name}` should be a whole number from {least}")
    return value


def _digest(value: Any, name: str) -> str:
    kind, _, digest = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind != "sha256":
        raise Wrong(f"`{name}` should be `sha256:` and a hash")
    return _hash(digest, name)


def _hash(value: Any, name: str) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise Wrong(f"`{name}` should be a SHA-256 in 64 hexadecimal digits")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Wrong("a key appears twice")
    return values


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise Wrong("a number has too many digits")
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise Wrong(f"`{name}` is not a number")


def _decimal(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise Wrong("a number is too large")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_whole, parse_float=_decimal, parse_constant=_constant
)
