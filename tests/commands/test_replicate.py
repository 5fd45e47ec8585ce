"""Replicate from end to end: its queue, its files, and results that live for an hour."""

import json
from typing import Any

import pytest
from PIL import Image
from starlette.responses import JSONResponse

from samples import image_file
from world import KEY, World

AT = ("-p", "replicate")
API = "/replicate/v1"


def submit(world: World, prompt: str = "x") -> str:
    """Submit without waiting; the job id."""
    done = world.run("generate", prompt, *AT, "--no-wait", "--seed", "1")
    assert done.code == 0, done.err
    return done.lines[0]


def calls(world: World) -> list[tuple[str, str]]:
    """The calls to the API, with the ids of predictions and files left out."""
    return [
        (seen.method, "/".join("ID" if len(part) > 30 else part for part in seen.path.split("/")))
        for seen in world.ledger.requests
        if seen.path.startswith(API)
    ]


def uploads(world: World) -> list[Any]:
    return [seen for seen in world.ledger.requests if seen.path == f"{API}/files"]


def test_the_calls_of_a_job(world: World) -> None:
    assert world.run("generate", "x", *AT).code == 0
    assert calls(world) == [
        ("POST", f"{API}/models/black-forest-labs/flux-kontext-pro/predictions"),
        ("GET", f"{API}/predictions/ID"),
    ]
    submitted, *_ = world.ledger.requests
    assert submitted.headers["authorization"] == f"Bearer {KEY}"
    assert "prefer" not in submitted.headers
    file = world.ledger.requests[-1]
    assert (file.path.startswith("/files/"), "authorization" in file.headers) == (True, False)


def test_logs_and_metrics(world: World) -> None:
    ran = world.run("generate", "x", *AT, "--json")
    assert "replicate: 100%|##########| 28/28" in ran.err
    (job,) = ran.records
    assert (job["cost"], job["seed"]) == (
        {"usd": 0.04, "source": "estimate"},
        job["request"]["seed"],
    )


def test_a_base_url_with_the_version(world: World) -> None:
    world.set(KONTEXT_REPLICATE_BASE_URL=f"{world.url}{API}/")
    assert world.run("generate", "x", *AT).code == 0


def test_an_input_above_256_kb_is_uploaded_once(world: World) -> None:
    Image.effect_noise((700, 600), 90).save(world.folder / "secret-name.png")
    world.write("small.png", image_file("png"))
    inputs = ("-i", "secret-name.png", "-i", "small.png", "-i", "secret-name.png")
    ran = world.run("edit", "mix them", *inputs, *AT, "-m", "flux-2-pro")
    assert ran.code == 0, ran.err
    (upload,) = uploads(world)
    assert upload.headers["authorization"] == f"Bearer {KEY}"
    assert upload.headers["content-type"].startswith("multipart/form-data; boundary=")
    (entry,) = world.ledger.entries
    large, small, again = entry.payload["input_images"]
    assert large == again
    assert large.startswith(f"{world.url}{API}/files/")
    assert small.startswith("data:image/png;base64,")


def test_the_image_is_shaped_and_drawn_as_the_uploaded_one(world: World) -> None:
    world.serve(plain=False)
    Image.effect_noise((400, 1200), 90).save(world.folder / "tall.png")
    ran = world.run("edit", "calm it", "-i", "tall.png", "-o", "calm.jpg", *AT)
    assert ran.code == 0, ran.err
    assert len(uploads(world)) == 1
    with Image.open(world.folder / "calm.jpg") as image:
        assert image.size == (672, 1568)


def test_a_request_that_is_too_large_is_uploaded(world: World) -> None:
    world.serve(max_body=10_000)
    Image.effect_noise((200, 200), 90).save(world.folder / "small.png")
    ran = world.run("edit", "calm it", "-i", "small.png", *AT)
    assert ran.code == 0, ran.err
    assert (len(uploads(world)), world.accepted.total()) == (1, 1)


def test_fetch_later(world: World) -> None:
    assert world.run("fetch", submit(world)).code == 0
    assert world.files() == ["x-1.jpg"]


def test_fetch_by_the_id_of_a_prediction(world: World) -> None:
    assert world.run("forget", submit(world)).code == 0
    (entry,) = world.ledger.entries
    ran = world.run("fetch", entry.request_id, *AT, "-o", "theirs.jpg")
    assert (ran.code, world.files()) == (0, ["theirs.jpg"]), ran.err


def test_cancel_in_the_queue(world: World) -> None:
    job = submit(world, "[fault:stuck] x")
    ran = world.run("cancel", job)
    assert (ran.code, "removed from the queue" in ran.err) == (0, True)
    assert world.jobs()[0]["state"] == "canceled"
    assert calls(world)[-1] == ("POST", f"{API}/predictions/ID/cancel")


def test_cancel_at_work_is_billed(world: World) -> None:
    now = 0.0
    world.serve(latency=30.0, clock=lambda: now)
    job = submit(world)
    now = 20.0
    assert world.run("status", job).code == 7
    ran = world.run("cancel", job)
    assert (ran.code, "may still finish and be billed" in ran.err) == (0, True)
    ran = world.run("status", job, "--json")
    assert (ran.code, ran.records[0]["state"]) == (4, "canceled")
    assert ran.records[0]["error"]["billed"] == "yes"


def test_cancel_too_late_and_of_nothing(world: World) -> None:
    assert "too late" in world.run("cancel", submit(world)).err
    ran = world.run("cancel", "gm3qorzdhgbfurvjtvhg6dckhu", *AT)
    assert (ran.code, "does not know the job" in ran.err) == (4, True)


@pytest.mark.parametrize(
    ("fault", "code", "says", "billed"),
    [
        ("failed", 4, "replicate failed: Internal server error", "maybe"),
        ("refused", 5, "flagged as sensitive", "maybe"),
        ("flagged", 5, "NSFW", "maybe"),
        ("timed-out", 4, "aborted the job before it started", "no"),
        ("empty", 4, "without an image", "maybe"),
        ("401", 3, "rejected the key", "no"),
        ("402", 3, "no credit", "no"),
    ],
)
def test_how_a_job_ends(world: World, fault: str, code: int, says: str, billed: str) -> None:
    ran = world.run("generate", f"[fault:{fault}] x", *AT, "--json")
    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert ran.records[0]["error"]["billed"] == billed


@pytest.mark.parametrize(
    "fault", ["429", "503", "slow", "poll-503", "poll-reset", "unknown-status", "result-503"]
)
def test_what_passes(world: World, fault: str) -> None:
    ran = world.run("generate", f"[fault:{fault}] x", *AT)
    assert ran.code == 0, ran.err
    assert world.accepted.total() == 1


def test_a_lost_reply_is_unknown_and_not_sent_again(world: World) -> None:
    ran = world.run("generate", "[fault:lost-reply] x", *AT)
    assert ran.code == 11
    assert world.accepted.total() == 1


def test_a_result_that_was_deleted_after_an_hour(world: World) -> None:
    now = 0.0
    world.serve(clock=lambda: now)
    job = submit(world)
    now = 3601.0
    ran = world.run("fetch", job, "--json")
    assert ran.code == 4
    (record,) = ran.records
    assert (record["state"], record["error"]["billed"]) == ("expired", "yes")
    assert "keeps results for an hour" in record["error"]["message"]
    assert "within the hour" in record["error"]["hint"]


def test_a_link_that_died_before_the_result(world: World) -> None:
    job = submit(world)
    world.kill_links()
    ran = world.run("fetch", job)
    assert (ran.code, "the link to the image is dead" in ran.err) == (4, True)


def test_a_dead_link_of_a_job_that_says_nothing_more(world: World) -> None:
    job = submit(world)
    assert world.run("status", job).code == 0
    world.kill_links()
    world.stand_behind(pausing)
    ran = world.run("fetch", job)
    assert (ran.code, world.files()) == (4, []), ran.err
    assert world.jobs()[0]["state"] == "expired"


def pausing(app: Any) -> Any:
    """A sandbox whose predictions have a state of another version."""

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path.startswith(f"{API}/predictions/"):
            body = {"id": path.rpartition("/")[2], "status": "pausing"}
            await JSONResponse(body)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return answering


def test_the_seed_of_replicate_is_ours(world: World) -> None:
    ran = world.run("generate", "x", *AT, "--seed", "7", "-o", "x.jpg", "--json")
    (entry,) = world.ledger.entries
    assert (entry.payload["seed"], json.loads(ran.out)["seed"]) == (7, 7)
