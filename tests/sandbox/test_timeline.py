"""A job as time passes: the queue moves, the log grows, and a cancel comes in time or too late."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.clients import Clock, Queue, fal, ticking
from sandbox.running import Running, StartSandbox

LATENCY = 9.0
"""Three seconds in the queue, six of work."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def running(sandbox: StartSandbox, clock: Clock) -> Running:
    return sandbox(latency=LATENCY, clock=clock)


@pytest.fixture
def queue(running: Running) -> Iterator[Queue]:
    with fal(running.url) as queue:
        yield queue


def seen(queue: Queue, clock: Clock, job: dict[str, Any], *moments: float) -> list[dict[str, Any]]:
    """The status at moments after the submit, each with its HTTP code."""
    born, replies = clock.now, []
    for moment in moments:
        clock.now = born + moment
        reply = queue.http.get(job["status_url"], params={"logs": "1"})
        replies.append(reply.json() | {"code": reply.status_code})
    return replies


def test_a_job_waits_runs_and_is_done(queue: Queue, clock: Clock) -> None:
    replies = seen(queue, clock, queue.job(), 0.0, 2.9, 3.1, 8.9, 9.0)
    assert [(reply["code"], reply["status"]) for reply in replies] == [
        (202, "IN_QUEUE"),
        (202, "IN_QUEUE"),
        (202, "IN_PROGRESS"),
        (202, "IN_PROGRESS"),
        (200, "COMPLETED"),
    ]
    assert replies[-1]["metrics"] == {"inference_time": 6.0}


def test_the_position_counts_down(queue: Queue, clock: Clock) -> None:
    job = queue.job()
    replies = seen(queue, clock, job, 0.5, 1.5, 2.5, 3.5)
    assert job["queue_position"] == 2
    assert [reply.get("queue_position") for reply in replies] == [2, 1, 0, None]


def test_the_log_grows_and_is_told_whole(queue: Queue, clock: Clock) -> None:
    waiting, early, half, done = seen(queue, clock, queue.job(), 1.0, 3.1, 6.1, 9.0)
    lines = [line["message"] for line in half["logs"]]
    assert waiting["logs"] == []
    assert [line["message"] for line in early["logs"]] == ["  0%|          | 0/28"]
    assert lines[-1] == " 43%|####      | 12/28"
    assert done["logs"][: len(lines)] == half["logs"]
    assert done["logs"][-1]["message"] == "100%|##########| 28/28"


@pytest.mark.parametrize(
    ("asked", "told"), [("1", True), ("true", True), ("0", False), ("false", False), (None, False)]
)
def test_the_log_is_told_to_who_asks(
    queue: Queue, clock: Clock, asked: str | None, *, told: bool
) -> None:
    job = queue.job()
    clock.now += LATENCY
    logs = queue.http.get(job["status_url"], params={"logs": asked} if asked else {}).json()["logs"]
    assert (logs is not None) is told


def test_the_result_is_not_there_early(queue: Queue, clock: Clock) -> None:
    job = queue.job()
    early = queue.http.get(job["response_url"])
    clock.now += LATENCY
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress"})
    assert queue.http.get(job["response_url"]).status_code == 200


@pytest.mark.parametrize(
    ("moment", "code", "word"),
    [
        (1.0, 200, "OK"),
        (4.0, 202, "CANCELLATION_REQUESTED"),
        (9.0, 400, "ALREADY_COMPLETED"),
    ],
)
def test_a_cancel_is_answered_by_where_the_job_is(
    queue: Queue, clock: Clock, moment: float, code: int, word: str
) -> None:
    job = queue.job()
    clock.now += moment
    reply = queue.http.put(job["cancel_url"])
    assert (reply.status_code, reply.json()) == (code, {"status": word})


def test_a_cancel_of_nothing_is_not_found(queue: Queue) -> None:
    reply = queue.http.put("/fal-ai/flux-pro/requests/no-such-job/cancel")
    assert (reply.status_code, reply.json()) == (404, {"status": "NOT_FOUND"})


def test_a_cancelled_job_is_completed_without_a_result(queue: Queue) -> None:
    job = queue.job()
    queue.http.put(job["cancel_url"])
    status, result = queue.http.get(job["status_url"]), queue.http.get(job["response_url"])
    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert status.json()["error_type"] == "client_cancelled"
    assert (result.status_code, result.json()["error_type"]) == (499, "client_cancelled")
    assert result.headers["x-fal-error-type"] == "client_cancelled"
    assert queue.http.put(job["cancel_url"]).json() == {"status": "ALREADY_COMPLETED"}


def test_the_stream_tells_every_change_once(sandbox: StartSandbox) -> None:
    ticks = ticking(0.001)
    with fal(sandbox(latency=0.03, clock=lambda: next(ticks)).url) as queue:
        reply = queue.http.get(queue.job()["status_url"] + "/stream", params={"logs": "1"})
    blocks = reply.text.strip().split("\n\n")
    events = [json.loads(block.removeprefix("data: ")) for block in blocks if block[0] != ":"]
    messages = [line["message"] for event in events for line in event["logs"]]

    assert reply.headers["content-type"].startswith("text/event-stream")
    assert ": ping" in blocks
    states = list(dict.fromkeys(event["status"] for event in events))
    assert states == ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]
    assert events[-1]["status"] == "COMPLETED"
    assert len(messages) == len(set(messages)) == 8
