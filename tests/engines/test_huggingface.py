"""Hugging Face's own Python client, unchanged. Its URLs are fixed: the transport of its HTTP
client, which users may choose, leads those of the router and of the Hub to the sandbox."""

from collections.abc import Iterator
from typing import Any

import pytest

hub: Any = pytest.importorskip("huggingface_hub")
utils: Any = pytest.importorskip("huggingface_hub.utils")
httpx2: Any = pytest.importorskip("httpx2")

from samples import image_file  # noqa: E402
from sandbox.running import Running, StartSandbox  # noqa: E402

MODEL = "black-forest-labs/FLUX.1-Kontext-dev"
HOSTS = ("fal-ai", "replicate", "together")
SEVERAL: dict[str, Any] = {"guidance_scale": 2.5, "num_inference_steps": 28}


class ToSandbox(httpx2.HTTPTransport):  # type: ignore[misc]
    """Connections that end at the sandbox; ``asked`` are the URLs as the client wrote them."""

    def __init__(self, running: Running) -> None:
        super().__init__()
        self.running = running
        self.asked: list[str] = []

    def handle_request(self, request: Any) -> Any:
        url = str(request.url)
        self.asked.append(url)
        for host in ("https://router.huggingface.co", "https://huggingface.co"):
            if url.startswith(host):
                target = httpx2.URL(f"{self.running.url}/huggingface{url.removeprefix(host)}")
                request.url = target
                request.headers["host"] = target.netloc.decode()
        return super().handle_request(request)


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def way(running: Running) -> Iterator[ToSandbox]:
    """The client's way to the sandbox."""
    made = ToSandbox(running)
    utils.set_client_factory(lambda: httpx2.Client(transport=made))
    yield made
    utils.close_session()


def edited(host: str, prompt: str = "make it blue", **fields: Any) -> Any:
    api = hub.InferenceClient(provider=host, api_key="hf_secret")
    image = image_file("png", (420, 180))
    return api.image_to_image(image, prompt=prompt, model=MODEL, **fields)


@pytest.mark.parametrize("host", HOSTS)
def test_an_edit(way: ToSandbox, host: str) -> None:
    image = edited(host)
    assert image.width > image.height
    (entry,) = way.running.ledger.entries
    assert entry.prompt == "make it blue"
    asked = [seen for seen in way.running.ledger.requests if f"/{host}/" in seen.path]
    assert {seen.headers["authorization"] for seen in asked} == {"Bearer hf_secret"}


def test_the_calls_of_the_queue(way: ToSandbox) -> None:
    edited("fal-ai")
    (request_id,) = (entry.request_id for entry in way.running.ledger.entries)
    router = "https://router.huggingface.co/fal-ai/fal-ai/flux-kontext"
    job = f"{router}/requests/{request_id}"
    assert [url for url in way.asked if "router" in url] == [
        f"{router}/dev?_subdomain=queue",
        f"{job}/status?_subdomain=queue",
        f"{job}?_subdomain=queue",
    ]


def test_fields(way: ToSandbox) -> None:
    edited("fal-ai", **SEVERAL)
    edited("together", **SEVERAL)
    first, second = (entry.payload for entry in way.running.ledger.entries)
    assert first["image_urls"] == [first["image_url"]]
    assert first["num_inference_steps"] == second["steps"] == 28
    assert (second["response_format"], "reference_images" in second) == ("base64", False)


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize(("fault", "status"), [("401", 401), ("402", 402), ("429", 429)])
def test_errors(way: ToSandbox, host: str, fault: str, status: int) -> None:
    with pytest.raises(utils.HfHubHTTPError) as refused:
        edited(host, f"[fault:{fault}] x")
    assert refused.value.response.status_code == status
    assert not way.running.ledger.entries
