"""The emulated server that speaks OpenAI's images API."""

import base64
from typing import Any

import httpx2
import pytest

from samples import image_file
from sandbox.clients import client, opened
from sandbox.running import Running

DEV = "FLUX.1-Kontext-dev"
PNG = ("input.png", image_file("png", (90, 160)), "image/png")


def call(running: Running, path: str = "/v1/images/generations", **options: Any) -> httpx2.Response:
    with client(f"{running.url}/openai") as http:
        return http.post(path, **options)


@pytest.mark.parametrize("version", ["", "/v1"])
def test_models(running: Running, version: str) -> None:
    with client(f"{running.url}/openai") as http:
        listed = http.get(f"{version}/models").json()
    assert [each["id"] for each in listed["data"]] == [DEV, "FLUX.2-klein"]


@pytest.mark.parametrize("version", ["", "/v1"])
def test_links_by_default_and_base64_where_asked_for(running: Running, version: str) -> None:
    body = {"prompt": "a fox", "size": "64x128"}
    (link,) = call(running, f"{version}/images/generations", json=body).json()["data"]
    with client("") as http:
        image = opened(http.get(link["url"]).content)
    assert (image.size, image.format) == ((64, 128), "PNG")
    asked = {**body, "response_format": "b64_json", "output_format": "jpeg"}
    (inline,) = call(running, f"{version}/images/generations", json=asked).json()["data"]
    assert opened(base64.b64decode(inline["b64_json"])).format == "JPEG"


@pytest.mark.parametrize("name", ["image", "image[]"])
def test_an_edit_is_a_form(running: Running, name: str) -> None:
    fields = {"prompt": "blue", "n": "2", "seed": "7", "size": "auto"}
    reply = call(running, "/v1/images/edits", data=fields, files=[(name, PNG), (name, PNG)])
    assert len(reply.json()["data"]) == 2
    (entry,) = running.ledger.entries
    assert (entry.seed, entry.payload["n"], len(entry.payload["images"])) == (7, 2, 2)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"n": 0}, 400),
        ({"size": "big"}, 400),
        ({"seed": "seven"}, 400),
        ({"prompt": 7}, 400),
        ({"model": "nobody/none"}, 404),
    ],
)
def test_what_does_not_fit(running: Running, body: dict[str, Any], status: int) -> None:
    refused = call(running, json={"prompt": "a fox", **body})
    assert (refused.status_code, refused.json()["error"]["type"]) == (
        status,
        "invalid_request_error",
    )
    assert not running.ledger.entries


def test_an_edit_without_an_image(running: Running) -> None:
    assert call(running, "/v1/images/edits", data={"prompt": "x"}).status_code == 400
    assert call(running, "/v1/images/edits", json={"prompt": "x"}).status_code == 400
    assert call(running, "/v1/other", json={}).status_code == 404
