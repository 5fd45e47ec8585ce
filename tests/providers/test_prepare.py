"""What holds for the tables of all providers alike."""

from typing import Any

import pytest

from kontext_cli.errors import UnsupportedOption
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Cost
from kontext_cli.options import OPTIONS
from kontext_cli.providers import NAMES, Name, provider_class
from kontext_cli.providers.prepare import Draft, prepare
from kontext_cli.request import parse
from kontext_cli.words import listed

IMAGE = InputImage(source="https://example.com/a.png", stem="a", url="https://example.com/a.png")


def prepared(
    name: Name, fields: dict[str, Any], *, edit: bool = False, model: str = "kontext-pro"
) -> Draft:
    images = [IMAGE] if edit else []
    request = parse(
        {
            "operation": "edit" if edit else "generate",
            "images": tuple(image.source for image in images) or None,
            "prompt": "x",
            **fields,
        }
    )
    return prepare(provider_class(name)(), request, model=model, images=images)


@pytest.mark.parametrize(
    ("name", "asked", "verb"),
    [
        ("aimlapi", {"fields": {"sync_mode": True}}, "support it"),
        ("aimlapi", {"fields": {"enhance_prompt": True}}, "support it"),
        ("aimlapi", {"fields": {"seed": 0}}, "take it"),
        ("aimlapi", {"fields": {"prompt": "x" * 4_001}}, "take it"),
        ("chainhub", {"fields": {"seed": 7}}, "support it"),
        ("chainhub", {"fields": {}, "edit": True}, "do"),
        ("chainhub", {"fields": {}, "model": "kontext-max"}, "do"),
    ],
)
def test_a_refusal_names_all_providers_that_take_it(
    name: Name, asked: dict[str, Any], verb: str
) -> None:
    takers = []
    for other in NAMES:
        if provider_class(other).own_names and "model" in asked:
            continue  # its server may have a model of any name
        try:
            prepared(other, **{"model": provider_class(other).default_model, **asked})
        except UnsupportedOption:
            continue
        takers.append(other)
    with pytest.raises(UnsupportedOption) as refused:
        prepared(name, **asked)
    assert {"fal", "sandbox"} <= set(takers)
    assert refused.value.hint == f"{listed(takers)} {verb}"


@pytest.mark.parametrize("fields", [{"seed": -1}, {"guidance_scale": 21}, {"num_images": 5}])
def test_a_refusal_has_no_hint_where_nobody_takes_it(fields: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedOption) as refused:
        prepared("fal", fields)
    assert refused.value.hint is None


def test_prices_of_the_config_come_first() -> None:
    provider = provider_class("fal")(None, {"kontext-pro": 0.03})
    request = parse({"operation": "generate", "prompt": "x", "num_images": 2})
    found = prepare(provider, request, model="kontext-pro", images=())
    assert found.cost == Cost(0.06, "estimate")


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_a_field_of_the_request(name: Name) -> None:
    for endpoint in provider_class(name).endpoints:
        assert endpoint.fields <= {"prompt", *(row.name for row in OPTIONS)}
        assert "prompt" in endpoint.fields


@pytest.mark.parametrize("name", NAMES)
def test_every_price_is_dated_and_of_a_model_that_is_offered(name: Name) -> None:
    for price in provider_class(name).prices:
        assert any(price.model == row.model for row in provider_class(name).endpoints)
        assert price.dated.count("-") == 2


def test_what_is_always_sent() -> None:
    bare = parse({"operation": "generate", "prompt": "x"}).completed(
        {"aspect_ratio", "seed", "output_format"}
    )
    assert 1 <= bare.options["seed"] < 2**31
    assert bare.options == {
        "aspect_ratio": "1:1",
        "seed": bare.options["seed"],
        "output_format": "jpeg",
    }
    edit = {"operation": "edit", "prompt": "x", "images": [IMAGE.source]}
    assert parse(edit).completed({"aspect_ratio", "output_format"}).options == {
        "output_format": "jpeg"
    }
    assert parse(edit).completed({"prompt"}).options == {}
