"""Name templates: fields, widths, and names that are valid on every system."""

import difflib
import re
import string
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from kontext_cli.errors import UsageError
from kontext_cli.files.slugs import has_name_here

FIELDS = ("index", "id", "slug", "seed", "n", "job", "provider", "model", "stem", "date")
MOST_NAME_BYTES = 200
"""Of one component in UTF-8; the usual limit is 255, and numbers and a suffix come on top."""

_FEWEST_CHARACTERS = MOST_NAME_BYTES // 4
"""A name of so few characters has no more bytes than that."""

_NUMERIC = frozenset({"index", "seed", "n"})
_WIDTH = re.compile(r"0?[1-9][0-9]?")
_SUFFIX = re.compile(r"\.(jpe?g|png)\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9._-]*")
_FORBIDDEN = frozenset('<>:"|?*\\')  # a backslash parts folders on Windows, a colon names a drive
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_DEVICE = re.compile(r"\A(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *(?=\.|\Z)", re.I)

Fields = Mapping[str, str | int | None]


class Template(NamedTuple):
    """A parsed template: triples of literal text, a field and its width.

    ``fields`` are the names of those in use; ``suffix`` is the `.jpg`, `.jpeg` or `.png` it was
    typed with, or empty.
    """

    text: str
    parts: tuple[tuple[str, str | None, str], ...]
    fields: frozenset[str]
    suffix: str

    def render(self, fields: Fields) -> tuple[str, ...]:
        """The components of the name without its suffix, each one portable.

        Raises UsageError for a field without a value, and for what leaves the output folder.
        """
        text = "".join(
            [
                literal if field is None else literal + self._value(field, width, fields)
                for literal, field, width in self.parts
            ]
        )
        if text.startswith("/"):
            raise self._refused("starts with `/`", "use `-d` to choose the folder")
        return tuple(map(self._component, text.split("/")))

    def _value(self, field: str, width: str, fields: Fields) -> str:
        value = fields.get(field)
        if value is None:
            raise self._refused(
                f"uses `{{{field}}}`, which has no value here",
                "leave it out, or choose another name with `--name`",
            )
        return _safe(value) if isinstance(value, str) else format(value, width)

    def _component(self, text: str) -> str:
        if text == "..":
            raise self._refused("leaves the output folder", "use `-d` to choose the folder")
        name = text.rstrip(" .")  # Windows drops them
        if not name:
            raise self._refused("gives an empty name", "choose another name with `--name`")
        if len(name) > _FEWEST_CHARACTERS and len(name.encode()) > MOST_NAME_BYTES:
            raise self._refused(
                f"gives a name of more than {MOST_NAME_BYTES} bytes", "choose a shorter one"
            )
        # Windows takes these for devices, whatever follows the dot.
        return _DEVICE.sub(r"\1_", name) if _DEVICE.match(name) else name

    def _refused(self, reason: str, hint: str) -> UsageError:
        return UsageError(f"the name template `{self.text}` {reason}", hint=hint)


@lru_cache(maxsize=64)
def parse(template: str) -> Template:
    """Parse a template; raises UsageError for unknown fields and characters no name can have."""
    suffix = _SUFFIX.search(template)
    body = template[: suffix.start()] if suffix else template
    try:
        pieces = list(string.Formatter().parse(body))
    except ValueError as error:
        raise UsageError(
            f"the name template `{template}` is malformed: {error}",
            hint="write `{{` and `}}` for braces",
        ) from error
    parts = []
    for literal, field, width, conversion in pieces:
        _check_literal(literal, template)
        if field is not None:
            _check_field(field, width or "", conversion, template)
        parts.append((literal, field, width or ""))
    return Template(
        text=template,
        parts=tuple(parts),
        fields=frozenset(field for _, field, _ in parts if field is not None),
        suffix=suffix[0] if suffix else "",
    )


def _check_literal(literal: str, template: str) -> None:
    for char in literal:
        if char != "/" and not _is_portable(char):
            raise UsageError(
                f"the name template `{template}` has {char!a}, which names cannot have",
                hint="use letters, digits, `-`, `_` and `.`, and `/` for folders",
            )


def _check_field(field: str, width: str, conversion: str | None, template: str) -> None:
    if field not in FIELDS:
        near = difflib.get_close_matches(field, FIELDS, n=1)
        known = " ".join(f"{{{name}}}" for name in FIELDS)
        raise UsageError(
            f"the name template `{template}` has the unknown field `{{{field}}}`; known: {known}",
            hint=f"did you mean `{{{near[0]}}}`?" if near else None,
        )
    if conversion is not None:
        raise UsageError(
            f"the name template `{template}` converts `{{{field}}}` with `!`",
            hint=f"write `{{{field}}}`",
        )
    if width and not (field in _NUMERIC and _WIDTH.fullmatch(width)):
        raise UsageError(
            f"the name template `{template}` has `{{{field}:{width}}}`, which is no width",
            hint="numbers take a width: `{index:03}`",
        )


def _safe(value: str) -> str:
    """A value as part of one component: it cannot make folders."""
    if _PLAIN.fullmatch(value):
        return value
    return "".join(char if char != "/" and _is_portable(char) else "-" for char in value)


def _is_portable(char: str) -> bool:
    seen = char not in _FORBIDDEN and unicodedata.category(char) not in _INVISIBLE
    return seen and has_name_here(char)
