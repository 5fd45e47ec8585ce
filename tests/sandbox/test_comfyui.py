"""ComfyUI as the sandbox emulates it: what its server answers was seen at the real one (0.3.64)."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx2
import pytest
from PIL import Image

from kontext_cli.providers.dialects.kontext_workflows import GENERATE
from samples import image_file
from sandbox.clients import Clock, client
from sandbox.running import Running, StartSandbox

ID = "9d2b3c1e-0000-4000-8000-000000000000"
EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 48, "batch_size": 1}}
EMPTY["inputs"]["color"] = 0  # type: ignore[index]


def saved(name: str = "a", prefix: str = "x") -> dict[str, Any]:
    return {"class_type": "SaveImage", "inputs": {"images": [name, 0], "filename_prefix": prefix}}


def preview(name: str = "a") -> dict[str, Any]:
    return {"class_type": "PreviewImage", "inputs": {"images": [name, 0]}}


PLAIN: dict[str, Any] = {"a": EMPTY, "s": saved()}


@pytest.fixture
def api(running: Running) -> Iterator[httpx2.Client]:
    """A client of a server whose jobs are done at once."""
    with client(f"{running.url}/comfyui") as http:
        yield http


def submit(api: httpx2.Client, graph: Any = PLAIN, **fields: Any) -> httpx2.Response:
    return api.post("/prompt", json={"prompt": graph, **fields})


def entry(api: httpx2.Client, name: str = ID) -> Any:
    return api.get(f"/history/{name}").json().get(name)


def upload(api: httpx2.Client, content: bytes, name: str = "a.png", **form: str) -> httpx2.Response:
    return api.post("/upload/image", files={"image": (name, content, "image/png")}, data=form)


def test_an_image_is_made_under_the_id_of_the_client(api: httpx2.Client, running: Running) -> None:
    answer = submit(api, {**PLAIN, "p": preview()}, prompt_id=ID).json()
    assert answer == {"prompt_id": ID, "number": 1, "node_errors": {}}
    made = entry(api)
    assert made["status"]["status_str"] == "success"
    ((image,), (temporary,)) = (made["outputs"][node]["images"] for node in "sp")
    assert (image["type"], image["subfolder"], temporary["type"]) == ("output", "", "temp")
    file = api.get("/view", params=image)
    assert Image.open(BytesIO(file.content)).size == (64, 48)
    assert running.ledger.entries[0].request_id == ID


def test_a_server_chooses_an_id_where_the_client_has_none(api: httpx2.Client) -> None:
    name = submit(api).json()["prompt_id"]
    assert entry(api, name)["prompt"][1] == name


def test_an_id_that_comes_twice_runs_twice(api: httpx2.Client, running: Running) -> None:
    for _ in range(2):
        submit(api, prompt_id=ID)
    assert len(running.ledger.entries) == 2
    assert [*api.get("/history").json()] == [ID]


def test_a_job_is_on_the_list_or_in_the_history(sandbox: StartSandbox) -> None:
    clock = Clock()
    running = sandbox(latency=30.0, clock=clock)
    with client(f"{running.url}/comfyui") as api:
        submit(api, prompt_id=ID)
        found = []
        for seconds in (0, 12, 20):
            clock.now += seconds
            listed = api.get("/queue").json()
            left = api.get("/prompt").json()["exec_info"]["queue_remaining"]
            waiting, at_work = (listed[f"queue_{name}"] for name in ("pending", "running"))
            found.append((len(waiting), len(at_work), left, entry(api) is not None))
    assert found == [(1, 0, 1, False), (0, 1, 1, False), (0, 0, 0, True)]


def test_what_waits_is_deleted_and_what_runs_is_interrupted(sandbox: StartSandbox) -> None:
    clock = Clock()
    running = sandbox(latency=30.0, clock=clock)
    with client(f"{running.url}/comfyui") as api:
        submit(api, prompt_id="a")
        api.post("/interrupt", json={"prompt_id": "a"})  # it does not run
        submit(api, prompt_id="b")
        api.post("/queue", json={"delete": ["b", "none"]})
        clock.now += 12
        api.post("/queue", json={"delete": ["a"]})  # it waits no more
        assert [job[1] for job in api.get("/queue").json()["queue_running"]] == ["a"]
        api.post("/interrupt", json={"prompt_id": "a"})
        assert (entry(api, "b"), entry(api, "a")["status"]["status_str"]) == (None, "error")
        assert entry(api, "a")["status"]["messages"][0][0] == "execution_interrupted"


def test_an_upload_of_the_same_content_adds_nothing(api: httpx2.Client) -> None:
    red, blue = image_file("png"), image_file("png", (9, 9))
    names = [upload(api, each, subfolder="k").json()["name"] for each in (red, red, blue)]
    assert names == ["a.png", "a.png", "a (1).png"]
    assert upload(api, red, "b.png").json() == {"name": "b.png", "subfolder": "", "type": "input"}


@pytest.mark.parametrize(("name", "folder"), [("../a.png", ""), ("a.png", "../x"), ("", "k")])
def test_an_upload_that_leaves_its_folder(api: httpx2.Client, name: str, folder: str) -> None:
    assert upload(api, b"x", name, subfolder=folder).status_code in (400, 422)


@pytest.mark.parametrize(
    ("graph", "kind", "message"),
    [
        ({"1": {"class_type": "Nope", "inputs": {}}}, "invalid_prompt", "node Nope does not exist"),
        ({"nodes": []}, "invalid_prompt", "missing the class_type"),
        ({"a": {"class_type": "SaveImage"}}, "invalid_prompt", "missing the class_type"),
        ({"a": {"class_type": "SaveImage", "inputs": 7}}, "invalid_prompt", "class_type"),
        ({"a": EMPTY}, "prompt_no_outputs", "no outputs"),
    ],
)
def test_a_graph_that_is_none(api: httpx2.Client, graph: Any, kind: str, message: str) -> None:
    reply = submit(api, graph)
    assert (reply.status_code, reply.json()["error"]["type"]) == (400, kind)
    assert message in reply.json()["error"]["message"]


@pytest.mark.parametrize("link", [[], {}, [[], 0], [{}, 0], ["none", 0], None, "a"])
def test_links_that_lead_nowhere_break_nothing(api: httpx2.Client, link: Any) -> None:
    inputs = {**saved()["inputs"], "images": link}
    graph = {**PLAIN, "s": {"class_type": "SaveImage", "inputs": inputs}}
    assert submit(api, graph).status_code in (200, 400)


def test_no_graph(api: httpx2.Client) -> None:
    assert api.post("/prompt", json={"nodes": []}).json()["error"]["type"] == "no_prompt"


def test_a_node_with_a_fault_is_named(api: httpx2.Client) -> None:
    graph = GENERATE.filled({"prompt": "x"})
    graph["vae"]["inputs"]["vae_name"] = "mine.safetensors"
    del graph["sampler"]["inputs"]["seed"]
    errors = submit(api, graph).json()["node_errors"]
    details = {name: node["errors"][0]["details"] for name, node in errors.items()}
    assert details["sampler"] == "seed"
    assert details["vae"].startswith("vae_name: 'mine.safetensors' not in ['ae.safetensors'")


def test_a_graph_is_accepted_where_one_output_is_sound(api: httpx2.Client) -> None:
    broken = {"class_type": "LoadImage", "inputs": {"image": "none.png"}}
    reply = submit(api, {**PLAIN, "l": broken, "q": saved("l")}, prompt_id=ID)
    assert [*reply.json()["node_errors"]] == ["l"]
    assert [*entry(api)["outputs"]] == ["s"]


@pytest.mark.parametrize(
    ("query", "status"),
    [({"filename": "../x"}, 400), ({"filename": "none.png"}, 404), ({}, 400)],
)
def test_a_file_that_is_not_there(api: httpx2.Client, query: Any, status: int) -> None:
    assert api.get("/view", params=query).status_code == status


def test_what_the_server_is(api: httpx2.Client) -> None:
    assert api.get("/features").json()["max_upload_size"] == 104_857_600
    assert api.get("/system_stats").json()["system"]["comfyui_version"] == "0.3.64"
