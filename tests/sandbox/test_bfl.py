"""Black Forest Labs' tasks: a region in the reply, records of tasks, images with provenance."""

import struct
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from kontext_cli.sandbox.drawing.provenance import STORE
from kontext_cli.sizes import RATIO_SIZES
from samples import image_file
from sandbox.clients import Clock, client, opened
from sandbox.running import Running, StartSandbox

PRO = "/v1/flux-kontext-pro"
FLUX_3 = "/v1/flux-3-image"
UNKNOWN = "764cabcf-b745-4b3e-ae38-1200304cf45b"


@contextmanager
def labs(running: Running) -> Iterator[httpx2.Client]:
    with client(f"{running.url}/bfl") as http:
        http.headers["x-key"] = "secret"
        yield http


@pytest.fixture
def bfl(running: Running) -> Iterator[httpx2.Client]:
    with labs(running) as bfl:
        yield bfl


def submitted(bfl: httpx2.Client, endpoint: str = PRO, **payload: Any) -> dict[str, Any]:
    reply = bfl.post(endpoint, json={"prompt": "a fox", **payload})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def record(bfl: httpx2.Client, endpoint: str = PRO, **payload: Any) -> dict[str, Any]:
    """The record of a task that is done."""
    return dict(bfl.get(submitted(bfl, endpoint, **payload)["polling_url"]).json())


def test_a_submit_names_a_region_and_its_price(bfl: httpx2.Client, running: Running) -> None:
    told = submitted(bfl)
    assert told == {
        "id": told["id"],
        "polling_url": f"{running.url}/bfl/eu/v1/get_result?id={told['id']}",
        "cost": 4.0,
        "input_mp": 0.0,
        "output_mp": 1.0,
    }
    assert [entry.request_id for entry in running.ledger.entries] == [told["id"]]


def test_a_task_from_its_start_to_its_end(sandbox: StartSandbox) -> None:
    clock = Clock()
    with labs(sandbox(latency=10.0, clock=clock)) as bfl:
        told = submitted(bfl, seed=7)
        empty = {"id": told["id"], "result": None, "details": None, "preview": None}
        seen = []
        for moment in (0.0, 5.0, 5.0):
            clock.now += moment
            seen.append(bfl.get(told["polling_url"]).json())
    assert seen[0] == {**empty, "status": "Pending", "progress": None}
    assert seen[1] == {**empty, "status": "Pending", "progress": 0.5}
    done = seen[2]["result"]
    assert (seen[2]["status"], done["seed"], done["prompt"]) == ("Ready", 7, "a fox")
    assert done["duration"] == done["end_time"] - done["start_time"] == 10.0


def test_flux_3_reasons_before_it_generates(sandbox: StartSandbox) -> None:
    clock = Clock()
    with labs(sandbox(latency=10.0, clock=clock)) as bfl:
        url = submitted(bfl, FLUX_3)["polling_url"]
        clock.now += 4.0
        assert bfl.get(url).json()["status"] == "Reasoning"
        clock.now += 4.0
        assert bfl.get(url).json()["status"] == "Generating"


def test_the_global_host_knows_a_task_as_well(bfl: httpx2.Client) -> None:
    task_id = submitted(bfl)["id"]
    assert bfl.get("/v1/get_result", params={"id": task_id}).json()["status"] == "Ready"
    gone = bfl.get("/v1/get_result", params={"id": UNKNOWN})
    assert (gone.status_code, gone.json()["status"]) == (200, "Task not found")
    assert bfl.get("/v1/get_result").json()["detail"][0]["loc"] == ["query", "id"]


@pytest.mark.parametrize(
    ("endpoint", "payload", "kind", "size"),
    [
        (PRO, {}, "PNG", (1024, 1024)),
        (PRO, {"output_format": "jpeg", "aspect_ratio": "21:9"}, "JPEG", RATIO_SIZES["21:9"]),
        ("/v1/flux-2-pro", {}, "JPEG", (1024, 1024)),
        ("/v1/flux-2-flex", {"width": 512, "height": 256, "steps": 9}, "JPEG", (512, 256)),
        (FLUX_3, {"aspect_ratio": "3:4", "resolution": "768sq"}, "PNG", (672, 880)),
    ],
)
def test_an_image_and_its_provenance(
    bfl: httpx2.Client, endpoint: str, payload: Any, kind: str, size: tuple[int, int]
) -> None:
    sample = record(bfl, endpoint, **payload)["result"]["sample"]
    assert "sig=" in sample
    with client("") as http:
        data = http.get(sample).content
    image = opened(data)
    assert (image.format, image.size) == (kind, size)
    assert provenance(data, kind) == STORE
    assert boxes(STORE) == [b"jumb", b"jumd", b"jumb", b"jumd", b"json"]


def provenance(data: bytes, kind: str) -> bytes:
    """The box in a `caBX` chunk after the header of a PNG, or in the first segment of a JPEG."""
    if kind == "PNG":
        length, name = struct.unpack_from(">I4s", data, 33)
        assert name == b"caBX"
        return data[41 : 41 + length]
    marker, length, magic, _, number = struct.unpack_from(">HH2sHI", data, 2)
    assert (marker, magic, number) == (0xFFEB, b"JP", 1)
    return data[14 : 4 + length]


def boxes(data: bytes) -> list[bytes]:
    """The types of the boxes of a JUMBF box, in order; their lengths fill it exactly."""
    found = []
    while data:
        length, kind = struct.unpack_from(">I4s", data)
        assert 8 <= length <= len(data)
        found.append(kind)
        if kind == b"jumb":
            found += boxes(data[8:length])
        data = data[length:]
    return found


@pytest.mark.parametrize(
    ("endpoint", "fields", "size"),
    [
        (PRO, ("input_image", "input_image_2"), RATIO_SIZES["9:16"]),
        ("/v1/flux-2-max", ("input_image", "input_image_8"), (80, 160)),
        (FLUX_3, ("images",), (768, 1360)),
    ],
)
def test_an_edit_takes_its_images_in_plain_base64(
    bfl: httpx2.Client, endpoint: str, fields: tuple[str, ...], size: tuple[int, int]
) -> None:
    tall = b64encode(image_file("png", (90, 160))).decode()
    images = {field: [tall] if field == "images" else tall for field in fields}
    with client("") as http:
        made = opened(http.get(record(bfl, endpoint, **images)["result"]["sample"]).content)
    assert made.size == size
    images = dict.fromkeys(fields, f"data:image/png;base64,{tall}")
    assert record(bfl, endpoint, **images)["status"] == "Error"


@pytest.mark.parametrize(
    ("endpoint", "fields", "place"),
    [
        (PRO, {"safety_tolerance": 7}, "safety_tolerance"),
        (PRO, {"safety_tolerance": "2"}, "safety_tolerance"),
        (PRO, {"aspect_ratio": "5:1"}, "aspect_ratio"),
        (PRO, {"output_format": "jpg"}, "output_format"),
        (PRO, {"prompt": None}, "prompt"),
        ("/v1/flux-2-pro", {"safety_tolerance": 6}, "safety_tolerance"),
        ("/v1/flux-2-pro", {"width": 4096, "height": 4096}, "body"),
        ("/v1/flux-2-flex", {"guidance": 1}, "guidance"),
        (FLUX_3, {"seed": 7}, "seed"),
        (FLUX_3, {"output_format": "png"}, "output_format"),
        (FLUX_3, {"safety_tolerance": 5}, "safety_tolerance"),
        (FLUX_3, {"resolution": "8k"}, "resolution"),
    ],
    ids=str,
)
def test_a_bad_field_is_refused_at_once(
    bfl: httpx2.Client, running: Running, endpoint: str, fields: Any, place: str
) -> None:
    reply = bfl.post(endpoint, json={"prompt": "a fox", **fields})
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"][-1] == place
    assert running.ledger.entries == ()


def test_the_key_is_in_a_header_of_its_own(running: Running) -> None:
    with client(f"{running.url}/bfl", "Bearer secret") as http:
        for reply in (http.post(PRO, json={"prompt": "x"}), http.get("/v1/get_result?id=x")):
            assert (reply.status_code, reply.json()) == (403, {"detail": "Not authenticated"})


def test_what_is_unknown_is_not_found(bfl: httpx2.Client) -> None:
    assert bfl.post("/v1/flux-kontext", json={"prompt": "x"}).json() == {"detail": "Not Found"}
    assert bfl.get(PRO).status_code == 405


@pytest.mark.parametrize(
    ("fault", "status", "detail"),
    [
        ("402", 402, "Insufficient credits"),
        ("403", 403, "Not authenticated - Invalid Authentication"),
        ("429", 429, "Too many active tasks"),
    ],
)
def test_a_submit_is_refused_in_its_words(
    bfl: httpx2.Client, running: Running, fault: str, status: int, detail: str
) -> None:
    reply = bfl.post(PRO, json={"prompt": f"a fox [fault:{fault}]"})
    assert (reply.status_code, reply.json()) == (status, {"detail": detail})
    assert running.ledger.entries == ()


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("refused", "Request Moderated"),
        ("flagged", "Content Moderated"),
        ("failed", "Error"),
        ("invalid", "Error"),
    ],
)
def test_a_task_ends_without_an_image(bfl: httpx2.Client, fault: str, status: str) -> None:
    ended = record(bfl, prompt=f"a fox [fault:{fault}]")
    assert (ended["status"], ended["result"]) == (status, None)
    assert ended["details"]


@pytest.mark.parametrize(
    ("endpoint", "size", "images", "cents"),
    [
        ("/v1/flux-kontext-max", {}, 1, 8.0),
        ("/v1/flux-2-pro", {}, 0, 3.0),
        ("/v1/flux-2-pro", {}, 1, 4.5),
        ("/v1/flux-2-max", {}, 1, 10.0),
        ("/v1/flux-2-flex", {"width": 1824, "height": 1024}, 1, 15.0),
    ],
)
def test_a_price_by_the_megapixel(
    bfl: httpx2.Client, endpoint: str, size: Any, images: int, cents: float
) -> None:
    square = b64encode(image_file("png", (1024, 1024))).decode()
    given = {"input_image": square} if images else {}
    told = submitted(bfl, endpoint, **size, **given)
    assert (told["cost"], told["input_mp"]) == (cents, float(images))


def test_flux_3_tells_its_price_with_the_image(bfl: httpx2.Client) -> None:
    told = submitted(bfl, FLUX_3, resolution="768sq")
    assert told["cost"] is None
    assert bfl.get(told["polling_url"]).json()["cost"] == 4.1
