"""What `--json` prints is what its published schema says, to the property."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from commands.locked import CARDS, make
from commands.test_models_check import GONE
from docs.writer.pages import REFERENCE
from world import World

jsonschema = pytest.importorskip("jsonschema")

SCHEMA = json.loads((REFERENCE / "json.schema.json").read_text(encoding="utf-8"))


def closed(schema: Any) -> Any:
    """The schema with no room for properties that it does not describe."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(each) for name, each in schema.items()}
    return {**inner, "additionalProperties": False} if "required" in schema else inner


def check(record: dict[str, Any]) -> str:
    """See that a record is what the schema says; its type."""
    kind = str(record["type"])
    alone = {**closed(SCHEMA), "oneOf": [{"$ref": f"#/$defs/{kind}"}]}
    jsonschema.Draft202012Validator(alone).validate(record)
    return kind


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("change", [{"state": "gone"}, {"id": None}, {"more": 1}])
def test_it_refuses_another_record(world: World, change: dict[str, Any]) -> None:
    [record] = world.run("generate", "x", "-p", "aimlapi", "--json").records
    with pytest.raises(jsonschema.ValidationError):
        check({**record, **change})
    del record["files"]
    with pytest.raises(jsonschema.ValidationError):
        check(record)


def test_every_record_that_is_printed_is_one_of_it(world: World) -> None:
    kinds = {check(record) for record in printed(world)}
    assert kinds == SCHEMA["$defs"].keys()


def printed(world: World) -> Iterator[dict[str, Any]]:
    """Records of every type, and of jobs in many states."""

    def run(*argv: str) -> Iterator[dict[str, Any]]:
        yield from world.run(*argv, "--json").records

    yield from run("auth", "status")
    yield from run("doctor")
    yield from run("models")
    world.serve(aimlapi_deprecations=[GONE])
    yield from run("models", "--check")
    yield from run("generate", "x", "-m", "nothing", "-p", "fal", "-n", "9")
    yield from run("generate", "a fox", "-p", "fal", "-n", "2", "--metadata", "full", "-o", "a.png")
    yield from run("info", "a-1.png")
    yield from run("replay", "a-1.png", "-p", "aimlapi", "--dry-run")
    world.images("house.jpg")
    yield from run("edit", "make it winter", "-i", "house.jpg", "-p", "aimlapi")
    yield from run("generate", "a hen", "-p", "aimlapi", "--dry-run")
    yield from run("generate", "an ape", "-p", "fal", "--no-wait")
    yield from run("generate", "a cat [fault:flagged]", "-p", "aimlapi")
    yield from run("generate", "a cow [fault:lost-reply]", "-p", "aimlapi")
    yield from run("generate", "a dog [fault:500]", "-p", "aimlapi")
    yield from run("status")
    for job in world.run("status").lines:
        yield from run("status", job.split("\t")[0])
    yield from run("fetch")
    yield from run("cancel", world.submit("a dove"))
    yield from run("cost")
    yield from run("journal", "copy", str(world.state), "copy")
    yield from run("gallery", ".", "-o", "page.html")
    yield from of_batches(world)


def of_batches(world: World) -> Iterator[dict[str, Any]]:
    """Records of a batch and of its lock."""
    make(world)
    yield from world.batch("cards.jsonl").records
    yield from world.batch("cards.jsonl", "--dry-run").records
    yield from world.batch(world.prompts("a crow", "a crab [fault:flagged]")).records
    world.write("bad.jsonl", '{"prompt": "x", "seeds": 1}\n')
    yield from world.batch("bad.jsonl").records
    world.images("out/owl.jpg")
    world.write("cards.jsonl", [*CARDS[1:], {"id": "ant", "prompt": "an ant"}])
    for flags in ((), ("--accept", "owl"), ("--prune",)):
        yield from world.run("check", "cards.jsonl", *flags, "--json").records
    for part in ("1/2", "2/2"):
        yield from world.batch("cards.jsonl", "--shard", part, "--lock").records
    yield from world.run("check", "cards.jsonl", "--merge", "--json").records
