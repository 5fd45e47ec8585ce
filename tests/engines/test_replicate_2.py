"""Replicate's next Python client (2.0, a beta), unchanged but for its URL."""

from collections.abc import Iterator
from importlib.metadata import version
from io import BytesIO
from typing import Any

import pytest

replicate: Any = pytest.importorskip("replicate")
if version("replicate").startswith("1."):
    pytest.skip("replicate 1 is installed, and has another interface", allow_module_level=True)

from PIL import Image  # noqa: E402

from sandbox.clients import client, opened  # noqa: E402
from sandbox.running import Running, StartSandbox  # noqa: E402

PRO = "black-forest-labs/flux-kontext-pro"


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def api(running: Running) -> Iterator[Any]:
    """Its client, which tries nothing again."""
    url = f"{running.url}/replicate/v1"
    with replicate.Replicate(bearer_token="secret", base_url=url, max_retries=0) as made:
        yield made


def create(api: Any, prompt: str = "a fox", **fields: Any) -> Any:
    """A prediction that nobody waits for."""
    return api.models.predictions.create(
        model_owner="black-forest-labs",
        model_name="flux-kontext-pro",
        input={"prompt": prompt, "output_format": "jpg", **fields},
    )


def wide_image() -> bytes:
    """A wide red image."""
    file = BytesIO()
    Image.new("RGB", (420, 180), "red").save(file, "PNG")
    return file.getvalue()


def downloaded(url: str) -> Image.Image:
    with client("") as http:
        return opened(http.get(url).content)


def test_run(api: Any, running: Running) -> None:
    url = api.run(PRO, input={"prompt": "a fox"}, use_file_output=False)
    assert downloaded(url).format == "PNG"
    assert running.ledger.requests[0].headers["authorization"] == "Bearer secret"


def test_create_get_and_cancel(api: Any) -> None:
    made = create(api)
    assert (made.status, made.output, made.data_removed) == ("starting", None, False)
    made = api.predictions.get(prediction_id=made.id)
    assert (made.status, made.error, made.model) == ("succeeded", None, PRO)
    assert made.metrics.total_time == 0
    assert downloaded(made.output).format == "JPEG"
    stuck = create(api, "x [fault:stuck]")
    canceled = api.predictions.cancel(prediction_id=stuck.id)
    assert (canceled.status, canceled.started_at) == ("canceled", None)


def test_an_upload(api: Any) -> None:
    file = api.files.create(content=wide_image())
    assert file.size == len(wide_image())
    made = create(api, input_image=file.urls.get)
    done = api.predictions.get(prediction_id=made.id)
    assert downloaded(done.output).size == (1568, 672)


def test_a_prediction_that_fails(api: Any) -> None:
    made = create(api, "x [fault:refused]")
    failed = api.predictions.get(prediction_id=made.id)
    assert (failed.status, failed.output) == ("failed", None)
    assert failed.error.endswith("(E005)")


@pytest.mark.parametrize(("fault", "status"), [("401", 401), ("402", 402), ("429", 429)])
def test_refusals(api: Any, fault: str, status: int) -> None:
    with pytest.raises(replicate.APIStatusError) as refused:
        create(api, f"x [fault:{fault}]")
    assert refused.value.status_code == status
