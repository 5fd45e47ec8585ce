"""The page of what `--json` prints, read from its schema."""

from collections.abc import Iterator

from docs.writer.markdown import code, codes, page, prose, table
from docs.writer.records import RECORDS
from docs.writer.schema import Schema


def json_page() -> str:
    """Each kind of record with its properties."""
    return page(
        "JSON output",
        [
            "With `--json`, standard output has JSON Lines and nothing else: one object a line, of "
            "one of these types. [json.schema.json](json.schema.json) is their JSON Schema. "
            "`schema` is 1 in each; it changes when a property goes or changes its meaning. "
            "Further properties may come without that.",
            *(block for kind, record in RECORDS.items() for block in _section(kind, record)),
        ],
    )


def _section(kind: str, record: Schema) -> Iterator[str]:
    yield f"## {kind}"
    yield prose(record["description"])
    yield table(["property", "type", "meaning"], _rows(record))


def _rows(record: Schema, prefix: str = "") -> Iterator[list[str]]:
    """A row for each property, those of objects within it after it."""
    for name, each in record["properties"].items():
        path = prefix + name
        if path in ("schema", "type"):
            continue
        always = "" if name in record["required"] else "; not always there"
        yield [code(path), _kind(each), _meaning(name, each) + always]
        inner, brackets = (each["items"], "[]") if "items" in each else (each, "")
        inner = inner.get("anyOf", [inner])[0]
        if "properties" in inner:
            yield from _rows(inner, f"{path}{brackets}.")


def _kind(schema: Schema) -> str:
    kinds = schema.get("type", "any")
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def _meaning(name: str, schema: Schema) -> str:
    meaning = prose(schema["description"])
    if name == "code":
        return f"{meaning}: one of [these](exit-codes.md#errors)"
    values = [each for each in schema.get("enum", ()) if each is not None]
    return f"{meaning}: {codes(values)}" if values else meaning
