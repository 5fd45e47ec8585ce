"""The gateway: Bearer keys, fal's host in its replies, a result pending in four ways."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sandbox.clients import GENERATE, PRO, Clock, Queue, client, opened
from sandbox.running import Running, StartSandbox


@contextmanager
def gateway(running: Running) -> Iterator[Queue]:
    with client(f"{running.url}/chainhub", "Bearer secret") as http:
        yield Queue(http)


@pytest.fixture
def hub(running: Running) -> Iterator[Queue]:
    with gateway(running) as hub:
        yield hub


def path(job: dict[str, Any], app: str = "flux-pro") -> str:
    return f"/fal-ai/{app}/requests/{job['request_id']}"


def test_the_reply_names_a_host_that_is_not_the_gateways(hub: Queue) -> None:
    job = hub.job()
    foreign = f"https://queue.fal.run{path(job)}"
    assert job == {
        "status": "IN_QUEUE",
        "request_id": job["request_id"],
        "response_url": foreign,
        "status_url": f"{foreign}/status",
        "cancel_url": f"{foreign}/cancel",
        "logs": None,
        "metrics": {},
        "queue_position": 0,
    }


def test_the_result_echoes_the_request(hub: Queue, running: Running) -> None:
    result = hub.http.get(path(hub.job(prompt="a fox", aspect_ratio="4:3"))).json()
    image = result["images"][0]
    assert result["request"] == {"prompt": "a fox", "aspect_ratio": "4:3"}
    assert image["url"].startswith(f"{running.url}/files/")
    assert opened(hub.http.get(image["url"]).content).size == (1184, 880)
    assert [entry.dialect for entry in running.ledger.entries] == ["chainhub"]


def test_the_result_is_also_found_under_auto(hub: Queue) -> None:
    job = hub.job()
    assert hub.http.get(path(job, "auto")).status_code == 200
    assert hub.http.get(path(job, "other")).status_code == 404


def test_numbers_may_be_text_and_fields_unknown(hub: Queue) -> None:
    job = hub.job(num_images="2", guidance_scale="3.5", output_format="default", colour="red")
    assert len(hub.http.get(path(job)).json()["images"]) == 2


def test_a_bad_field_fails_in_the_result(hub: Queue) -> None:
    reply = hub.http.get(path(hub.job(safety_tolerance="9")))
    assert (reply.status_code, reply.json()["detail"][0]["type"]) == (422, "literal_error")


@pytest.mark.parametrize(
    ("pending", "code", "body"),
    [
        ("detail", 400, {"detail": "Request is still in progress"}),
        ("status", 200, {"status": "IN_QUEUE", "request_id": "ID", "queue_position": 2}),
        ("failed-word", 200, {"status": "FAILED", "error": "Request is still in progress"}),
        ("202", 202, {"request_id": "ID"}),
    ],
)
def test_a_pending_result_has_one_of_four_forms(
    sandbox: StartSandbox, pending: str, code: int, body: dict[str, Any]
) -> None:
    clock = Clock()
    with gateway(sandbox(latency=9.0, clock=clock, chainhub_pending=pending)) as hub:
        job = hub.job()
        early = hub.http.get(path(job))
        clock.now += 9.0
        late = hub.http.get(path(job))
    wanted = {key: job["request_id"] if value == "ID" else value for key, value in body.items()}
    assert (early.status_code, early.json()) == (code, wanted)
    assert (late.status_code, len(late.json()["images"])) == (200, 1)


def test_the_status_route_speaks_fals_words(hub: Queue) -> None:
    job = hub.job()
    status = hub.http.get(f"{path(job)}/status", params={"logs": "1"})
    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert status.json()["response_url"].startswith("https://queue.fal.run/")
    assert status.json()["logs"]
    assert hub.http.put(f"{path(job)}/cancel").json() == {"status": "ALREADY_COMPLETED"}


def test_the_status_route_may_be_missing(sandbox: StartSandbox) -> None:
    with gateway(sandbox(chainhub_status=False)) as hub:
        job = hub.job()
        assert hub.http.get(f"{path(job)}/status").status_code == 404
        assert hub.http.put(f"{path(job)}/cancel").status_code == 404
        assert hub.http.get(path(job)).status_code == 200


@pytest.mark.parametrize("authorization", ["", "Key secret", "Bearer"])
def test_only_a_bearer_key_opens_it(running: Running, authorization: str) -> None:
    refusal = {"message": "invalid token", "type": "new_api_error", "code": "", "param": ""}
    with client(f"{running.url}/chainhub", authorization) as http:
        replies = [
            http.post(f"/{GENERATE}", json={"prompt": "x"}),
            http.get("/fal-ai/flux-pro/requests/1"),
            http.get("/fal-ai/flux-pro/requests/1/status"),
        ]
    assert [reply.status_code for reply in replies] == [401] * 3
    assert [reply.json() for reply in replies] == [{"error": refusal}] * 3


def test_there_is_one_endpoint(hub: Queue) -> None:
    assert hub.submit(PRO, image_url="https://example.com/a.png").status_code == 404


def test_jobs_of_fal_are_not_the_gateways(hub: Queue, queue: Queue) -> None:
    assert hub.http.get(path(queue.job())).status_code == 404


def test_faults_speak_the_gateways_words(hub: Queue, running: Running) -> None:
    busy = hub.submit(prompt="a fox [fault:429]")
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "1")
    assert busy.json()["error"]["type"] == "new_api_error"
    assert running.ledger.entries == ()
    broken = hub.http.get(path(hub.job(prompt="[fault:failed]")))
    assert (broken.status_code, broken.json()["error_type"]) == (500, "internal_error")
