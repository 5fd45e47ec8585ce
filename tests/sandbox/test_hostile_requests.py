"""Whatever a request holds, the answer is one of the provider's own, and never a 500."""

import json
from typing import Any

import pytest

from sandbox.clients import GENERATE, PRO, Queue, client
from sandbox.running import Running

HALF = r'"half of a pair: \ud800"'
BODIES: dict[str, str | bytes] = {
    "prompt": f'{{"prompt": {HALF}}}',
    "field": f'{{"prompt": "a fox", {HALF}: 1}}',
    "value": f'{{"prompt": "a fox", "aspect_ratio": {HALF}}}',
    "number": f'{{"prompt": "a fox", "seed": {HALF}}}',
    "list": f'{{"prompt": [{HALF}]}}',
    "bytes": b'{"prompt": "\xed\xa0\x80"}',
    "null": r'{"prompt": "\u0000"}',
}


def replies(running: Running, body: str | bytes) -> list[Any]:
    """A body sent to each provider, and the result of each job that this makes."""
    body = body if isinstance(body, bytes) else body.encode()
    came = []
    for name, scheme, path in (("fal", "Key", GENERATE), ("chainhub", "Bearer", GENERATE)):
        with client(f"{running.url}/{name}", f"{scheme} secret") as http:
            came.append(http.post(f"/{path}", content=body))
            if came[-1].is_success:
                job = f"/fal-ai/flux-pro/requests/{came[-1].json()['request_id']}"
                came.append(http.get(job))
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        model = b'{"model": "flux/kontext-pro/text-to-image", '
        came.append(http.post("/v1/images/generations", content=model + body[1:]))
    with client(f"{running.url}/replicate", "Bearer secret") as http:
        path = "/v1/models/black-forest-labs/flux-kontext-pro/predictions"
        came.append(http.post(path, content=b'{"input": ' + body + b"}"))
    return came


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_half_a_character(running: Running, body: str | bytes) -> None:
    came = replies(running, body)
    assert [reply.status_code for reply in came if reply.status_code >= 500] == []
    for reply in came:
        assert isinstance(reply.json(), dict)
    with client(running.url) as http:
        assert http.get("/ledger").status_code == 200


def test_half_a_character_comes_back_whole(queue: Queue, running: Running) -> None:
    prompt = json.loads(HALF)
    made = queue.http.post(f"/{GENERATE}", content=BODIES["prompt"]).json()
    assert queue.http.get(made["response_url"]).json()["prompt"] == prompt
    with client(running.url) as http:
        assert http.get("/ledger").json()["by_prompt"] == {prompt: 1}


@pytest.mark.parametrize("model", [r"\ud800", r"flux\u0000"])
def test_a_model_that_is_none(running: Running, model: str) -> None:
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        body = f'{{"model": "{model}", "prompt": "a fox"}}'
        assert http.post("/v1/images/generations", content=body).status_code == 404


@pytest.mark.parametrize(
    "value",
    ["NaN", "-Infinity", "1e999", "1" * 5_000, "[" * 100_000 + "]" * 100_000],
    ids=["nan", "infinity", "exponent", "digits", "depth"],
)
def test_what_json_cannot_say_again_is_refused(running: Running, value: str) -> None:
    came = replies(running, f'{{"prompt": "a fox", "guidance_scale": {value}}}')
    assert [reply.status_code for reply in came] == [400, 400, 400, 400]
    assert running.ledger.entries == ()


@pytest.mark.parametrize("times", ["", "x", "**2", "1" * 5_000])
def test_a_marker_that_is_misspelled_is_not_passed_over(
    queue: Queue, running: Running, times: str
) -> None:
    reply = queue.submit(prompt=f"a fox [fault:429*{times}]")
    assert (reply.status_code, "has no fault" in reply.text) == (400, True)
    assert running.ledger.entries == ()


@pytest.mark.parametrize(
    "source", ["http://[", "data:image/png;base64,é", r"\ud800", "data:,", r"https://\ud800/"]
)
def test_an_input_that_is_rubbish(queue: Queue, source: str) -> None:
    body = f'{{"prompt": "a fox", "image_url": "{source}"}}'
    made = queue.http.post(f"/{PRO}", content=body.encode()).json()
    assert queue.http.get(made["response_url"]).status_code in {200, 422}
