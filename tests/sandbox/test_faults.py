"""Every fault: what a client sees of it, and whether the job was accepted."""

from pathlib import Path

import httpx2
import pytest

from kontext_cli.sandbox.app import Sandbox
from kontext_cli.sandbox.faults import FAULTS
from processes import RightHere
from sandbox.clients import Clock, Queue, client, fal, opened
from sandbox.running import Running, StartSandbox


def marked(fault: str) -> str:
    return f"a fox [fault:{fault}]"


@pytest.mark.parametrize("fault", ["429", "503"])
def test_a_busy_queue_refuses_once(queue: Queue, running: Running, fault: str) -> None:
    first = queue.submit(prompt=marked(fault))
    before = running.ledger.accepted(marked(fault))
    second = queue.submit(prompt=marked(fault))
    assert (first.status_code, first.headers["retry-after"]) == (int(fault), "1")
    assert isinstance(first.json()["detail"], str)
    assert (before, second.status_code, running.ledger.accepted(marked(fault))) == (0, 200, 1)


@pytest.mark.parametrize("fault", ["401", "402", "403"])
def test_a_key_or_account_is_refused_always(queue: Queue, running: Running, fault: str) -> None:
    for _ in range(2):
        reply = queue.submit(prompt=marked(fault))
        assert (reply.status_code, list(reply.json())) == (int(fault), ["detail"])
    assert running.ledger.entries == ()


def test_a_proxy_answers_in_html(queue: Queue, running: Running) -> None:
    reply = queue.submit(prompt=marked("html-502"))
    assert (reply.status_code, reply.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert "nginx" in reply.text
    assert "x-fal-request-id" not in reply.headers
    assert running.ledger.entries == ()


@pytest.mark.parametrize(("fault", "accepted"), [("reset", 0), ("lost-reply", 1)])
def test_a_connection_breaks_before_the_reply(
    queue: Queue, running: Running, fault: str, accepted: int
) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        queue.submit(prompt=marked(fault))
    assert running.ledger.accepted(marked(fault)) == accepted
    assert queue.submit(prompt=marked(fault)).status_code == 200


def test_a_slow_reply_is_an_accepted_one(running: Running) -> None:
    with (
        client(f"{running.url}/fal", "Key secret", timeout=0.2) as http,
        pytest.raises(httpx2.ReadTimeout),
    ):
        Queue(http).submit(prompt=marked("slow"))
    assert running.ledger.accepted(marked("slow")) == 1


@pytest.mark.parametrize(
    ("fault", "code", "kind", "error"),
    [
        ("failed", 500, "internal_error", "internal_error"),
        ("timed-out", 504, "request_timeout", "request_timeout"),
        ("crashed", 500, "internal_server_error", None),
        ("invalid", 422, "image_load_error", None),
        ("refused", 422, "content_policy_violation", None),
    ],
)
def test_a_job_that_fails_is_completed_and_its_result_tells(
    queue: Queue, fault: str, code: int, kind: str, error: str | None
) -> None:
    job = queue.job(prompt=marked(fault))
    status, result = queue.http.get(job["status_url"]), queue.http.get(job["response_url"])
    body = result.json()
    assert (status.status_code, status.json()["status"]) == (200, "COMPLETED")
    assert status.json().get("error_type") == error
    assert result.status_code == code
    assert (body["error_type"] if error else body["detail"][0]["type"]) == kind
    assert result.headers.get("x-fal-error-type") == error


def test_a_start_timeout_is_the_users_own(queue: Queue) -> None:
    assert queue.result(prompt=marked("timed-out")).headers["x-fal-request-timeout-type"] == "user"


def test_a_flagged_image_is_black_and_said_so(queue: Queue) -> None:
    made = queue.made(prompt=marked("flagged"), num_images=2)
    file = opened(queue.http.get(made["images"][1]["url"]).content)
    assert made["has_nsfw_concepts"] == [True, True]
    assert (file.size, file.getbbox()) == ((1024, 1024), None)


@pytest.mark.parametrize(("fault", "images"), [("empty", 0), ("fewer", 2)])
def test_images_are_missing(queue: Queue, fault: str, images: int) -> None:
    made = queue.made(prompt=marked(fault), num_images=3)
    assert len(made["images"]) == len(made["has_nsfw_concepts"]) == images


@pytest.mark.parametrize(("asked", "sent"), [("jpeg", "PNG"), ("png", "JPEG")])
def test_the_bytes_are_of_the_other_format(queue: Queue, asked: str, sent: str) -> None:
    image = queue.made(prompt=marked("png-for-jpeg"), output_format=asked)["images"][0]
    file = queue.http.get(image["url"])
    assert opened(file.content).format == sent
    assert image["content_type"] == file.headers["content-type"] == f"image/{asked}"


def test_a_stuck_job_never_leaves_the_queue(sandbox: StartSandbox) -> None:
    clock = Clock()
    with fal(sandbox(latency=1.0, fault="stuck", clock=clock).url) as queue:
        job = queue.job()
        clock.now += 1_000_000
        assert queue.http.get(job["status_url"]).json()["status"] == "IN_QUEUE"
        assert queue.http.put(job["cancel_url"]).json() == {"status": "OK"}


def test_a_proxy_answers_a_status_request_once(queue: Queue) -> None:
    job = queue.job(prompt=marked("poll-503"))
    first, second = (queue.http.get(job["status_url"]) for _ in range(2))
    assert (first.status_code, first.headers["content-type"][:9]) == (503, "text/html")
    assert "x-fal-request-id" not in first.headers
    assert second.status_code == 200


def test_the_connection_breaks_on_a_status_request(queue: Queue) -> None:
    job = queue.job(prompt=marked("poll-reset"))
    with pytest.raises(httpx2.RemoteProtocolError):
        queue.http.get(job["status_url"])
    assert queue.http.get(job["status_url"]).status_code == 200


def test_a_status_word_of_tomorrow(queue: Queue) -> None:
    job = queue.job(prompt=marked("unknown-status*2"))
    words = [queue.http.get(job["status_url"]).json()["status"] for _ in range(3)]
    assert words == ["WARMING_UP", "WARMING_UP", "COMPLETED"]


def test_a_proxy_answers_in_place_of_the_result_once(queue: Queue) -> None:
    job = queue.job(prompt=marked("result-503"))
    codes = [queue.http.get(job["response_url"]).status_code for _ in range(2)]
    assert codes == [503, 200]


def test_media_that_is_away_for_a_moment(queue: Queue) -> None:
    url = queue.made(prompt=marked("media-503"))["images"][0]["url"]
    assert [queue.http.get(url).status_code for _ in range(2)] == [503, 200]


def test_media_that_is_gone(queue: Queue) -> None:
    url = queue.made(prompt=marked("media-404"))["images"][0]["url"]
    assert [queue.http.get(url).status_code for _ in range(2)] == [404, 404]


def test_media_that_moved(queue: Queue) -> None:
    url = queue.made(prompt=marked("media-redirect"))["images"][0]["url"]
    moved = queue.http.get(url)
    assert (moved.status_code, moved.headers["location"]) == (302, f"{url}?moved=1")
    assert opened(queue.http.get(moved.headers["location"]).content).format == "JPEG"


def test_media_that_breaks_off_once(queue: Queue) -> None:
    url = queue.made(prompt=marked("truncated-media"))["images"][0]["url"]
    with pytest.raises(httpx2.RemoteProtocolError):
        queue.http.get(url)
    assert opened(queue.http.get(url).content).size == (1024, 1024)


def test_media_that_was_stored_by_halves(queue: Queue) -> None:
    whole, half = (
        queue.http.get(queue.made(prompt=prompt, seed=1)["images"][0]["url"])
        for prompt in ("a fox", marked("cut-media"))
    )
    assert len(half.content) == int(half.headers["content-length"]) < len(whole.content)
    with pytest.raises(OSError, match="truncated"):
        opened(half.content)


def test_media_that_is_a_page(queue: Queue) -> None:
    file = queue.http.get(queue.made(prompt=marked("wrong-media"))["images"][0]["url"])
    assert (file.status_code, file.headers["content-type"][:9]) == (200, "text/html")


def test_a_number_limits_how_often(queue: Queue, running: Running) -> None:
    prompt = marked("429*2")
    assert [queue.submit(prompt=prompt).status_code for _ in range(3)] == [429, 429, 200]
    assert running.ledger.accepted(prompt) == 1


def test_a_limited_outcome_lets_the_next_job_succeed(queue: Queue) -> None:
    prompt = marked("failed*1")
    assert [queue.result(prompt=prompt).status_code for _ in range(2)] == [500, 200]


def test_each_prompt_is_counted_apart(queue: Queue) -> None:
    prompts = [f"{name} [fault:429]" for name in ("a fox", "a hare")]
    assert [queue.submit(prompt=prompt).status_code for prompt in prompts] == [429, 429]


def test_faults_of_several_points_meet_in_one_job(queue: Queue) -> None:
    prompt = "a fox [fault:503] [fault:poll-503] [fault:media-503]"
    codes = [queue.submit(prompt=prompt).status_code]
    job = queue.job(prompt=prompt)
    codes += [queue.http.get(job["status_url"]).status_code for _ in range(2)]
    url = queue.http.get(job["response_url"]).json()["images"][0]["url"]
    codes += [queue.http.get(url).status_code for _ in range(2)]
    assert codes == [503, 503, 200, 503, 200]


def test_a_fault_can_be_everywhere(sandbox: StartSandbox) -> None:
    running = sandbox(fault="429*2")
    with fal(running.url) as queue:
        assert [queue.submit().status_code for _ in range(3)] == [429, 429, 200]
    with client(f"{running.url}/aimlapi", "Bearer secret") as http:
        body = {"model": "flux/kontext-pro/text-to-image", "prompt": "a hare"}
        assert http.post("/v1/images/generations", json=body).status_code == 429


def test_a_fault_that_is_not_known_is_not_passed_over(queue: Queue, running: Running) -> None:
    reply = queue.submit(prompt=marked("4229"))
    assert (reply.status_code, "`4229`" in reply.text) == (400, True)
    assert running.ledger.entries == ()
    for name in ("4229", "429*", "429*x"):
        with pytest.raises(ValueError, match="has no fault"):
            Sandbox(fault=name)


def test_a_fault_that_is_not_known_is_no_moderation(right_here: RightHere, tmp_path: Path) -> None:
    done = right_here("generate", "x [fault:4229]", "-p", "sandbox", cwd=tmp_path)
    assert done.returncode == 4
    assert (
        b"the sandbox has no fault `4229`; `kontext sandbox --fault help` lists them" in done.stderr
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_be_everywhere(fault: str) -> None:
    assert FAULTS[fault].does
    Sandbox(fault=f"{fault}*3")
