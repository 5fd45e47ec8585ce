"""A real engine: stable-diffusion.cpp's sd-server with random weights, on the processor.

What it makes is noise, but its own: decoded, different for each seed, and the same for the same
one. Kontext's sizes would take it minutes, so a stand-in for a quicker machine asks it for 64 × 64.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from engines.peers import Passing, running
from engines.sd_server import PROGRAM, WEIGHTS
from metadata.encoded import pixels
from samples import image_file
from sandbox.clients import opened
from world import World

SMALL = ("--steps", "1", "-W", "64", "-H", "64", "--cfg-scale", "1")

pytestmark = pytest.mark.skipif(
    not (PROGRAM.exists() and WEIGHTS.exists()),
    reason="needs sd-server (KONTEXT_BUILD_ENGINES=1 make engines builds it)",
)


class Quick(Passing):
    """The server, as if it made large images as fast as small ones; keeps what it was sent."""

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.sent: list[dict[str, Any]] = []

    def body(self, path: str, body: bytes) -> bytes:
        if not path.endswith("/generations"):
            return body
        self.sent.append(json.loads(body))
        return json.dumps({**self.sent[-1], "size": "64x64"}).encode()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server, once it has its weights."""
    argv = (str(PROGRAM), "-m", str(WEIGHTS), *SMALL, "--listen-port")
    folder = tmp_path_factory.mktemp("sd-server")
    with running(lambda port: [*argv, port], folder, ready="/v1/models") as url:
        yield url


@pytest.fixture
def quick(engine: str, serve: Any, world: World) -> Quick:
    """The way to the server."""
    app = Quick(engine)
    world.set(KONTEXT_OPENAI_BASE_URL=serve(app))
    world.unset("KONTEXT_OPENAI_API_KEY")
    return app


def made(world: World, name: str, *argv: str) -> Any:
    """The image that a command makes, decoded."""
    ran = world.run(*argv, "-p", "openai", "-o", name)
    assert ran.code == 0, ran.err
    return opened((world.folder / name).read_bytes())


def test_seeds_are_its_own(world: World, quick: Quick) -> None:
    first, second, again = (
        made(world, f"{name}.png", "generate", "a fox", "--seed", seed)
        for name, seed in (("a", "1"), ("b", "2"), ("c", "1"))
    )
    assert (first.size, first.format) == ((64, 64), "PNG")
    assert len(set(first.tobytes())) > 100  # no plain color
    assert first.tobytes() == again.tobytes() != second.tobytes()
    assert {sent["size"] for sent in quick.sent} == {"1024x1024"}


def test_a_seed_is_chosen_where_none_is_given(world: World, quick: Quick) -> None:
    """Its own default is 42, for every image."""
    one, two = (made(world, name, "generate", "a fox") for name in ("a.jpg", "b.jpg"))
    assert one.format == "JPEG"
    assert one.tobytes() != two.tobytes()
    seeds = [re.findall(r'"seed":(\d+)', sent["prompt"]) for sent in quick.sent]
    assert [[str(job["seed"])] for job in reversed(world.jobs())] == seeds


def test_an_edit_follows_its_input(world: World, quick: Quick) -> None:
    world.write("in.png", image_file("png", (64, 128)))
    world.write("other.png", image_file("jpeg", (64, 128)))
    edit = ("edit", "make it blue", "--seed", "1")
    image = made(world, "out.png", *edit, "-i", "in.png")
    assert image.size == (64, 128)
    assert pixels((world.folder / "out.png").read_bytes()) != pixels(
        (world.folder / "in.png").read_bytes()
    )


def test_steps_and_guidance_arrive(world: World, quick: Quick) -> None:
    """It writes what it did into its images."""
    image = made(world, "a.png", "generate", "a fox", "--seed", "7", "--steps", "2", "-g", "2.5")
    told = image.info["parameters"]
    assert told.startswith("a fox\n")
    assert "Steps: 2" in told
    assert "Guidance: 2.5" in told
    assert "Seed: 7" in told


def test_several_images_of_one_request_differ(world: World, quick: Quick) -> None:
    ran = world.run("generate", "a fox", "-p", "openai", "-n", "2", "-o", "a.png", "--seed", "5")
    assert ran.code == 0, ran.err
    one, two = (pixels((world.folder / f"a-{number}.png").read_bytes()) for number in (1, 2))
    assert one != two


def test_what_it_is_and_what_it_made(world: World, quick: Quick) -> None:
    listed = world.run("models", "-p", "openai")
    assert any("sd-cpp-local" in line for line in listed.lines)
    made(world, "a.png", "generate", "a fox")
    told = world.run("info", "a.png").out.decode()
    assert "sd-cpp-local (stable-diffusion.cpp)" in told
    assert "127.0.0.1" not in told


def test_a_refusal_of_its_own_is_told(world: World, quick: Quick) -> None:
    prompt = "a <sd_cpp_extra_args>{}</sd_cpp_extra_args> fox"
    ran = world.run("generate", prompt, "-p", "openai")
    assert (ran.code, quick.sent) == (2, [])
