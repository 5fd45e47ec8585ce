"""LiteLLM's proxy, as it is installed, between `kontext` and the sandbox.

It repeats by itself what was lost or failed behind it: what counts is what reached the proxy.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.peers import Passing, running
from samples import image_file
from sandbox.clients import opened
from world import Doors, World

HERE = Path(__file__).resolve()
PROGRAM = HERE.parents[2] / ".venv" / "litellm" / "bin" / "litellm"
KEY = "sk-0123456789abcdef0123456789abcdef"
CONFIG = """\
model_list:
  - model_name: kontext
    litellm_params:
      model: openai/FLUX.1-Kontext-dev
      api_base: {url}/openai/v1
      api_key: sandbox
      max_retries: 0
router_settings:
  num_retries: 0
general_settings:
  master_key: {key}
"""
REPEATS = 3
"""How often the proxy sends what it loses, set as above."""
ON_PATH = os.environ.get("PATH", "")

pytestmark = pytest.mark.skipif(
    not PROGRAM.exists(), reason="needs LiteLLM's proxy (`make engines` installs it)"
)


@pytest.fixture(scope="module")
def proxy(_doors: Doors, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A proxy in front of the sandboxes of all tests."""
    folder = tmp_path_factory.mktemp("litellm")
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(url=_doors.url, key=KEY))
    options = ("--config", str(config), "--telemetry", "False", "--host", "127.0.0.1")
    environ = {"PATH": ON_PATH, "HOME": str(folder), "LANG": "C.UTF-8"}
    with running(
        lambda port: [str(PROGRAM), *options, "--port", port],
        folder,
        ready="/health/liveliness",
        environ=environ,
    ) as url:
        yield url


@pytest.fixture
def counted(proxy: str, serve: Any, world: World) -> Passing:
    """The way to the proxy, with its key; counts what goes there."""
    app = Passing(proxy)
    world.set(KONTEXT_OPENAI_BASE_URL=serve(app), KONTEXT_OPENAI_API_KEY=KEY)
    return app


AT = ("-p", "openai", "-m", "kontext")


def test_an_image_is_made_and_edited(world: World, counted: Passing) -> None:
    made = world.run("generate", "a fox", *AT, "--seed", "7", "-a", "16:9", "--json")
    assert made.code == 0, made.err
    (job,) = made.records
    assert (job["seed"], job["cost"]["usd"], job["reply"]["server"]) == (7, 0, "LiteLLM")
    assert counted.posts == 2  # the first one was refused for its response_format
    world.write("in.png", image_file("png", (90, 160)))
    edited = world.run("edit", "blue", *AT, "-i", "in.png", "--seed", "8", "-o", "out.jpg")
    assert edited.code == 0, edited.err
    assert opened((world.folder / "out.jpg").read_bytes()).format == "JPEG"
    fox, blue = world.ledger.entries
    assert [(entry.prompt, entry.seed) for entry in (fox, blue)] == [("a fox", 7), ("blue", 8)]
    assert "size" not in blue.payload
    assert len(blue.payload["images"]) == 1


def test_a_refused_field_is_sent_once_in_a_batch(world: World, counted: Passing) -> None:
    rows = [f"row {number}" for number in range(6)]
    ran = world.batch(world.prompts(*rows), *AT)
    assert (ran.code, ran.counts) == (0, {"saved": 6})
    assert counted.posts == len(rows) + 1


def test_it_names_its_models(world: World, counted: Passing) -> None:
    listed = world.run("models", "-p", "openai")
    assert any("kontext" in line for line in listed.lines)
    ran = world.run("generate", "x", "-p", "openai", "-m", "nope")
    assert ran.code == 4
    assert "hint: the server has kontext" in ran.err
    assert counted.posts <= 2


def test_a_wrong_key_costs_nothing(world: World, counted: Passing) -> None:
    ran = world.run("generate", "x", *AT, environ={"KONTEXT_OPENAI_API_KEY": "sk-wrong"})
    assert (ran.code, counted.posts) == (3, 0)
    assert "rejected the key" in ran.err


@pytest.mark.parametrize("fault", ["lost-reply*9", "failed"])
def test_what_is_lost_behind_it_is_not_sent_again_by_us(
    world: World, counted: Passing, fault: str
) -> None:
    world.run("generate", "first", *AT)
    before, prompt = counted.posts, f"[fault:{fault}] x"
    world.may_be_accepted(REPEATS, prompt)
    ran = world.run("generate", prompt, *AT, "-o", "lost.jpg")
    assert ran.code == 11
    assert counted.posts <= before + 2
    assert world.accepted[prompt] == REPEATS
    assert not (world.folder / "lost.jpg").exists()


def test_moderation_behind_it_is_told(world: World, counted: Passing) -> None:
    ran = world.run("generate", "[fault:refused] x", *AT)
    assert (ran.code, counted.posts) == (5, 2)
