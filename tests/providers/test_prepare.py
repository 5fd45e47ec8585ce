"""Wish → exact call, and what each provider's table refuses."""

from typing import Any

import pytest

from kontext_cli.errors import UnsupportedOption, UsageError
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Cost
from kontext_cli.options import OPTIONS
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.prepare import Draft, prepare
from kontext_cli.request import parse

FAL = "https://queue.fal.run/fal-ai/flux-pro/kontext"
AIMLAPI = "https://api.aimlapi.com/v1/images/generations"
A, B = "https://example.com/a.png", "data:image/png;base64,AAAA"


def prepared(
    name: Name,
    fields: dict[str, Any],
    *,
    images: tuple[str, ...] = (),
    model: str = "kontext-pro",
) -> Draft:
    given = [InputImage(source=url, stem="", url=url) for url in images]
    operation = "edit" if images else "generate"
    request = parse({"operation": operation, "images": images or None, "prompt": "x", **fields})
    return prepare(provider_class(name)(), request, model=model, images=given)


@pytest.mark.parametrize(
    ("name", "fields", "images", "model", "url", "body"),
    [
        pytest.param(
            "fal",
            {
                "aspect_ratio": "9:21",
                "num_images": 4,
                "seed": 15860307465884635512,
                "guidance_scale": 7.0,
                "safety_tolerance": 6,
                "output_format": "png",
                "enhance_prompt": True,
                "sync_mode": True,
            },
            (),
            "kontext-max",
            f"{FAL}/max/text-to-image",
            {
                "prompt": "x",
                "aspect_ratio": "9:21",
                "num_images": 4,
                "seed": 15860307465884635512,
                "guidance_scale": 7.0,
                "safety_tolerance": "6",
                "output_format": "png",
                "enhance_prompt": True,
                "sync_mode": True,
            },
            id="fal, every option, max",
        ),
        pytest.param(
            "fal", {}, (A,), "kontext-pro", FAL, {"prompt": "x", "image_url": A}, id="fal edit"
        ),
        pytest.param(
            "fal",
            {"seed": 0},
            (A,),
            "kontext-max",
            f"{FAL}/max",
            {"prompt": "x", "seed": 0, "image_url": A},
            id="fal edit, max",
        ),
        pytest.param(
            "fal",
            {"aspect_ratio": "1:1"},
            (A, B),
            "kontext-pro",
            f"{FAL}/multi",
            {"prompt": "x", "aspect_ratio": "1:1", "image_urls": [A, B]},
            id="fal edit, multi",
        ),
        pytest.param(
            "fal",
            {},
            (A, B, A, B),
            "kontext-max",
            f"{FAL}/max/multi",
            {"prompt": "x", "image_urls": [A, B, A, B]},
            id="fal edit, max multi",
        ),
        pytest.param(
            "fal",
            {},
            (A,),
            "fal-ai/flux-pro/kontext/multi",
            "",
            None,
            id="fal edit, the multi endpoint by its id needs several images",
        ),
        pytest.param(
            "fal",
            {"seed": 3},
            (),
            "fal-ai/flux-kontext-lora/text-to-image",
            "https://queue.fal.run/fal-ai/flux-kontext-lora/text-to-image",
            {"prompt": "x", "seed": 3},
            id="fal, an endpoint id of its own",
        ),
        pytest.param(
            "aimlapi",
            {
                "aspect_ratio": "16:9",
                "num_images": 2,
                "seed": 1,
                "guidance_scale": 1.0,
                "safety_tolerance": 1,
                "output_format": "jpeg",
            },
            (),
            "kontext-max",
            AIMLAPI,
            {
                "model": "flux/kontext-max/text-to-image",
                "prompt": "x",
                "aspect_ratio": "16:9",
                "num_images": 2,
                "seed": 1,
                "guidance_scale": 1.0,
                "safety_tolerance": "1",
                "output_format": "jpeg",
            },
            id="aimlapi, every option, max",
        ),
        pytest.param(
            "aimlapi",
            {},
            (A, B),
            "kontext-max",
            AIMLAPI,
            {"model": "flux/kontext-max/image-to-image", "prompt": "x", "image_url": [A, B]},
            id="aimlapi edit, several images",
        ),
        pytest.param(
            "chainhub",
            {"safety_tolerance": 6, "num_images": 1},
            (),
            "kontext-pro",
            "https://api.chainhub.tech/fal-ai/flux-pro/kontext/text-to-image",
            {"prompt": "x", "safety_tolerance": "6", "num_images": 1},
            id="chainhub",
        ),
        pytest.param(
            "sandbox",
            {"sync_mode": True},
            (A,),
            "kontext-pro",
            "http://sandbox.localhost/fal/fal-ai/flux-pro/kontext",
            {"prompt": "x", "sync_mode": True, "image_url": A},
            id="sandbox edit",
        ),
    ],
)
def test_wish_becomes_exactly_this_call(
    name: Name,
    fields: dict[str, Any],
    images: tuple[str, ...],
    model: str,
    url: str,
    body: dict[str, Any] | None,
) -> None:
    if body is None:
        with pytest.raises(UnsupportedOption, match="takes 2 to 4 images"):
            prepared(name, fields, images=images, model=model)
        return
    call = prepared(name, fields, images=images, model=model).call()
    assert (call.method, call.url, call.json) == ("POST", url, body)


@pytest.mark.parametrize(
    ("name", "fields", "message", "hint"),
    [
        ("aimlapi", {"sync_mode": True}, "aimlapi has no `--sync-mode`", "fal and sandbox have it"),
        (
            "aimlapi",
            {"enhance_prompt": True},
            "aimlapi has no `--enhance-prompt`",
            "fal and sandbox have it",
        ),
        (
            "aimlapi",
            {"seed": 0},
            "aimlapi takes `--seed` at least 1, not 0",
            "fal and sandbox take it",
        ),
        (
            "aimlapi",
            {"prompt": "x" * 4_001},
            "the prompt has 4,001 characters; aimlapi takes at most 4,000 characters",
            "fal, chainhub and sandbox take it",
        ),
        ("chainhub", {"seed": 7}, "chainhub has no `--seed`", "fal, aimlapi and sandbox have it"),
        ("chainhub", {"sync_mode": True}, "chainhub has no `--sync-mode`", "fal and sandbox"),
        ("chainhub", {"enhance_prompt": True}, "has no `--enhance-prompt`", "fal and sandbox"),
        ("fal", {"seed": -1}, "fal takes `--seed` at least 0, not -1", None),
        ("fal", {"guidance_scale": 0.5}, "`--guidance-scale` 1 to 20, not 0.5", None),
        ("fal", {"guidance_scale": 20.5}, "`--guidance-scale` 1 to 20, not 20.5", None),
        ("chainhub", {"guidance_scale": 21}, "`--guidance-scale` 1 to 20, not 21", None),
        ("fal", {"num_images": 0}, "`--num-images` 1 to 4, not 0", None),
        ("aimlapi", {"num_images": 5}, "`--num-images` 1 to 4, not 5", None),
        ("sandbox", {"safety_tolerance": 0}, "`--safety-tolerance` 1 to 6, not 0", None),
        ("fal", {"safety_tolerance": 7}, "`--safety-tolerance` 1 to 6, not 7", None),
    ],
)
def test_the_table_refuses(
    name: Name, fields: dict[str, Any], message: str, hint: str | None
) -> None:
    with pytest.raises(UnsupportedOption) as refused:
        prepared(name, fields)
    assert message in refused.value.message
    if hint is None:
        assert refused.value.hint is None
    else:
        assert hint in str(refused.value.hint)
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "model", "images", "message", "hint"),
    [
        ("chainhub", "kontext-pro", (A,), "chainhub has no `edit`", "fal, aimlapi and sandbox do"),
        (
            "chainhub",
            "kontext-max",
            (),
            "chainhub does not generate with the model `kontext-max`",
            "fal, aimlapi and sandbox do",
        ),
        ("fal", "kontext-ultra", (), "does not generate with the model", "it has kontext-pro"),
        ("fal", "fal-ai/flux-pro/kontext", (), "is for `kontext edit`", None),
        ("fal", "fal-ai/../../admin", (), "is not an endpoint id", None),
        ("fal", "https://evil.example/x", (), "is not an endpoint id", None),
        ("fal", "fal-ai/flux-pro/kontext", (A, B), "takes 1 image here, not 2", None),
    ],
)
def test_models_and_operations_that_are_not_there(
    name: Name, model: str, images: tuple[str, ...], message: str, hint: str | None
) -> None:
    with pytest.raises(UsageError) as refused:
        prepared(name, {}, images=images, model=model)
    assert message in refused.value.message
    assert (hint or "") in (refused.value.hint or "")


@pytest.mark.parametrize(
    ("name", "model", "fields", "cost"),
    [
        ("fal", "kontext-pro", {}, Cost(0.04, "estimate")),
        ("fal", "kontext-max", {"num_images": 3}, Cost(0.24, "estimate")),
        ("fal", "fal-ai/flux-pro/kontext/text-to-image", {}, Cost(None, "unknown")),
        ("aimlapi", "kontext-max", {"num_images": 2}, Cost(0.208, "estimate")),
        ("chainhub", "kontext-pro", {}, Cost(None, "unknown")),
        ("sandbox", "kontext-max", {"num_images": 4}, Cost(0.0, "estimate")),
    ],
)
def test_what_it_costs(name: Name, model: str, fields: dict[str, Any], cost: Cost) -> None:
    assert prepared(name, fields, model=model).cost == cost


def test_prices_of_the_config_come_first() -> None:
    provider = provider_class("fal")(None, {"kontext-pro": 0.03})
    request = parse({"operation": "generate", "prompt": "x", "num_images": 2})
    found = prepare(provider, request, model="kontext-pro", images=())
    assert found.cost == Cost(0.06, "estimate")


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_a_field_of_the_request(name: Name) -> None:
    rows = {row.field for row in provider_class(name).options}
    assert rows <= {"prompt", *(row.name for row in OPTIONS)}
    assert "prompt" in rows


@pytest.mark.parametrize("name", NAMES)
def test_a_provider_without_a_price_is_never_guessed(name: Name) -> None:
    for price in provider_class(name).prices:
        assert any(price.model == row.model for row in provider_class(name).endpoints)
        assert price.dated.count("-") == 2


def test_what_is_always_sent() -> None:
    bare = parse({"operation": "generate", "prompt": "x"}).completed(takes_seed=True)
    assert 1 <= bare.options["seed"] < 2**31
    assert bare.options == {
        "aspect_ratio": "1:1",
        "seed": bare.options["seed"],
        "output_format": "jpeg",
    }
    edit = parse({"operation": "edit", "prompt": "x", "images": [A]}).completed(takes_seed=False)
    assert edit.options == {"output_format": "jpeg"}
