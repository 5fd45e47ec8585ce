"""AIMLAPI's blocking call: the shapes of its answer, its errors, and how long it may block."""

import base64
from typing import Any

import httpx2
import pytest

from kontext_cli.sizes import RATIO_SIZES
from samples import image_file
from sandbox.clients import client, opened
from sandbox.running import Running, StartSandbox

T2I = "flux/kontext-pro/text-to-image"
I2I = "flux/kontext-max/image-to-image"
SOURCE = "https://example.com/in.png"


def call(running: Running, /, **payload: Any) -> httpx2.Response:
    """One call with a key; a model and a prompt are added where there are none."""
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        body = {"model": T2I, "prompt": "a fox", **payload}
        return http.post("/v1/images/generations", json=body)


def fetched(url: str) -> bytes:
    with client("") as http:
        return http.get(url).content


def test_one_call_makes_an_image(running: Running) -> None:
    reply = call(running, seed=7, aspect_ratio="21:9", output_format="png")
    body = reply.json()
    file = opened(fetched(body["images"][0]["url"]))
    assert (reply.status_code, body["seed"], body["prompt"]) == (200, 7, "a fox")
    assert body["has_nsfw_concepts"] == [False]
    assert (file.format, file.size) == ("PNG", RATIO_SIZES["21:9"])
    assert [(entry.endpoint, entry.seed) for entry in running.ledger.entries] == [(T2I, 7)]


@pytest.mark.parametrize("tier", ["pro", "max"])
def test_an_edit_takes_one_image_or_a_list(running: Running, tier: str) -> None:
    model = f"flux/kontext-{tier}/image-to-image"
    tall = "data:image/png;base64," + base64.b64encode(image_file("png", (90, 160))).decode()
    for source in (tall, [tall, SOURCE]):
        image = call(running, model=model, image_url=source).json()["images"][0]
        assert (image["width"], image["height"]) == RATIO_SIZES["9:16"]


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 0},
        {"seed": "7"},
        {"prompt": "x" * 4001},
        {"prompt": None},
        {"num_images": 5},
        {"guidance_scale": 21},
        {"safety_tolerance": 2},
        {"aspect_ratio": "5:4"},
        {"output_format": "jpg"},
        {"sync_mode": True},
        {"enhance_prompt": True},
        {"image_url": SOURCE},
        {"model": I2I},
        {"model": I2I, "image_url": []},
        {"model": I2I, "image_url": [SOURCE] * 5},
    ],
    ids=str,
)
def test_a_bad_field_is_refused_at_once(running: Running, fields: dict[str, Any]) -> None:
    reply = call(running, **fields)
    body = reply.json()
    assert (reply.status_code, body["statusCode"]) == (400, 400)
    assert body["message"].startswith("Body validation error: ")
    assert body["path"] == "/v1/images/generations"
    assert body["requestId"] == reply.headers["x-inference-id"]
    assert running.ledger.entries == ()


def test_the_longest_prompt_and_four_images_are_taken(running: Running) -> None:
    fields = {"model": I2I, "prompt": "x" * 4000, "image_url": [SOURCE] * 4}
    assert call(running, **fields).status_code == 200


def test_what_is_unknown_is_not_found(running: Running) -> None:
    assert call(running, model="flux/dev").status_code == 404
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        assert http.get("/v1/models").json()["statusCode"] == 404


@pytest.mark.parametrize("authorization", ["", "Key secret", "Bearer"])
def test_only_a_bearer_key_opens_it(running: Running, authorization: str) -> None:
    with client(f"{running.url}/aimlapi", authorization) as http:
        reply = http.post("/v1/images/generations", json={"model": T2I, "prompt": "x"})
    assert (reply.status_code, reply.json()["statusCode"]) == (401, 401)


def test_the_schemas_shape_with_urls(sandbox: StartSandbox) -> None:
    body = call(sandbox(aimlapi_shape="data-url"), num_images=2).json()
    assert sorted(body) == ["data", "meta"]
    assert [item["b64_json"] for item in body["data"]] == [None, None]
    assert opened(fetched(body["data"][1]["url"])).size == (1024, 1024)


def test_the_schemas_shape_with_base64(sandbox: StartSandbox) -> None:
    item = call(sandbox(aimlapi_shape="data-b64")).json()["data"][0]
    assert item["url"] is None
    assert opened(base64.b64decode(item["b64_json"])).size == (1024, 1024)


def test_both_shapes_at_once(sandbox: StartSandbox) -> None:
    body = call(sandbox(aimlapi_shape="both")).json()
    assert body["data"][0]["url"] == body["images"][0]["url"]


@pytest.mark.parametrize(("model", "usd"), [("pro", 0.104), ("max", 0.208)])
def test_usage_is_told_where_it_is_switched_on(
    sandbox: StartSandbox, model: str, usd: float
) -> None:
    running = sandbox(aimlapi_usage=True, aimlapi_shape="data-url")
    reply = call(running, model=f"flux/kontext-{model}/text-to-image", num_images=2)
    assert float(reply.headers["x-aimlapi-usd-spent"]) == usd
    assert reply.json()["meta"]["usage"]["usd_spent"] == usd


def test_usage_is_not_told_otherwise(sandbox: StartSandbox) -> None:
    reply = call(sandbox(aimlapi_shape="data-url"))
    assert "x-aimlapi-usd-spent" not in reply.headers
    assert reply.json()["meta"] is None


@pytest.mark.parametrize(("sent", "echoed"), [("job-1.a:b", True), ("no spaces", False)])
def test_a_client_id_is_echoed(running: Running, sent: str, *, echoed: bool) -> None:
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        reply = http.post(
            "/v1/images/generations",
            json={"model": T2I, "prompt": "x"},
            headers={"X-Client-Request-Id": sent},
        )
    assert reply.headers["x-inference-id"]
    assert reply.headers.get("x-client-request-id") == (sent if echoed else None)


@pytest.mark.parametrize(
    ("fault", "code", "accepted"),
    [
        ("401", 401, 0),
        ("403", 403, 0),
        ("429", 429, 0),
        ("503", 503, 0),
        ("failed", 500, 1),
        ("timed-out", 504, 1),
        ("invalid", 400, 1),
        ("refused", 400, 1),
    ],
)
def test_faults_speak_its_words(running: Running, fault: str, code: int, accepted: int) -> None:
    prompt = f"a fox [fault:{fault}]"
    reply = call(running, prompt=prompt)
    assert (reply.status_code, reply.json()["statusCode"]) == (code, code)
    assert running.ledger.accepted(prompt) == accepted


def test_a_refused_prompt_is_called_that(running: Running) -> None:
    message = call(running, prompt="a fox [fault:refused]").json()["message"]
    assert message.startswith("content_policy_violation: ")


def test_a_lost_reply_is_an_accepted_call(running: Running) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        call(running, prompt="a fox [fault:lost-reply]")
    assert running.ledger.accepted("a fox [fault:lost-reply]") == 1


def test_a_call_blocks_as_long_as_the_job_takes(sandbox: StartSandbox) -> None:
    running = sandbox(latency=60.0)
    with (
        client(f"{running.url}/aimlapi", "Bearer secret", timeout=0.2) as http,
        pytest.raises(httpx2.ReadTimeout),
    ):
        http.post("/v1/images/generations", json={"model": T2I, "prompt": "a fox"})
    assert running.ledger.accepted("a fox") == 1
