"""`kontext replay --dry-run` prints what was sent, for every endpoint of every provider."""

import json
import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from kontext_cli.options import OPTIONS
from kontext_cli.providers import provider_class
from kontext_cli.providers.options import Endpoint
from kontext_cli.settings.settings import known_provider
from world import KEYS, World

_VALUES = {
    "aspect_ratio": "3:2",
    "resolution": "1k",
    "num_images": 2,
    "guidance_scale": 2.5,
    "safety_tolerance": 2,
    "no_safety_checker": True,
    "steps": 20,
    "output_format": "png",
    "enhance_prompt": True,
}
_WORDS = ("a fox", "狐と兎 {{}}", '🦊🏔️ "quoted"', "-p 'Жар' --seed", "zwei\nZeilen\t", "<lora:x:1>")
HOSTED = tuple(name for name in KEYS if name != "openai")
_LONGEST = "ж" * 32_768
_IMAGES = ("in/1.png", "in/2.jpg", "in/3.png", "in/4.png")


def rows(operation: str) -> Iterator[dict[str, Any]]:
    """Two rows for each endpoint: with no option, and with all that it takes."""
    numbers = count()
    for provider in HOSTED:
        for endpoint in provider_class(known_provider(provider)).endpoints:
            if endpoint.operation == operation:
                for options in ({}, _options(endpoint)):
                    number = next(numbers)
                    prompt = f"{_WORDS[number % len(_WORDS)]} {operation} {number}"
                    images = _images(endpoint, number)
                    asked = {"provider": provider, "model": endpoint.model, "prompt": prompt}
                    yield {**asked, **images, **options, "id": f"{operation}-{number}"}
    if operation == "generate":
        yield {"provider": "fal", "prompt": _LONGEST, "seed": 7, "id": "longest"}


def _options(endpoint: Endpoint) -> dict[str, Any]:
    taken = {name: _VALUES[name] for name in endpoint.fields if name in _VALUES}
    if row := endpoint.option("safety_tolerance"):
        taken["safety_tolerance"] = int(row.least or 0) + 1
    return taken


def _images(endpoint: Endpoint, number: int) -> dict[str, Any]:
    if endpoint.images is None:
        return {}
    most = min(endpoint.images.most, len(_IMAGES))
    return {"images": _IMAGES[: max(endpoint.images.least, 1 + number % most)]}


class Recorder:
    """Keeps what each submit sent, by its prompt, in front of the sandbox."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.sent: dict[str, tuple[str, Any]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""

        async def reading() -> Any:
            nonlocal body
            message = await receive()
            body += message.get("body", b"")
            return message

        await self._app(scope, reading, send)
        if scope["method"] == "POST" and body.startswith(b"{"):
            payload = json.loads(body)
            if prompt := payload.get("input", payload).get("prompt"):
                query = scope["query_string"].decode()
                url = scope["path"] + (f"?{query}" if query else "")
                self.sent[prompt] = url, _without_images(payload)


def _without_images(value: Any, end: str = "") -> Any:
    """JSON in which inline images are only named; those of `--dry-run` have an ``end``."""
    if isinstance(value, dict):
        return {name: _without_images(each, end) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_images(each, end) for each in value]
    is_image = isinstance(value, str) and re.match(r"data:image/|iVBORw0KGgo|/9j/", value)
    return "an image" if is_image and value.endswith(end) else value


def printed(text: str) -> tuple[str, Any]:
    """The URL and the JSON that `--dry-run` printed."""
    first, _, rest = text.partition("\n")
    method, url = first.split(" ")
    assert method == "POST"
    payload, _ = json.JSONDecoder().raw_decode(rest)
    return url, _without_images(payload, end=" characters)")


def test_of_a_hundred_rows(world: World) -> None:
    """Everything but the images equals what was sent, from the files alone."""
    recorder = Recorder(world.doors.app)
    world.answer(recorder)
    world.images(*_IMAGES)
    asked = {each: [*rows(each)] for each in ("generate", "edit")}
    assert sum(map(len, asked.values())) > 100
    options = {name for each in asked.values() for row in each for name in row}
    assert {row.name for row in OPTIONS if row.sent} - options == {"sync_mode"}
    requests: dict[str, Any] = {}
    for operation, given in asked.items():
        world.write(f"{operation}.jsonl", given)
        argv = (operation, "-f", f"{operation}.jsonl", "-d", "out", "-j", "8", "--json")
        done = world.run(*argv, "--metadata", "full")
        assert done.counts == {"saved": len(given)}, done.err
        for job in done.jobs:
            requests[job["files"][0]["path"]] = job
    world.set(KONTEXT_STATE_DIR=str(world.top / "other"))  # no journal helps
    again = world.run("replay", *requests, "-d", "again", "--dry-run", "--json")
    assert again.code == 0, again.err
    same = ("operation", "provider", "endpoint", "request", "seed")
    for made, job in zip(again.jobs, requests.values(), strict=True):
        if "seed" not in job["request"]:
            job["seed"] = None
        assert {name: made[name] for name in same} == {name: job[name] for name in same}
    for path, job in requests.items():
        done = world.run("replay", path, "--dry-run", "-o", "again", "-q")
        url, payload = printed(done.out.decode())
        sent = recorder.sent[job["request"]["prompt"]]
        assert (url.removeprefix(world.url), payload) == sent


@pytest.mark.parametrize("provider", ["openai", "comfyui"])
@pytest.mark.parametrize(
    "argv",
    [
        ("generate", 'a "fox" {}', "-a", "3:2", "--steps", "9", "-g", "2.5"),
        ("edit", "make it 夜", "-i", "in/1.png", "-i", "in/2.jpg"),
    ],
    ids=["generate", "edit"],
)
def test_of_servers_of_ones_own(world: World, provider: str, argv: tuple[str, ...]) -> None:
    """What would be sent is what was: forms and workflows, too, which are no JSON of ours."""
    world.configure('[providers.openai]\ndialect = "vllm"\n')
    world.images(*_IMAGES)
    argv = (*argv, "-p", provider, "--seed", "5")
    planned = world.run(*argv, "-o", "again.jpg", "--dry-run")
    assert planned.code == 0, planned.err
    done = world.run(*argv, "-o", "first.jpg", "--metadata", "full")
    assert done.code == 0, done.err
    world.set(KONTEXT_STATE_DIR=str(world.top / "other"))
    again = world.run("replay", done.lines[0], "--dry-run", "-o", "again.jpg")
    assert (again.code, again.out) == (0, planned.out), again.err
