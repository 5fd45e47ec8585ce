"""Together's one call, and the router in front of it and of others."""

from typing import Any

import httpx2
import pytest

from sandbox.clients import client
from sandbox.running import Running

PRO = "black-forest-labs/FLUX.1-kontext-pro"
DEV = "fal-ai/fal-ai/flux-kontext/dev"
SOURCE = "https://example.com/in.png"


def call(running: Running, /, key: str = "Bearer secret", **payload: Any) -> httpx2.Response:
    """One call; a model and a prompt are added where there are none."""
    with client(f"{running.url}/together", key) as http:
        body = {"model": PRO, "prompt": "a fox", **payload}
        return http.post("/v1/images/generations", json=body)


def routed(running: Running, path: str, key: str = "Bearer hf_secret") -> httpx2.Response:
    """A submit through the router."""
    with client(f"{running.url}/huggingface", key) as http:
        return http.post(f"/{path}", json={"prompt": "a fox", "image_url": SOURCE})


def test_links_by_default_and_base64_where_asked_for(running: Running) -> None:
    (link,) = call(running).json()["data"]
    assert (link["type"], "/together/imgproxy/" in link["url"]) == ("url", True)
    (inline,) = call(running, response_format="base64").json()["data"]
    assert (inline["type"], "url" in inline) == ("b64_json", False)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"n": 0}, 400),
        ({"steps": 51}, 400),
        ({"aspect_ratio": "1:1", "width": 512}, 400),
        ({"reference_images": [SOURCE]}, 400),
        ({"model": "nobody/none"}, 404),
    ],
)
def test_what_does_not_fit(running: Running, fields: dict[str, Any], status: int) -> None:
    refused = call(running, **fields)
    error = refused.json()["error"]
    assert (refused.status_code, error["type"]) == (status, "invalid_request_error")
    assert not running.ledger.entries


def test_the_key_is_needed(running: Running) -> None:
    assert call(running, key="").status_code == 401
    assert routed(running, f"{DEV}?_subdomain=queue", key="").status_code == 401
    assert routed(running, f"{DEV}?_subdomain=queue", key="Key hf_secret").status_code == 401


def test_the_router_names_the_host_of_the_queue(running: Running) -> None:
    body = routed(running, f"{DEV}?_subdomain=queue").json()
    job = f"https://queue.fal.run/fal-ai/flux-kontext/requests/{body['request_id']}"
    assert body["response_url"] == job


@pytest.mark.parametrize("path", [DEV, "nscale/any/model", "fal-ai/flux-kontext/dev"])
def test_a_path_that_leads_nowhere(running: Running, path: str) -> None:
    assert routed(running, path).status_code == 404
    assert not running.ledger.entries
