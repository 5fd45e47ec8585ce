"""Paths of files, and of objects in a store: `s3://bucket/name`, `gs://…`, `az://…`."""

import os
import re
import sys
from pathlib import Path
from typing import Self

from kontext_cli.errors import UsageError

if sys.platform == "win32":
    from pathlib import WindowsPath as _Native
else:
    from pathlib import PosixPath as _Native

SCHEMES = ("s3://", "gs://", "az://")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,220}")


class ObjectPath(_Native):
    """The URL of an object or of a prefix, as a path; its text is the URL."""

    def __str__(self) -> str:
        text = super().__str__().replace(os.sep, "/")
        scheme, colon, rest = text.partition(":/")
        is_url = f"{scheme}://" in SCHEMES and not rest.startswith("/")
        return f"{scheme}://{rest}" if colon and is_url else text

    def absolute(self) -> Self:
        """Itself: there is no working folder in a store."""
        return self

    def resolve(self, strict: bool = False) -> Self:  # noqa: ARG002
        """Itself: there are no links in a store."""
        return self

    def is_absolute(self) -> bool:
        """Always: see ``absolute``."""
        return True

    @property
    def root_url(self) -> str:
        """The URL of the bucket or container."""
        return f"{self.parts[0]}//{self.parts[1]}"

    @property
    def key(self) -> str:
        """The name of the object in its bucket."""
        return "/".join(self.parts[2:])


def is_object(path: str | Path) -> bool:
    """Whether a path is the URL of an object."""
    return isinstance(path, ObjectPath) or (isinstance(path, str) and path.startswith(SCHEMES))


def place(text: str) -> Path:
    """The path of a text that we wrote ourselves: a file's, or an object's."""
    return ObjectPath(text) if text.startswith(SCHEMES) else Path(text)


def typed_place(text: str) -> Path:
    """The path of a text that a user typed. Raises UsageError for a URL that no store can have."""
    if not text.startswith(SCHEMES):
        return Path(text)
    bucket, _, key = text.partition("://")[2].partition("/")
    if any(char in text for char in "?#") or "@" in bucket:
        raise UsageError(
            "the URL of a store has no credentials, no `?` and no `#`",
            hint="credentials come from the environment",
        )
    if not _BUCKET.fullmatch(bucket):
        what = f"has `{bucket}`, which is no bucket's name" if bucket else "names no bucket"
        raise UsageError(f"`{text}` {what}", hint=f"use {text.partition('://')[0]}://BUCKET/PREFIX")
    if any(part in (".", "..") for part in key.split("/")):
        raise UsageError(f"`{text}` has `.` or `..` in its name, which a store does not resolve")
    return ObjectPath(text)


def typed_object(text: str) -> Path:
    """The path of one object. Raises UsageError as ``typed_place``, and for other than one."""
    path, key = typed_place(text), text.partition("://")[2].partition("/")[2]
    if not key or key.endswith("/"):
        raise UsageError(
            f"`{text}` names no object", hint="name one; `edit --each` takes all below a prefix"
        )
    if "//" in f"/{key}":
        raise UsageError(f"`{text}` has `//` in its name, which cannot be read here")
    return path


def absolute(path: Path) -> Path:
    """The path without `..`, from the root."""
    return path if is_object(path) else Path(os.path.abspath(path))  # noqa: PTH100  # keeps links
