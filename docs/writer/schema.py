"""Pieces of a JSON Schema, each with its description."""

from collections.abc import Mapping, Sequence
from typing import Any

from kontext_cli.terminal.records import SCHEMA

Schema = dict[str, Any]


def value(kind: str, description: str, **more: Any) -> Schema:
    """A value of a JSON type."""
    return {"type": kind, "description": description, **more}


def text(description: str, **more: Any) -> Schema:
    """A string."""
    return value("string", description, **more)


def whole(description: str) -> Schema:
    """A whole number, of at least 0."""
    return value("integer", description, minimum=0)


def one_of(choices: Sequence[str], description: str) -> Schema:
    """One of several strings."""
    return value("string", description, enum=[*choices])


def listed(items: Schema, description: str) -> Schema:
    """A list."""
    return value("array", description, items=items)


def or_null(schema: Schema) -> Schema:
    """The same, or null."""
    kind = schema["type"]
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [kind, "null"], **choices}


def fields(
    properties: Mapping[str, Schema], description: str, *, optional: Sequence[str] = ()
) -> Schema:
    """An object with these properties, all of which it has but for the ``optional`` ones."""
    required = [name for name in properties if name not in optional]
    return value("object", description, properties=dict(properties), required=required)


def record(
    kind: str, description: str, properties: Mapping[str, Schema], *, optional: Sequence[str] = ()
) -> Schema:
    """A line that is printed: an object with its ``type``."""
    head: Mapping[str, Schema] = {
        "schema": {"const": SCHEMA, "description": "the version of this schema"},
        "type": {"const": kind, "description": "the kind of record"},
    }
    return fields({**head, **properties}, description, optional=optional)
