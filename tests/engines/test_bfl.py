"""Black Forest Labs' own client `blackforest` 0.1, unchanged, with the sandbox in its place."""

import warnings
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from samples import image_file
from sandbox.clients import Clock, client, opened
from sandbox.running import Running, StartSandbox

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is written for an older pydantic
    blackforest: Any = pytest.importorskip("blackforest")
    ClientConfig: Any = import_module("blackforest.types.general.client_config").ClientConfig

PRO = "flux-kontext-pro"
AT_ONCE: Any = {"sync": True, "polling_interval": 0.1}


@pytest.fixture
def running(sandbox: StartSandbox) -> Running:
    """A sandbox whose jobs are done at once."""
    return sandbox()


@pytest.fixture
def labs(running: Running) -> Iterator[Any]:
    """The client."""
    with official(running) as labs:
        yield labs


@contextmanager
def official(running: Running) -> Iterator[Any]:
    """The client of a sandbox; its session is closed at the end."""
    labs = blackforest.BFLClient(api_key="secret", base_url=f"{running.url}/bfl")
    labs.base_url += "/"  # or it would leave out the last part of the path
    yield labs
    labs.session.close()


def fetched(url: str) -> Any:
    with client("") as http:
        return opened(http.get(url).content)


def test_generate(labs: Any, running: Running) -> None:
    inputs = {"prompt": "a fox", "seed": 7, "aspect_ratio": "16:9", "output_format": "jpeg"}
    made = labs.generate(PRO, inputs, ClientConfig(**AT_ONCE))
    image = fetched(made.result["sample"])
    assert (image.format, image.size, made.result["seed"]) == ("JPEG", (1392, 752), 7)
    (entry,) = running.ledger.entries
    assert (entry.request_id, entry.endpoint) == (made.id, f"v1/{PRO}")
    asked = [seen for seen in running.ledger.requests if seen.path.startswith("/bfl/")]
    assert {seen.headers["x-key"] for seen in asked} == {"secret"}


def test_its_own_default_is_png(labs: Any) -> None:
    made = labs.generate(PRO, {"prompt": "a fox"}, ClientConfig(**AT_ONCE))
    assert fetched(made.result["sample"]).format == "PNG"


def test_edit_of_files_and_of_base64(labs: Any, tmp_path: Path, running: Running) -> None:
    tall = image_file("png", (450, 800))
    (tmp_path / "in.png").write_bytes(tall)
    inputs = {
        "prompt": "make it winter",
        "input_image": str(tmp_path / "in.png"),
        "input_image_2": b64encode(tall).decode(),
    }
    made = labs.generate(PRO, inputs, ClientConfig(**AT_ONCE))
    assert fetched(made.result["sample"]).size == (752, 1392)
    sent = running.ledger.entries[0].payload
    assert sent["input_image"] == sent["input_image_2"] == b64encode(tall).decode()


def test_a_task_is_polled_where_the_reply_says(sandbox: StartSandbox) -> None:
    clock = Clock()
    running = sandbox(latency=10.0, clock=clock)
    with official(running) as labs:
        told = labs.generate(PRO, {"prompt": "a fox"}, ClientConfig(sync=False))
        assert told.polling_url.startswith(f"{running.url}/bfl/eu/v1/get_result?id=")
        assert labs.get_task_status(told.id).status == "Pending"
        clock.now += 10.0
        done = labs.get_task_status(told.id)
    assert (done.status, done.result["prompt"]) == ("Ready", "a fox")
    assert running.ledger.requests[-1].path == "/bfl/eu/v1/get_result"


@pytest.mark.parametrize(
    ("fault", "status"), [("refused", "Request Moderated"), ("flagged", "Content Moderated")]
)
def test_what_was_moderated(labs: Any, fault: str, status: str) -> None:
    told = labs.generate(PRO, {"prompt": f"a fox [fault:{fault}]"}, ClientConfig(sync=False))
    assert labs.get_task_status(told.id).status == status


@pytest.mark.parametrize(("fault", "code"), [("402", "402"), ("403", "403"), ("429", "429")])
def test_a_refusal_is_raised(labs: Any, running: Running, fault: str, code: str) -> None:
    with pytest.raises(blackforest.BFLError, match=code):
        labs.generate(PRO, {"prompt": f"a fox [fault:{fault}]"}, ClientConfig(sync=False))
    assert running.ledger.entries == ()
