"""Reads forms of several parts, as clients upload files."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(rb'\bname="([^"]*)"')
_FILENAME = re.compile(rb'\bfilename="([^"]*)"')
_TYPE = re.compile(rb"(?im)^content-type:[ \t]*([^\r\n]+)")


class Field(NamedTuple):
    """One field of a form: a file where it has a name of a file."""

    content: bytes
    filename: str
    media_type: str


def fields(content_type: str, body: bytes) -> dict[str, Field]:
    """The fields of a form by name, the last where there are several; none where it is not one."""
    return dict(every_field(content_type, body))


def every_field(content_type: str, body: bytes) -> Iterator[tuple[str, Field]]:
    """The fields of a form in their order, each with its name."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        return
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if name := _NAME.search(head):
            yield _text(name[1]), Field(content, _first(_FILENAME, head), _first(_TYPE, head))


def _first(pattern: re.Pattern[bytes], head: bytes) -> str:
    match = pattern.search(head)
    return _text(match[1]).strip() if match else ""


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")
