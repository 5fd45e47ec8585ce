"""Reply → outcome, provider by provider, in every form that has been documented or seen."""

import json
from typing import Any

import pytest

from kontext_cli.errors import (
    Canceled,
    Expired,
    JobFailed,
    JournalFault,
    KontextError,
    Moderated,
    NoCredit,
    RejectedKey,
    UnexpectedReply,
)
from kontext_cli.http.call import Reply
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers import provider_class
from kontext_cli.providers.aimlapi import Aimlapi
from kontext_cli.providers.chainhub import Chainhub
from kontext_cli.providers.failure import failure
from kontext_cli.providers.fal import Fal

ENDPOINT = "fal-ai/flux-pro/kontext/text-to-image"
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
PATH = f"/fal-ai/flux-pro/requests/{ID}"
HUGE_SEED = 15860307465884635512
HTML = b"<html><head><title>502 Bad Gateway</title></head></html>"


def reply(content: Any, status: int = 200, **headers: str) -> Reply:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Reply(status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def submitted(host: str, request_id: str = ID) -> dict[str, Any]:
    job = f"https://{host}/fal-ai/flux-pro/requests/{request_id}"
    return {
        "request_id": request_id,
        "status_url": f"{job}/status",
        "response_url": job,
        "cancel_url": f"{job}/cancel",
    }


@pytest.mark.parametrize(
    ("base_url", "body", "expected"),
    [
        pytest.param(None, submitted("queue.fal.run"), f"https://queue.fal.run{PATH}", id="own"),
        pytest.param(
            None, {"request_id": ID}, f"https://queue.fal.run{PATH}", id="no URLs: rebuilt by rule"
        ),
        pytest.param(
            None,
            submitted("evil.example"),
            f"https://queue.fal.run{PATH}",
            id="a foreign host is ignored",
        ),
        pytest.param(
            None,
            {"request_id": ID, "response_url": f"https://queue.fal.run/other/app/requests/{ID}"},
            f"https://queue.fal.run/other/app/requests/{ID}",
            id="the path of the reply is believed on its own host",
        ),
        pytest.param(
            None,
            {"request_id": ID, "response_url": f"https://queue.fal.run/a/../{ID}"},
            f"https://queue.fal.run{PATH}",
            id="a path that climbs is not",
        ),
        pytest.param(
            None,
            {"request_id": ID, "response_url": "https://queue.fal.run/another/job"},
            f"https://queue.fal.run{PATH}",
            id="nor one of another job",
        ),
        pytest.param(
            None,
            {"request_id": ID, "response_url": f"https://queue.fal.run:99999/{ID}"},
            f"https://queue.fal.run{PATH}",
            id="nor a URL that is none",
        ),
        pytest.param(
            "http://127.0.0.1:8000/fal",
            submitted("queue.fal.run"),
            f"http://127.0.0.1:8000/fal{PATH}",
            id="another base: everything goes there",
        ),
        pytest.param(
            "http://127.0.0.1:8000/fal",
            {"request_id": ID, "response_url": f"http://127.0.0.1:8000/fal{PATH}"},
            f"http://127.0.0.1:8000/fal{PATH}",
            id="another base that names itself, prefix and all",
        ),
        pytest.param(
            None,
            {"request_id": "a/../b?c"},
            "https://queue.fal.run/fal-ai/flux-pro/requests/a%2F..%2Fb%3Fc",
            id="an id that is no path segment is quoted",
        ),
    ],
)
def test_fal_follow_up_urls(base_url: str | None, body: dict[str, Any], expected: str) -> None:
    handle = Fal(base_url).accepted(reply(body), ENDPOINT).handle
    assert handle is not None
    assert handle.data["response_url"] == expected


def test_chainhub_moves_fals_urls_to_its_own_host() -> None:
    handle = Chainhub().accepted(reply(submitted("queue.fal.run")), ENDPOINT).handle
    assert handle == Handle(
        ID,
        {
            "status_url": f"https://api.chainhub.tech{PATH}/status",
            "response_url": f"https://api.chainhub.tech{PATH}",
            "cancel_url": f"https://api.chainhub.tech{PATH}/cancel",
        },
    )


@pytest.mark.parametrize(
    ("endpoint", "app"),
    [
        ("fal-ai/flux-pro/kontext/max/multi", "fal-ai/flux-pro"),
        ("fal-ai/flux-kontext-lora", "fal-ai/flux-kontext-lora"),
        ("workflows/someone/thing", "workflows/someone/thing"),
        ("comfy/someone/thing/extra", "comfy/someone/thing"),
    ],
)
def test_follow_up_urls_drop_the_sub_path(endpoint: str, app: str) -> None:
    handle = Fal().handle(endpoint, "1")
    assert handle.data["status_url"] == f"https://queue.fal.run/{app}/requests/1/status"


@pytest.mark.parametrize("body", [{}, [], {"request_id": None}, {"request_id": 7}, b"OK", HTML])
def test_a_submit_answer_without_an_id_is_not_understood(body: Any) -> None:
    with pytest.raises(UnexpectedReply):
        Fal().accepted(reply(body), ENDPOINT)


LOG = {"message": "50%|#####     | 14/28", "level": "INFO", "timestamp": "2025-06-01T12:00:01"}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (
            202,
            {"status": "IN_QUEUE", "queue_position": 3, "logs": None},
            Progress(State.QUEUED, position=3),
        ),
        (202, {"status": "IN_QUEUE"}, Progress(State.QUEUED)),
        (
            202,
            {"status": "IN_PROGRESS", "logs": [LOG, {"level": "INFO"}, "odd"]},
            Progress(State.RUNNING, logs=("50%|#####     | 14/28",)),
        ),
        (
            200,
            {"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 6.2}},
            Progress(State.RUNNING, done=True),
        ),
        (
            200,
            {"status": "COMPLETED", "error": "Request timed out", "error_type": "request_timeout"},
            Progress(State.RUNNING, done=True),
        ),
        (202, {"status": "WARMING_UP", "queue_position": "soon"}, Progress(State.RUNNING)),
        (200, {"new": True}, Progress(State.RUNNING)),
        (200, [], Progress(State.RUNNING)),
    ],
)
def test_fal_status(status: int, body: Any, expected: Progress) -> None:
    assert Fal().progress(reply(body, status), Fal().handle(ENDPOINT, ID)) == expected


IMAGE_URL = "https://v3.fal.media/a.jpeg"
IMAGE = {"url": IMAGE_URL, "width": 1392, "height": 752, "file_size": 99}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            {
                "images": [IMAGE, {"url": "data:image/png;base64,AA=="}],
                "seed": HUGE_SEED,
                "timings": {"inference": 6.18},
                "has_nsfw_concepts": [False],
                "prompt": "a lighthouse",
                "new": {"field": 1},
            },
            Progress(
                State.READY,
                done=True,
                outputs=(
                    Output(url="https://v3.fal.media/a.jpeg"),
                    Output(url="data:image/png;base64,AA=="),
                ),
                seed=HUGE_SEED,
                reply={"prompt": "a lighthouse", "timings": {"inference": 6.18}},
            ),
            id="images, a huge seed, fewer flags than images",
        ),
        pytest.param(
            {"images": [{"url": "u"}, {"url": "v"}], "has_nsfw_concepts": [False, True]},
            Progress(
                State.READY,
                done=True,
                outputs=(Output(url="u"), Output(url="v", flagged=True)),
            ),
            id="one flagged",
        ),
        pytest.param(
            {"data": [{"url": "u", "b64_json": None}]},
            Progress(State.READY, done=True, outputs=(Output(url="u"),)),
            id="data with a URL",
        ),
        pytest.param(
            {"data": [{"url": None, "b64_json": "AAAA"}], "meta": {"usage": {"credits_used": 1}}},
            Progress(State.READY, done=True, outputs=(Output(b64="AAAA"),)),
            id="data with base64",
        ),
        pytest.param(
            {"images": [], "data": None, "output": {"choices": [{"image_base64": "AAAA"}]}},
            Progress(State.READY, done=True, outputs=(Output(b64="AAAA"),)),
            id="choices",
        ),
        pytest.param(
            {"images": ["https://a/b.png", {}, 7, ""], "seed": "text", "has_nsfw_concepts": None},
            Progress(State.READY, done=True, outputs=(Output(url="https://a/b.png"),)),
            id="bare strings, and things that are no pictures",
        ),
        pytest.param(
            {"images": [{"url": str(n)} for n in range(9)]},
            Progress(State.READY, done=True, outputs=tuple(Output(url=str(n)) for n in range(4))),
            id="never more than four",
        ),
    ],
)
@pytest.mark.parametrize("name", ["fal", "aimlapi", "chainhub"])
def test_result(name: str, body: dict[str, Any], expected: Progress) -> None:
    provider = provider_class(name)()
    if isinstance(provider, Aimlapi):
        assert provider.accepted(reply(body, 201), ENDPOINT) == expected
    else:
        assert isinstance(provider, Fal | Chainhub)
        assert provider.outcome(reply(body)) == expected


def test_aimlapi_reports_what_was_spent_in_the_body() -> None:
    answer = reply({"data": [{"url": "u"}], "meta": {"usage": {"usd_spent": 0.052}}})
    assert Aimlapi().accepted(answer, ENDPOINT).usd == 0.052


@pytest.mark.parametrize("name", ["status_url", "response_url", "cancel_url"])
@pytest.mark.parametrize("url", [None, 7, {}])
def test_a_damaged_handle_makes_no_call(name: str, url: object) -> None:
    damaged = handle().with_data(**{name: url})
    fal = Fal()
    call = {"status_url": fal.poll, "response_url": fal.result, "cancel_url": fal.cancel}[name]
    with pytest.raises(JournalFault):
        call(damaged)


@pytest.mark.parametrize(
    ("header", "usd"), [("0.052", 0.052), ("", None), ("free", None), ("nan", None), ("-1", None)]
)
def test_what_was_spent_from_the_header(header: str, usd: float | None) -> None:
    answer = reply({"data": [{"url": "u"}]}, x_aimlapi_usd_spent=header)
    assert Aimlapi().accepted(answer, ENDPOINT).usd == usd


@pytest.mark.parametrize("body", [{"images": []}, {"images": [{"url": ""}]}, {"prompt": "x"}])
def test_a_success_without_pictures_is_a_failure_that_may_cost(body: Any) -> None:
    with pytest.raises(JobFailed) as failed:
        Fal().outcome(reply(body))
    assert failed.value.billed == "maybe"


def detail(kind: str, message: str = "no", loc: list[str] | None = None) -> dict[str, Any]:
    return {"detail": [{"loc": loc or ["body"], "msg": message, "type": kind}]}


@pytest.mark.parametrize(
    ("status", "body", "headers", "error", "text", "billed"),
    [
        (422, detail("content_policy_violation", "flagged"), {}, Moderated, "flagged", "maybe"),
        (
            422,
            detail("image_load_error", "cannot read it", ["body", "image_url"]),
            {},
            JobFailed,
            "image_url: cannot read it",
            "maybe",
        ),
        (422, detail("missing"), {"x_fal_billable_units": "0"}, JobFailed, "no", "no"),
        (500, detail("internal_server_error", "boom"), {}, JobFailed, "boom", "no"),
        (
            504,
            {"detail": "Request timed out", "error_type": "request_timeout"},
            {},
            JobFailed,
            "Request timed out",
            "no",
        ),
        (500, b"Internal Server Error", {}, JobFailed, "Internal Server Error", "no"),
        (
            499,
            {"detail": "gone", "error_type": "client_cancelled"},
            {},
            Canceled,
            "gone",
            "maybe",
        ),
        (200, {"status": "odd"}, {}, JobFailed, "without an image", "maybe"),
        (404, {"detail": "Request not found"}, {}, Expired, "Request not found", "maybe"),
        (401, {"detail": "Invalid key"}, {}, RejectedKey, "Invalid key", "no"),
        (403, {"detail": "User is locked. Exhausted balance."}, {}, NoCredit, "balance", "no"),
        (403, {"detail": "Forbidden"}, {}, RejectedKey, "Forbidden", "no"),
        (402, {"detail": "Insufficient credits"}, {}, NoCredit, "Insufficient", "no"),
        (422, {"detail": []}, {}, JobFailed, "", "maybe"),
        (422, {"detail": ["odd", 7]}, {}, JobFailed, "odd", "maybe"),
        (422, {"detail": {"message": "nested"}}, {}, JobFailed, "nested", "maybe"),
    ],
)
def test_fal_result_of_a_job_that_failed(
    status: int,
    body: Any,
    headers: dict[str, str],
    error: type[KontextError],
    text: str,
    billed: str,
) -> None:
    with pytest.raises(error) as ended:
        Fal().outcome(reply(body, status, **headers))
    assert text in ended.value.message
    if error is not RejectedKey and error is not NoCredit:
        assert ended.value.billed == billed


@pytest.mark.parametrize(
    ("status", "body", "error", "text"),
    [
        (
            400,
            {"statusCode": 400, "message": "Body validation error", "path": "/v1"},
            JobFailed,
            "Body validation error",
        ),
        (401, {"statusCode": "401", "message": "a valid API key"}, RejectedKey, "valid API key"),
        (403, {"statusCode": 403, "message": "You are out of it"}, NoCredit, "You are out of it"),
        (404, {"message": {"text": "no such model"}}, JobFailed, "no such model"),
        (400, {"message": "Content moderation refused the prompt"}, Moderated, "moderation"),
    ],
)
def test_aimlapi_refusals(status: int, body: Any, error: type[KontextError], text: str) -> None:
    found = failure(Aimlapi(), reply(body, status), submitted=False)
    assert type(found) is error
    assert text in found.message
    assert found.billed == "no"


def test_a_gateway_error_names_its_message() -> None:
    body = {"error": {"message": "invalid token", "type": "new_api_error", "code": ""}}
    found = failure(Chainhub(), reply(body, 401), submitted=False)
    assert isinstance(found, RejectedKey)
    assert "invalid token" in found.message
    assert "CHAINHUB_API_KEY" in str(found.hint)


def handle(*, status: bool = True, **more: int) -> Handle:
    urls = {
        "status_url": "https://g/status",
        "response_url": "https://g",
        "cancel_url": "https://g/c",
    }
    return Handle(ID, {**urls, **({} if status else {"status_url": None}), **more})


@pytest.mark.parametrize("answer", [reply(HTML, 404), reply({}, 405), reply(HTML), reply([])])
def test_chainhub_without_a_status_route_asks_for_the_result(answer: Reply) -> None:
    progress = Chainhub().progress(answer, handle())
    assert progress.handle == handle(status=False)
    assert Chainhub().poll(handle(status=False)).url == "https://g"


@pytest.mark.parametrize(
    "answer",
    [
        reply({"status": "IN_QUEUE", "request_id": ID, "queue_position": 0}),
        reply({"detail": "Request is still in progress"}, 400),
        reply({"status": "FAILED", "error": "Request is still in progress"}),
        reply({}, 202),
        reply({"status": "PROCESSING"}),
        reply({"message": "not ready"}, 404),
    ],
)
def test_chainhub_result_that_is_not_there_yet(answer: Reply) -> None:
    assert not Chainhub().progress(answer, handle(status=False)).outputs


def test_chainhub_may_not_know_a_fresh_job_three_times() -> None:
    missing = reply({"error": {"message": "no"}}, 404)
    asked = handle(status=False)
    for misses in range(1, 4):
        progress = Chainhub().progress(missing, asked)
        assert progress.handle == handle(status=False, misses=misses)
        asked = progress.handle
    with pytest.raises(Expired):
        Chainhub().progress(missing, asked)


def test_chainhub_result_route_brings_pictures() -> None:
    body = {"images": [IMAGE], "request": {"prompt": "in queue"}}
    progress = Chainhub().progress(reply(body), handle(status=False))
    assert progress.outputs == (Output(url=IMAGE_URL),)


@pytest.mark.parametrize("status", [401, 403])
def test_chainhub_stops_at_a_refused_key(status: int) -> None:
    with pytest.raises(RejectedKey):
        Chainhub().progress(reply({"error": {"message": "invalid token"}}, status), handle())


@pytest.mark.parametrize(
    "pasted",
    [
        "https://proxy.example/v1/images/generations",
        "https://proxy.example/v1/",
        "https://proxy.example/",
        "https://proxy.example",
    ],
)
def test_aimlapi_base_url_as_people_paste_it(pasted: str) -> None:
    call = Aimlapi(pasted).submit("m", {})
    assert call.url == "https://proxy.example/v1/images/generations"
