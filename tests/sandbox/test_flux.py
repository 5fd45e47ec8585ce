"""Kontext [dev], FLUX.2 and FLUX 3: their fields, the sizes of their images, and their answers."""

import base64
from typing import Any

import pytest

from samples import image_file
from sandbox.clients import Queue, client, opened
from sandbox.running import Running

DEV = "fal-ai/flux-kontext/dev"
FLUX_2 = ("fal-ai/flux-2-pro", "fal-ai/flux-2-max", "fal-ai/flux-2-flex")
FLUX_3 = "blackforestlabs/flux-3"


def data_uri(size: tuple[int, int]) -> str:
    return "data:image/png;base64," + base64.b64encode(image_file("png", size)).decode()


def size_of(queue: Queue, endpoint: str, **payload: Any) -> tuple[int, int]:
    """The size that the answer names, which is that of the file."""
    image = queue.made(endpoint, **payload)["images"][0]
    named = (image["width"], image["height"])
    assert opened(queue.http.get(image["url"]).content).size == named
    return named


@pytest.mark.parametrize("endpoint", FLUX_2)
@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (1024, 768)),
        ({"image_size": "portrait_16_9"}, (576, 1024)),
        ({"image_size": {"width": 1504, "height": 640}}, (1504, 640)),
        ({"image_size": {"width": 1, "height": 2000}}, (64, 2000)),
        ({"image_size": {"width": 14142, "height": 14142}}, (2048, 2048)),
    ],
)
def test_flux_2_takes_any_size(
    queue: Queue, endpoint: str, asked: dict[str, Any], size: tuple[int, int]
) -> None:
    assert size_of(queue, endpoint, **asked) == size


@pytest.mark.parametrize(
    ("endpoint", "given"),
    [*((f"{name}/edit", "image_urls") for name in FLUX_2), (DEV, "image_url")],
)
def test_an_edit_keeps_the_size_of_its_input(queue: Queue, endpoint: str, given: str) -> None:
    source = data_uri((333, 500))
    sources = source if given == "image_url" else [source, data_uri((64, 64))]
    assert size_of(queue, endpoint, **{given: sources}) == (320, 496)


def test_kontext_dev_makes_the_ratio_that_it_is_given(queue: Queue) -> None:
    source = data_uri((300, 200))
    assert size_of(queue, DEV, image_url=source, resolution_mode="21:9") == (1568, 672)
    assert size_of(queue, DEV, image_url=source, resolution_mode="auto") == (1248, 832)


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (1024, 1024)),
        ({"resolution": "768sq"}, (768, 768)),
        ({"resolution": "2k", "aspect_ratio": "16:9"}, (2736, 1536)),
        ({"resolution": "4k", "aspect_ratio": "1:1"}, (4096, 4096)),
    ],
)
def test_flux_3_goes_by_resolution_and_ratio(
    queue: Queue, asked: dict[str, Any], size: tuple[int, int]
) -> None:
    assert size_of(queue, f"{FLUX_3}/text-to-image", **asked) == size


def test_flux_3_takes_ten_inputs_and_the_ratio_of_the_first(queue: Queue) -> None:
    inputs = [data_uri((300, 200)), *[data_uri((256, 256))] * 9]
    assert size_of(queue, f"{FLUX_3}/edit-image", image_urls=inputs) == (1248, 832)
    refused = queue.result(f"{FLUX_3}/edit-image", image_urls=[*inputs, inputs[0]])
    assert refused.status_code == 422


def test_flux_3_makes_no_ribbon_of_one(queue: Queue) -> None:
    inputs = [data_uri((9000, 20))]
    asked = {"image_urls": inputs, "resolution": "4k"}
    assert size_of(queue, f"{FLUX_3}/edit-image", **asked) == (6256, 2688)


@pytest.mark.parametrize(
    ("endpoint", "told"),
    [
        ("fal-ai/flux-2-pro", {"images", "seed"}),
        (f"{FLUX_3}/text-to-image", {"images"}),
        (
            "fal-ai/flux-pro/kontext/text-to-image",
            {"images", "seed", "timings", "has_nsfw_concepts", "prompt"},
        ),
    ],
)
def test_an_answer_has_the_fields_of_its_model(queue: Queue, endpoint: str, told: set[str]) -> None:
    assert queue.made(endpoint).keys() == told


@pytest.mark.parametrize(
    ("endpoint", "bad"),
    [
        ("fal-ai/flux-2-pro", {"safety_tolerance": "6"}),
        ("fal-ai/flux-2-pro", {"safety_tolerance": 2}),
        ("fal-ai/flux-2-pro", {"image_size": "auto"}),
        ("fal-ai/flux-2-pro/edit", {}),
        ("fal-ai/flux-2-flex", {"guidance_scale": 20.0}),
        ("fal-ai/flux-2-flex", {"num_inference_steps": 51}),
        (DEV, {"image_url": "https://example.com/a.png", "num_inference_steps": 9}),
        (DEV, {"image_url": "https://example.com/a.png", "resolution_mode": "7:5"}),
        (f"{FLUX_3}/text-to-image", {"safety_tolerance": "2"}),
        (f"{FLUX_3}/text-to-image", {"safety_tolerance": 5}),
        (f"{FLUX_3}/text-to-image", {"aspect_ratio": "9:21"}),
        (f"{FLUX_3}/text-to-image", {"resolution": "1.5k"}),
    ],
)
def test_a_field_that_does_not_fit_fails_unbilled(
    queue: Queue, endpoint: str, bad: dict[str, Any]
) -> None:
    reply = queue.result(endpoint, **bad)
    assert (reply.status_code, reply.headers["x-fal-billable-units"]) == (422, "0")


@pytest.mark.parametrize("extra", [{"num_images": 4}, {"aspect_ratio": "16:9"}, {"steps": "x"}])
def test_fields_that_flux_2_does_not_know_are_ignored(queue: Queue, extra: dict[str, Any]) -> None:
    assert len(queue.made("fal-ai/flux-2-pro", **extra)["images"]) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "blackforestlabs/flux-2-pro"}, 200),
        ({"model": "blackforestlabs/flux-2-max", "safety_tolerance": "5"}, 200),
        ({"model": "blackforestlabs/flux-2-max", "safety_tolerance": "6"}, 400),
        ({"model": "blackforestlabs/flux-2-pro", "image_size": {"width": 1000}}, 400),
        ({"model": "blackforestlabs/flux-2-pro", "image_size": {"width": 480}}, 400),
        ({"model": "blackforestlabs/flux-2-pro", "guidance_scale": 19}, 200),
        ({"model": "blackforestlabs/flux-2-pro-edit", "image_urls": ["https://a.example/b"]}, 200),
        (
            {
                "model": "blackforestlabs/flux-2-pro-edit",
                "image_urls": ["https://a.example/b"] * 4,
            },
            400,
        ),
        ({"model": "blackforestlabs/flux-2-flex"}, 404),
    ],
)
def test_aimlapi_takes_what_its_schemas_say(
    running: Running, fields: dict[str, Any], code: int
) -> None:
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        reply = http.post("/v1/images/generations", json={"prompt": "a fox", **fields})
        assert reply.status_code == code, reply.text
        if code == 200:
            [image] = reply.json()["data"]
            assert image["url"].startswith(running.url)
