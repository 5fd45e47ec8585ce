"""Images to make again, and runs of `kontext replay`."""

import json
from typing import Any

from samples import image_file
from world import Ran, World

PNG = image_file("png")
FULL = ("-p", "fal", "--seed", "7", "--metadata", "full")


def made(world: World, name: str = "fox.png", *argv: str, prompt: str = "a fox") -> None:
    world.may_be_accepted(9, prompt)
    done = world.run("generate", prompt, *FULL, "-o", name, *argv)
    assert done.code == 0, done.err


def edited(world: World, *inputs: str, name: str = "out/winter.png") -> None:
    world.images(*inputs)
    world.may_be_accepted(9, "make it winter")
    sources = [word for each in inputs for word in ("-i", each)]
    done = world.run("edit", "make it winter", *sources, *FULL, "-o", name)
    assert done.code == 0, done.err


def forget_all(world: World) -> None:
    """Have another journal, which knows nothing."""
    world.set(KONTEXT_STATE_DIR=str(world.top / "other"))


def planned(world: World, *argv: str) -> dict[str, Any]:
    """The job that would be sent, with what is said about it in `notices`."""
    done = world.run("replay", *argv, "--dry-run", "--json")
    assert done.code == 0, (done.out, done.err)
    job: dict[str, Any] = done.records[0]
    return {**job, "notices": done.err}


def refused(world: World, code: int, *argv: str) -> Ran:
    """A run that sends nothing."""
    before = world.posts
    done = world.run("replay", *argv)
    assert (done.code, world.posts) == (code, before), (done.out, done.err)
    return done


def write_record(world: World, name: str = "a.png", **changes: Any) -> str:
    """An image with a sidecar that has these values, as it may come from anybody; its name."""
    record = {
        "schema": 1,
        "type": "image",
        "operation": "generate",
        "provider": "fal",
        "model": "kontext-pro",
        "endpoint": "fal-ai/flux-pro/kontext/text-to-image",
        "prompt": "a fox",
        "options": {"seed": 7, "output_format": "png"},
        "seed": 7,
        "inputs": [],
        "version": "1.0",
        "time": "2026-01-01T00:00:00Z",
    }
    world.write(name, PNG)
    world.write(f"{name}.json", json.dumps({**record, **changes}))
    return name
