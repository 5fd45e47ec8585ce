"""fal's own Python client, unchanged but for its URLs: each answer is what fal documents."""

from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from fal_client import Completed, FalClientHTTPError, InProgress, Queued
from PIL import Image, ImageDraw, ImageStat

from kontext_cli.sizes import RATIO_SIZES
from sandbox.clients import GENERATE, PRO, Clock, client, opened, ticking
from sandbox.official import Client, official
from sandbox.running import StartSandbox

LATENCY = 9.0
"""Three seconds in the queue, six of work."""
LEVELS = {"STDERR", "STDOUT", "ERROR", "INFO", "WARN", "DEBUG"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fal(sandbox: StartSandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The client of a sandbox whose clock stands still."""
    with official(sandbox(latency=LATENCY, clock=clock), monkeypatch) as fal:
        yield fal


@pytest.fixture
def moving(sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """The client of a sandbox where every look at the clock takes half a second."""
    ticks = ticking(0.5)
    with official(sandbox(latency=LATENCY, clock=lambda: next(ticks)), monkeypatch) as moving:
        yield moving


def red_and_blue() -> bytes:
    """A wide image, its left half red, its right half blue."""
    image = Image.new("RGB", (420, 180), "red")
    ImageDraw.Draw(image).rectangle((210, 0, 420, 180), fill="blue")
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def redness(image: Image.Image, *, left: float, right: float) -> float:
    """How much more red than blue there is between two shares of the width."""
    box = (round(image.width * left), 200, round(image.width * right), 400)
    red, _, blue = ImageStat.Stat(image.convert("RGB").crop(box)).mean
    return red - blue


def test_submit(fal: Client) -> None:
    handle = fal.submit(GENERATE, {"prompt": "a fox", "seed": 7})
    own = f"{fal.running.url}/fal/fal-ai/flux-pro/requests/{handle.request_id}"
    reply: dict[str, Any] = {
        "status": "IN_QUEUE",
        "request_id": handle.request_id,
        "response_url": own,
        "status_url": f"{own}/status",
        "cancel_url": f"{own}/cancel",
        "logs": None,
        "metrics": {},
        "queue_position": 2,
    }
    assert fal.last == (200, reply)
    assert (handle.response_url, handle.status_url, handle.cancel_url) == (
        own,
        f"{own}/status",
        f"{own}/cancel",
    )
    assert fal.replies[0].headers["x-fal-request-id"] == handle.request_id
    assert fal.running.ledger.requests[0].headers["authorization"] == "Key secret"


def test_the_client_builds_the_urls_that_the_queue_names(fal: Client) -> None:
    named = fal.submit(GENERATE, {"prompt": "a fox"})
    assert fal.get_handle(GENERATE, named.request_id) == named


def test_status_with_logs(fal: Client, clock: Clock) -> None:
    handle = fal.submit(GENERATE, {"prompt": "a fox"})
    links = {
        "request_id": handle.request_id,
        "response_url": handle.response_url,
        "status_url": handle.status_url,
        "cancel_url": handle.cancel_url,
    }

    assert handle.status(with_logs=True) == Queued(position=2)
    queued = {"status": "IN_QUEUE", **links, "queue_position": 2, "logs": [], "metrics": {}}
    assert fal.last == (202, queued)

    clock.now += LATENCY / 2
    running = handle.status(with_logs=True)
    assert isinstance(running, InProgress)
    assert running.logs
    assert fal.last == (
        202,
        {"status": "IN_PROGRESS", **links, "logs": running.logs, "metrics": {}},
    )

    clock.now += LATENCY / 2
    done = handle.status(with_logs=True)
    assert isinstance(done, Completed)
    assert (done.metrics, done.error, done.error_type) == ({"inference_time": 6.0}, None, None)
    assert done.logs
    assert done.logs[: len(running.logs)] == running.logs
    for line in done.logs:
        assert sorted(line) == ["labels", "level", "message", "source", "timestamp"]
        assert isinstance(line["message"], str)
        assert (line["level"] in LEVELS, line["source"], line["labels"]) == (True, "USER", {})
        assert datetime.fromisoformat(line["timestamp"]).tzinfo is None
    assert fal.last == (
        200,
        {"status": "COMPLETED", **links, "logs": done.logs, "metrics": done.metrics},
    )


def test_status_without_logs(fal: Client, clock: Clock) -> None:
    request_id = fal.submit(GENERATE, {"prompt": "a fox"}).request_id
    clock.now += LATENCY / 2
    assert fal.status(GENERATE, request_id) == InProgress(logs=None)
    clock.now += LATENCY / 2
    assert fal.status(GENERATE, request_id) == Completed(logs=None, metrics={"inference_time": 6.0})


def test_iter_events(moving: Client) -> None:
    handle = moving.submit(GENERATE, {"prompt": "a fox"})
    events = list(handle.iter_events(with_logs=True, interval=0))
    positions = [event.position for event in events if isinstance(event, Queued)]
    told = [len(event.logs or []) for event in events if isinstance(event, InProgress)]
    assert positions == sorted(positions, reverse=True)
    assert (positions[-1], told) == (0, sorted(told))
    assert [type(event) for event in events] == [
        *[Queued] * len(positions),
        *[InProgress] * len(told),
        Completed,
    ]


def test_result(fal: Client, clock: Clock) -> None:
    wish = {"prompt": "a fox", "seed": 15860307465884635512, "num_images": 2}
    handle = fal.submit(GENERATE, {**wish, "aspect_ratio": "16:9", "output_format": "png"})
    clock.now += LATENCY
    made = handle.get(interval=0)
    files = f"{fal.running.url}/files/{handle.request_id}"
    width, height = RATIO_SIZES["16:9"]
    shape = {"width": width, "height": height, "content_type": "image/png"}
    assert made == {
        "images": [{"url": f"{files}/{number}.png", **shape} for number in (1, 2)],
        "timings": {"inference": 6.0},
        "seed": 15860307465884635512,
        "has_nsfw_concepts": [False, False],
        "prompt": "a fox",
    }
    assert fal.last == (200, made)
    assert fal.result(GENERATE, handle.request_id) == made
    with client("") as http:
        file = opened(http.get(made["images"][1]["url"]).content)
    assert (file.format, file.size) == ("PNG", (width, height))


@pytest.mark.parametrize(
    ("endpoint", "wish", "size", "told"),
    [
        (
            "fal-ai/flux-2-flex",
            {"image_size": {"width": 1312, "height": 736}, "num_inference_steps": 40, "seed": 7},
            (1312, 736),
            {"images", "seed"},
        ),
        (
            "blackforestlabs/flux-3/edit-image",
            {"image_urls": ["UPLOADED", "UPLOADED"], "resolution": "2k", "safety_tolerance": 0},
            (3136, 1344),
            {"images"},
        ),
    ],
)
def test_flux_2_and_flux_3(
    fal: Client, clock: Clock, endpoint: str, wish: Any, size: tuple[int, int], told: set[str]
) -> None:
    if "image_urls" in wish:
        url = fal.upload(red_and_blue(), "image/png", "a.png")
        wish = wish | {"image_urls": [url] * len(wish["image_urls"])}
    handle = fal.submit(endpoint, {"prompt": "a fox", **wish})
    app = "/".join(endpoint.split("/")[:2])
    assert handle.status_url == (f"{fal.running.url}/fal/{app}/requests/{handle.request_id}/status")
    assert fal.get_handle(endpoint, handle.request_id) == handle
    clock.now += LATENCY
    made = handle.get(interval=0)
    assert made.keys() == told
    [image] = made["images"]
    with client("") as http:
        file = opened(http.get(image["url"]).content)
    assert file.size == (image["width"], image["height"]) == size


def test_subscribe(moving: Client) -> None:
    ids: list[str] = []
    updates: list[Any] = []
    made = moving.subscribe(
        GENERATE,
        {"prompt": "a fox", "sync_mode": True},
        interval=0,
        with_logs=True,
        on_enqueue=ids.append,
        on_queue_update=updates.append,
    )
    assert made["images"][0]["url"].startswith("data:image/jpeg;base64,")
    assert [entry.request_id for entry in moving.running.ledger.entries] == ids
    assert isinstance(updates[-1], Completed)


@pytest.mark.parametrize(
    ("moment", "answer"),
    [
        (0.0, (200, {"status": "OK"})),
        (LATENCY / 2, (202, {"status": "CANCELLATION_REQUESTED"})),
    ],
)
def test_cancel(fal: Client, clock: Clock, moment: float, answer: object) -> None:
    handle = fal.submit(GENERATE, {"prompt": "a fox"})
    clock.now += moment
    handle.cancel()
    assert fal.last == answer
    status = handle.status()
    assert isinstance(status, Completed)
    assert status.error_type == "client_cancelled"
    with pytest.raises(FalClientHTTPError) as ended:
        handle.get(interval=0)
    assert (ended.value.status_code, ended.value.error_type) == (499, "client_cancelled")


def test_cancel_of_what_is_done_or_unknown(fal: Client, clock: Clock) -> None:
    done = fal.submit(GENERATE, {"prompt": "a fox"})
    clock.now += LATENCY
    unknown = fal.get_handle(GENERATE, "764cabcf-b745-4b3e-ae38-1200304cf45b")
    for handle, code, word in ((done, 400, "ALREADY_COMPLETED"), (unknown, 404, "NOT_FOUND")):
        with pytest.raises(FalClientHTTPError):
            handle.cancel()
        assert fal.last == (code, {"status": word})


@pytest.mark.usefixtures("drawings")
@pytest.mark.parametrize(
    ("repository", "asks", "brings"),
    [("fal_v3", "auth/token", "/files/upload"), ("fal", "upload/initiate", "/files/uploads/")],
)
def test_an_upload_is_seen_in_the_edit_of_it(
    fal: Client, clock: Clock, repository: Any, asks: str, brings: str
) -> None:
    url = fal.upload(red_and_blue(), "image/png", "a b?.png", repository=repository)
    asked, brought = fal.running.ledger.requests
    assert (asked.path, asked.headers["authorization"]) == (f"/fal/storage/{asks}", "Key secret")
    assert brought.path.startswith(brings)

    handle = fal.submit(PRO, {"prompt": "a fox", "image_url": url})
    clock.now += LATENCY
    made = handle.get(interval=0)
    with client("") as http:
        assert http.get(url).content == red_and_blue()
        edited = opened(http.get(made["images"][0]["url"]).content)
    assert edited.size == RATIO_SIZES["21:9"]
    assert redness(edited, left=0.1, right=0.4) > 40
    assert redness(edited, left=0.6, right=0.9) < -40


@pytest.mark.parametrize(
    ("fault", "code", "kind", "detail"),
    [
        ("timed-out", 504, "request_timeout", "Request timed out"),
        ("refused", 422, None, "content_policy_violation"),
    ],
)
def test_a_failed_job_is_raised_by_its_result(
    fal: Client, clock: Clock, fault: str, code: int, kind: str | None, detail: str
) -> None:
    handle = fal.submit(GENERATE, {"prompt": f"a fox [fault:{fault}]"})
    clock.now += LATENCY
    status = handle.status()
    assert isinstance(status, Completed)
    assert status.error_type == kind
    with pytest.raises(FalClientHTTPError) as ended:
        handle.get(interval=0)
    told: Any = ended.value.message
    assert (ended.value.status_code, ended.value.error_type) == (code, kind)
    assert (told if kind else told[0]["type"]) == detail


@pytest.mark.parametrize(
    ("fault", "accepted"), [("429", 1), ("html-502", 1), ("reset", 1), ("lost-reply", 2)]
)
def test_the_ledger_tells_what_the_clients_retries_cost(
    fal: Client, fault: str, accepted: int
) -> None:
    fal.submit(GENERATE, {"prompt": f"a fox [fault:{fault}]"})
    assert fal.running.ledger.accepted(f"a fox [fault:{fault}]") == accepted


def test_a_refusal_is_not_sent_again(fal: Client) -> None:
    with pytest.raises(FalClientHTTPError) as refused:
        fal.submit(GENERATE, {"prompt": "a fox [fault:401]"})
    assert (refused.value.status_code, str(refused.value)) == (401, "A valid API key is required")
    assert len(fal.running.ledger.requests) == 1


def test_the_client_submits_again_when_the_answer_is_lost(
    sandbox: StartSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the README says in its comparison: it is accepted, and would be billed, twice."""
    with official(sandbox(fault="lost-reply"), monkeypatch) as fal:
        fal.submit(GENERATE, {"prompt": "a fox"})
        assert fal.running.ledger.accepted("a fox") == 2
