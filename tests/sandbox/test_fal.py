"""fal's queue: the way of a job from submit to file, and what the queue refuses."""

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.sizes import RATIO_SIZES
from sandbox.clients import GENERATE, Queue, client, fal, opened
from sandbox.running import Running, StartSandbox

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_a_job_goes_from_submit_to_file(queue: Queue, running: Running) -> None:
    job = queue.job(prompt="a fox", seed=42, aspect_ratio="16:9")
    status = queue.http.get(job["status_url"])
    result = queue.http.get(job["response_url"]).json()
    file = queue.http.get(result["images"][0]["url"])

    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert (result["seed"], result["prompt"]) == (42, "a fox")
    assert result["has_nsfw_concepts"] == [False]
    assert result["images"][0]["content_type"] == file.headers["content-type"] == "image/jpeg"
    assert opened(file.content).size == (1392, 752)
    assert running.ledger.accepted("a fox") == 1


def test_the_reply_to_a_submit_is_the_documented_one(queue: Queue, running: Running) -> None:
    job = queue.job()
    own = f"{running.url}/fal/fal-ai/flux-pro/requests/{job['request_id']}"
    assert UUID.fullmatch(job["request_id"])
    assert job == {
        "status": "IN_QUEUE",
        "request_id": job["request_id"],
        "response_url": own,
        "status_url": f"{own}/status",
        "cancel_url": f"{own}/cancel",
        "logs": None,
        "metrics": {},
        "queue_position": 0,
    }


def test_a_submit_may_carry_query_parameters(queue: Queue) -> None:
    query = "fal_webhook=https%3A%2F%2Fexample.com&fal_max_queue_length=3"
    assert queue.http.post(f"/{GENERATE}?{query}", json={"prompt": "x"}).status_code == 200


@pytest.mark.parametrize(("ratio", "size"), RATIO_SIZES.items())
def test_sizes_follow_the_aspect_ratio(queue: Queue, ratio: str, size: tuple[int, int]) -> None:
    image = queue.made(aspect_ratio=ratio)["images"][0]
    assert (image["width"], image["height"]) == size


def test_the_seed_that_was_chosen_makes_the_same_image_again(queue: Queue) -> None:
    chosen = queue.made()
    again = queue.made(seed=chosen["seed"])
    files = [queue.http.get(made["images"][0]["url"]).content for made in (chosen, again)]
    assert files[0] == files[1]


def test_a_seed_may_be_larger_than_any_machine_word(queue: Queue) -> None:
    assert queue.made(seed=15860307465884635512)["seed"] == 15860307465884635512


@pytest.mark.usefixtures("drawings")
def test_several_images_differ(queue: Queue) -> None:
    made = queue.made(num_images=3, output_format="png", aspect_ratio="21:9")
    files = [queue.http.get(image["url"]).content for image in made["images"]]
    assert [opened(file).format for file in files] == ["PNG"] * 3
    assert len(set(files)) == 3
    assert made["has_nsfw_concepts"] == [False] * 3


def test_sync_mode_puts_the_images_into_the_result(queue: Queue) -> None:
    image = queue.made(sync_mode=True, output_format="png")["images"][0]
    head, _, data = image["url"].partition(",")
    file = opened(base64.b64decode(data))
    assert head == "data:image/png;base64"
    assert (file.format, file.size) == ("PNG", (image["width"], image["height"]))


@pytest.mark.parametrize(
    ("fields", "where", "kind"),
    [
        ({"safety_tolerance": 2}, "safety_tolerance", "literal_error"),
        ({"safety_tolerance": "7"}, "safety_tolerance", "literal_error"),
        ({"seed": "42"}, "seed", "int_type"),
        ({"num_images": 5}, "num_images", "less_than_equal"),
        ({"num_images": 0}, "num_images", "greater_than_equal"),
        ({"num_images": "1"}, "num_images", "int_type"),
        ({"guidance_scale": 0.5}, "guidance_scale", "greater_than_equal"),
        ({"guidance_scale": "3"}, "guidance_scale", "float_type"),
        ({"output_format": "jpg"}, "output_format", "literal_error"),
        ({"aspect_ratio": "5:4"}, "aspect_ratio", "literal_error"),
        ({"sync_mode": "yes"}, "sync_mode", "bool_type"),
        ({"prompt": None}, "prompt", "string_type"),
    ],
)
def test_a_bad_field_is_accepted_and_fails_in_the_result(
    queue: Queue, running: Running, fields: dict[str, Any], where: str, kind: str
) -> None:
    job = queue.job(**fields)
    status, result = queue.http.get(job["status_url"]), queue.http.get(job["response_url"])
    problem = result.json()["detail"][0]
    assert (status.status_code, result.status_code) == (200, 422)
    assert (problem["loc"], problem["type"]) == (["body", where], kind)
    assert result.headers["x-fal-billable-units"] == "0"
    assert len(running.ledger.entries) == 1


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 422), (b"[1]", 422), (b'"prompt"', 422), (b"{prompt", 400)]
)
def test_a_body_that_is_no_object_is_refused_at_once(
    queue: Queue, running: Running, content: bytes, status: int
) -> None:
    reply = queue.http.post(f"/{GENERATE}", content=content)
    assert (reply.status_code, list(reply.json())) == (status, ["detail"])
    assert running.ledger.entries == ()


def test_a_body_over_the_limit_is_refused(sandbox: StartSandbox) -> None:
    running = sandbox(max_body=1000)
    with fal(running.url) as queue:
        assert queue.submit(prompt="x" * 1000).status_code == 413
        assert queue.submit(prompt="x" * 900).status_code == 200
    assert len(running.ledger.entries) == 1


@pytest.mark.parametrize("authorization", ["", "Bearer secret", "Key", "secret"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", GENERATE),
        ("GET", "fal-ai/flux-pro/requests/1"),
        ("GET", "fal-ai/flux-pro/requests/1/status"),
        ("GET", "fal-ai/flux-pro/requests/1/status/stream"),
        ("PUT", "fal-ai/flux-pro/requests/1/cancel"),
        ("POST", "storage/upload/initiate"),
    ],
)
def test_only_a_key_opens_the_queue(
    running: Running, authorization: str, method: str, path: str
) -> None:
    with client(f"{running.url}/fal", authorization) as http:
        reply = http.request(method, f"/{path}", json={"prompt": "x"})
    assert reply.status_code == 401
    assert isinstance(reply.json()["detail"], str)
    assert running.ledger.entries == ()


def test_what_is_unknown_is_not_found(queue: Queue) -> None:
    job = queue.job()
    elsewhere = f"/fal-ai/other-app/requests/{job['request_id']}"
    nothing = "/fal-ai/flux-pro/requests/764cabcf-b745-4b3e-ae38-1200304cf45b"
    assert queue.submit("fal-ai/no-such-model").status_code == 404
    for path in (elsewhere, nothing, f"{nothing}/status", f"{nothing}/status/stream"):
        assert queue.http.get(path).status_code == 404


def test_follow_up_urls_with_the_sub_path_are_no_routes(queue: Queue) -> None:
    job = queue.job()
    for kind in ("status_url", "response_url"):
        path = job[kind].replace("/flux-pro/", "/flux-pro/kontext/text-to-image/")
        assert queue.http.get(path).status_code == 405


def test_every_reply_names_a_request(queue: Queue) -> None:
    job = queue.job()
    for kind in ("status_url", "response_url"):
        assert queue.http.get(job[kind]).headers["x-fal-request-id"] == job["request_id"]
    cancelled = queue.http.put(job["cancel_url"])
    assert cancelled.headers["x-fal-request-id"] == job["request_id"]
    for refused in (queue.submit("no/such"), queue.http.get("/x"), queue.http.put(f"/{GENERATE}")):
        assert UUID.fullmatch(refused.headers["x-fal-request-id"])


def test_jobs_in_a_folder_outlive_the_process(sandbox: StartSandbox, tmp_path: Path) -> None:
    with fal(sandbox(folder=tmp_path / "jobs").url) as queue:
        request_id = queue.job(prompt="a fox", seed=5)["request_id"]
    with fal(sandbox(folder=tmp_path / "jobs").url) as later:
        made = later.http.get(f"/fal-ai/flux-pro/requests/{request_id}").json()
        file = later.http.get(made["images"][0]["url"])
    assert (made["prompt"], made["seed"]) == ("a fox", 5)
    assert opened(file.content).size == (1024, 1024)
