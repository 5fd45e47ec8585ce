"""`kontext replay` of records by anybody, and of images that other programs made."""

import json
from typing import Any

import pytest

from commands.replays import PNG, forget_all, made, planned, refused, write_record
from kontext_cli.metadata.layout import chunk, segment
from samples import image_file
from world import World


class TestRecordsOfAnybody:
    @pytest.mark.parametrize(
        ("changes", "code", "message"),
        [
            ({"operation": "upscale"}, 8, "there is no operation `upscale`"),
            ({"operation": None}, 8, "its `operation` cannot be read"),
            ({"provider": ["fal"]}, 8, "its `provider` cannot be read"),
            ({"provider": "\x1b[2Jfal"}, 2, r"there is no provider `\x1b[2Jfal`"),
            ({"provider": "fal,bfl"}, 2, "there is no provider `fal,bfl`"),
            ({"model": "x", "endpoint": "x"}, 2, "fal does not generate with the model `x`"),
            ({"model": "../x", "endpoint": "../x"}, 2, "`../x` is not an endpoint id"),
            ({"prompt": 5}, 8, "its `prompt` cannot be read"),
            ({"prompt": " "}, 2, "the prompt is empty"),
            ({"prompt": "x" * 40_000}, 2, "the prompt has 40,000 characters"),
            ({"options": []}, 8, "its `options` cannot be read"),
            ({"options": {"num_images": "many"}}, 2, "`--num-images many` should be"),
            ({"options": {"seed": [1]}}, 2, "`--seed [1]` should be"),
            ({"inputs": [{}] * 11}, 8, "its `inputs` are not at most 10 images"),
            ({"inputs": ["a"]}, 8, "its `inputs` are not at most 10 images"),
            ({"operation": "edit", "inputs": [{}]}, 8, "an input of its record is neither"),
            ({"operation": "edit"}, 2, "`edit` needs an image"),
        ],
    )
    def test_are_refused_with_the_name_of_the_file(
        self, world: World, changes: dict[str, Any], code: int, message: str
    ) -> None:
        done = refused(world, code, write_record(world, **changes))
        assert f"error: `a.png`: {message}" in done.err.replace("sidecar a.png.json: ", "")

    @pytest.mark.parametrize("endpoint", ["../../x", "fal-ai/some/video", "x", "v1/flux-2-pro"])
    def test_an_endpoint_of_nowhere_is_not_used(self, world: World, endpoint: str) -> None:
        job = planned(world, write_record(world, endpoint=endpoint))
        assert job["endpoint"] == "fal-ai/flux-pro/kontext/text-to-image"
        assert f"it was made at `{endpoint}`; kontext-pro of fal is" in job["notices"]

    def test_an_endpoint_leads_to_its_model(self, world: World) -> None:
        endpoint = "fal-ai/flux-pro/kontext/max/text-to-image"
        job = planned(world, write_record(world, model="an old name", endpoint=endpoint))
        assert (job["model"], job["endpoint"]) == ("kontext-max", endpoint)

    def test_a_route_of_a_router_is_kept(self, world: World) -> None:
        endpoint = "replicate/black-forest-labs/flux-kontext-dev"
        at = {"provider": "huggingface", "model": "kontext-dev", "endpoint": endpoint}
        inputs = [{"url": "https://a.example/x.png", "sha256": None}]
        job = planned(world, write_record(world, operation="edit", inputs=inputs, **at))
        assert (job["model"], job["endpoint"]) == ("kontext-dev:replicate", endpoint)

    def test_too_many_images_are_not_made(self, world: World) -> None:
        job = planned(world, write_record(world, options={"seed": 7, "num_images": 5}))
        assert job["request"].get("num_images") is None
        assert "not taken by fal: --num-images 5" in job["notices"]

    def test_what_is_not_known_is_counted(self, world: World) -> None:
        options = {"seed": 7, "keep_flagged": True, "output": "/tmp/x", "--exists": "overwrite"}
        job = planned(world, write_record(world, options=options))
        assert "options that this version does not know are left out: 3" in job["notices"]
        assert job["request"]["seed"] == 7

    def test_a_seed_that_the_provider_reported_is_used_where_one_is_taken(
        self, world: World
    ) -> None:
        name = write_record(world, provider="chainhub", options={}, seed=99)
        assert planned(world, name)["request"].get("seed") is None
        assert planned(world, name, "-p", "fal")["seed"] == 99


PARAMETERS = """a fox, (red:1.2) <lora:foo:0.8>
in snow
Negative prompt: blurry,
Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 123, Size: 512x512, Model: "a, b", Version: v1"""
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 4, "positive": ["6", 0]}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["4", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
}


def with_text(name: str, text: str) -> bytes:
    return PNG[:33] + chunk(b"iTXt", name.encode() + bytes(5) + text.encode()) + PNG[33:]


def with_comment(text: str) -> bytes:
    comment = b"UNICODE\0" + text.encode("utf-16-be")
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0"
    exif += b"\0\x01\x92\x86\0\x07" + len(comment).to_bytes(4, "big") + b"\0\0\0\x2c\0\0\0\0"
    data = image_file()
    return data[:2] + segment(0xE1, exif + comment) + data[2:]


class TestOtherPrograms:
    @pytest.mark.parametrize(
        ("name", "data", "prompt", "seed", "unused"),
        [
            (
                "a.png",
                with_text("parameters", PARAMETERS),
                "a fox, (red:1.2)\nin snow",
                123,
                "Negative prompt, LoRA, Steps, Sampler, CFG scale, Size, Model",
            ),
            ("a.jpg", with_comment("a fox\nSteps: 4, Seed: 5"), "a fox", 5, "Steps"),
            (
                "a.jpg",
                with_comment('{"prompt": "a fox", "seed": 5, "steps": 4, "lora_paths": []}'),
                "a fox",
                5,
                "steps",
            ),
            (
                "a.png",
                with_text("invokeai_metadata", '{"positive_prompt": "a fox", "seed": 5, "cfg": 1}'),
                "a fox",
                5,
                "cfg",
            ),
            (
                "a.png",
                with_text("prompt", json.dumps(GRAPH)),
                "a fox",
                5,
                "KSampler, CLIPTextEncode",
            ),
        ],
    )
    def test_give_prompt_and_seed(
        self, world: World, name: str, data: bytes, prompt: str, seed: int, unused: str
    ) -> None:
        world.write(name, data)
        job = planned(world, name, "-p", "fal")
        assert (job["request"]["prompt"], job["seed"]) == (prompt, seed)
        assert "prompt and seed can be used, so another image is made" in job["notices"]
        assert f"not used: {unused}\n" in job["notices"]

    def test_a_seed_that_is_not_taken_is_lost(self, world: World) -> None:
        world.write("a.png", with_text("parameters", f"a fox\nSteps: 4, Seed: {2**63}"))
        job = planned(world, "a.png", "-p", "bfl")
        assert job["seed"] not in (None, 2**63) or "--seed" not in job["notices"]

    def test_several_texts_are_not_plain(self, world: World) -> None:
        graph = {**GRAPH, "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry"}}}
        world.write("a.png", with_text("prompt", json.dumps(graph)))
        done = refused(world, 8, "a.png", "-p", "fal")
        assert "its prompt is not plain" in done.err
        assert "hint: give one with --prompt" in done.err
        job = planned(world, "a.png", "-p", "fal", "--prompt", "a fox")
        assert (job["request"]["prompt"], job["seed"]) == ("a fox", 5)

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("parameters", "a fox"),
            ("parameters", "Seed: 5"),
            ("parameters", ""),
            ("prompt", "a fox"),
            ("prompt", "[1, 2]"),
            ("prompt", '{"3": {"class_type": ["a"], "inputs": {"text": "a"}}}'),
            ("prompt", '{"3": {"class_type": "a", "inputs": [1]}}'),
            ("invokeai_metadata", '{"seed": {"a": 1}}'),
            ("Comment", PARAMETERS),
        ],
    )
    def test_what_says_no_more_is_exit_8(self, world: World, name: str, text: str) -> None:
        world.write("a.png", with_text(name, text))
        done = world.run("replay", "a.png", "-p", "fal", "--dry-run")
        assert done.code == (0 if "text" in text else 8), done.err

    def test_a_mark_says_only_that(self, world: World) -> None:
        made(world, "fox.jpg", "--metadata", "mark")
        forget_all(world)
        done = refused(world, 8, "fox.jpg")
        assert "`fox.jpg`: it says only that a model made it: kontext-pro (fal)" in done.err
        assert "hint: `kontext info` shows what is known of it" in done.err
