"""One job from submit to file, with everything that can go wrong on the way."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kontext_cli.errors import (
    BadMedia,
    Expired,
    JobFailed,
    JournalFault,
    KontextError,
    Moderated,
    NoCredit,
    OutcomeUnknown,
    RejectedKey,
    Unreachable,
)
from kontext_cli.job import Cost, Job, State
from kontext_cli.providers import Name
from runs import KEY, planned, run
from samples import image_file
from scripted import Answer, Scripted

ENDPOINT = "fal-ai/flux-pro/kontext/text-to-image"
SUBMIT = f"POST https://queue.fal.run/{ENDPOINT}"
JOB = "https://queue.fal.run/fal-ai/flux-pro/requests/r1"
STATUS = f"GET {JOB}/status?logs=1"
RESULT = f"GET {JOB}"
FILE = "https://v3.fal.media/files/a.jpeg"
MEDIA = f"GET {FILE}"
AIMLAPI = "POST https://api.aimlapi.com/v1/images/generations"

ACCEPTED = {"request_id": "r1", "status": "IN_QUEUE", "queue_position": 1}
COMPLETED = {"status": "COMPLETED"}
DONE = {"images": [{"url": FILE}], "seed": 5, "prompt": "x", "timings": {}}
HTML = Answer(b"<html>502 Bad Gateway</html>", 502)
IMAGE = image_file("jpeg")


def script(**changes: Any) -> Scripted:
    """A job that goes well at fal, but for the changes."""
    steps = {"submit": ACCEPTED, "status": COMPLETED, "result": DONE, "media": IMAGE, **changes}
    lines = {"submit": SUBMIT, "status": STATUS, "result": RESULT, "media": MEDIA}
    return Scripted({lines[step]: answers for step, answers in steps.items()})


def outcome(
    folder: Path, answers: Scripted, name: Name = "fal", **options: Any
) -> tuple[Job, KontextError | None]:
    job = run(planned(name, {"prompt": "x", "seed": 5}, folder), answers, **options)
    return job, job.error


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_straight_line(tmp_path: Path) -> None:
    told: list[tuple[str, int | None, tuple[str, ...]]] = []
    log = {"message": "50%"}
    answers = script(
        status=[
            {"status": "IN_QUEUE", "queue_position": 1},
            {"status": "IN_QUEUE", "queue_position": 0},
            {"status": "IN_PROGRESS", "logs": [log]},
            {"status": "IN_PROGRESS", "logs": [log, {"message": "100%"}]},
            {**COMPLETED, "logs": [log, {"message": "100%"}]},
        ]
    )

    job, error = outcome(tmp_path, answers, told=told)

    assert error is None
    assert told == [
        ("submitting", None, ()),
        ("queued", 1, ()),
        ("queued", 0, ()),
        ("running", None, ()),
        ("running", None, ("50%",)),
        ("running", None, ("100%",)),
        ("ready", None, ()),
        ("saved", None, ()),
    ]
    assert files(tmp_path) == ["x-5.jpg"]
    assert (tmp_path / "x-5.jpg").read_bytes() == IMAGE
    assert job.finished_at is not None
    assert job.finished_at >= job.created_at
    assert answers.unused() == []


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Answer({"detail": "slow down"}, 429, {"retry-after": "1"}), id="429"),
        pytest.param(Answer(b"", 429), id="a bare 429"),
        pytest.param(Answer({"detail": "no runner"}, 503), id="503 in the queue's own words"),
        pytest.param(Answer(b"", 503, {"retry-after": "1"}), id="503 with Retry-After"),
    ],
)
def test_a_submit_that_was_refused_is_sent_again(tmp_path: Path, refusal: Answer) -> None:
    answers = script(submit=[refusal, refusal, ACCEPTED])
    job, _ = outcome(tmp_path, answers)
    assert job.state is State.SAVED
    assert len(answers.submits()) == 3


def test_each_further_try_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int | None, tuple[str, ...]]] = []
    busy = Answer({"detail": "busy"}, 429, {"retry-after": "2"})
    page = Answer(b"<html>late</html>", 504, {"retry-after": "3"})
    gone = Answer(b"", 503, {"retry-after": "4"})
    answers = script(submit=[busy, busy, ACCEPTED], result=[page, DONE], media=[gone, IMAGE])
    outcome(tmp_path, answers, told=told)
    assert [(state, *logs) for state, _, logs in told if logs] == [
        ("submitting", "fal is busy, again in 2 s, 2 of 5"),
        ("submitting", "fal is busy, again in 2 s, 3 of 5"),
        ("running", "fal answered 504, again in 3 s, 2 of 5"),
        ("ready", "fal's file server answered 503, again in 4 s, 2 of 5"),
    ]


def test_a_submit_is_refused_five_times_at_most(tmp_path: Path) -> None:
    answers = script(submit=[Answer({"detail": "busy"}, 429)] * 9)
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, Unreachable)
    assert (job.state, error.exit_code, error.billed) == (State.FAILED, 6, "no")
    assert len(answers.submits()) == 5


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(HTML, id="502 of a gateway"),
        pytest.param(Answer(b"<html>503</html>", 503), id="503 of a gateway"),
        pytest.param(Answer({"detail": "boom"}, 500), id="500"),
        pytest.param(Answer({"detail": "late"}, 504), id="504"),
        pytest.param(Answer({"detail": "conflict"}, 409), id="409"),
        pytest.param(Answer({"detail": "late"}, 408), id="408"),
        pytest.param(Answer({"detail": "closed"}, 499), id="499"),
        pytest.param(Answer(b"", 302, {"location": "https://evil.example/"}), id="302"),
        pytest.param(Answer(b"", 307, {"location": "https://evil.example/"}), id="307"),
        pytest.param(Answer(b"<html>log in first</html>"), id="200 of a captive portal"),
        pytest.param(Answer({"status": "IN_QUEUE"}), id="200 without an id"),
        pytest.param(Answer(b'{"request_id": "r'), id="200 cut short"),
        pytest.param(
            Answer(b"no gzip", headers={"content-encoding": "gzip"}), id="200 that does not decode"
        ),
    ],
)
def test_a_submit_of_unknown_outcome_is_never_sent_again(tmp_path: Path, answer: Answer) -> None:
    answers = script(submit=[answer] * 9)
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, OutcomeUnknown)
    assert (job.state, error.exit_code, error.billed) == (State.UNKNOWN, 11, "maybe")
    assert "may have been accepted and billed" in error.message
    assert len(answers.requests) == 1


def test_a_503_of_a_blocking_call_may_have_begun_the_work(tmp_path: Path) -> None:
    refusal = Answer({"message": "busy"}, 503, {"retry-after": "1"})
    answers = Scripted({AIMLAPI: [refusal] * 9})
    job, error = outcome(tmp_path, answers, "aimlapi")
    assert isinstance(error, OutcomeUnknown)
    assert job.state is State.UNKNOWN
    assert len(answers.submits()) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"detail": "bad"}, JobFailed),
        (401, {"detail": "who?"}, RejectedKey),
        (402, {"detail": "pay"}, NoCredit),
        (404, {"detail": "no such app"}, JobFailed),
        (413, {"detail": "too large"}, JobFailed),
        (422, {"detail": [{"msg": "no", "type": "content_policy_violation"}]}, Moderated),
        (451, b"", JobFailed),
    ],
)
def test_a_refused_submit_is_final_and_free(
    tmp_path: Path, status: int, body: Any, kind: type[KontextError]
) -> None:
    answers = script(submit=[Answer(body, status)] * 9)
    job, error = outcome(tmp_path, answers)
    assert type(error) is kind
    assert error.billed == "no"
    assert job.state in (State.FAILED, State.MODERATED)
    assert len(answers.requests) == 1


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_poll_that_fails_is_asked_again(tmp_path: Path, status: int) -> None:
    failing = [Answer({"detail": "later"}, status)] * 4
    job, _ = outcome(tmp_path, script(status=[*failing, COMPLETED]))
    assert job.state is State.SAVED


def test_a_poll_whose_answer_does_not_decode_is_asked_again(tmp_path: Path) -> None:
    broken = Answer(b"no gzip", headers={"content-encoding": "gzip"})
    job, _ = outcome(tmp_path, script(status=[broken, COMPLETED]))
    assert job.state is State.SAVED


def test_an_answer_to_a_submit_without_end_is_of_unknown_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kontext_cli.http.transport.MOST_REPLY_BYTES", 10)
    job, error = outcome(tmp_path, script())
    assert isinstance(error, OutcomeUnknown)
    assert (job.state, error.billed) == (State.UNKNOWN, "maybe")


def test_a_poll_is_given_up_after_five_tries_and_the_job_goes_on(tmp_path: Path) -> None:
    answers = script(status=[HTML] * 9)
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, Unreachable)
    assert (error.exit_code, error.billed) == (6, "maybe")
    assert (job.state, job.request_id) == (State.QUEUED, "r1")
    assert len(answers.requests) == 1 + 5


def test_a_poll_answered_404_is_final(tmp_path: Path) -> None:
    answers = script(status=[Answer({"detail": "not found"}, 404)] * 9)
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, Expired)
    assert (job.state, error.exit_code) == (State.EXPIRED, 4)
    assert len(answers.requests) == 3  # the second time on a connection of its own


@pytest.mark.parametrize(
    ("status", "body", "state", "exit_code"),
    [
        (500, {"detail": [{"msg": "boom", "type": "internal_server_error"}]}, State.FAILED, 4),
        (503, {"detail": "gone", "error_type": "runner_disconnected"}, State.FAILED, 4),
        (500, b"Internal Server Error", State.FAILED, 4),
        (504, {"detail": "late", "error_type": "request_timeout"}, State.FAILED, 4),
        (422, {"detail": [{"msg": "x", "type": "content_policy_violation"}]}, State.MODERATED, 5),
        (499, {"detail": "x", "error_type": "client_cancelled"}, State.CANCELED, 4),
    ],
)
def test_the_result_of_a_completed_job_is_its_outcome(
    tmp_path: Path, status: int, body: Any, state: State, exit_code: int
) -> None:
    answers = script(result=[Answer(body, status)] * 9)
    job, error = outcome(tmp_path, answers)
    assert error is not None
    assert (job.state, error.exit_code) == (state, exit_code)
    assert len(answers.requests) == 3


def test_a_web_page_in_place_of_the_result_is_not_its_outcome(tmp_path: Path) -> None:
    job, _ = outcome(tmp_path, script(result=[HTML, HTML, DONE]))
    assert job.state is State.SAVED


def test_a_result_that_is_not_there_yet_is_polled_for(tmp_path: Path) -> None:
    early = Answer({"detail": "Request is still in progress"}, 400)
    job, _ = outcome(tmp_path, script(status=[COMPLETED, COMPLETED], result=[early, DONE]))
    assert job.state is State.SAVED


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(Answer(IMAGE[:-20], headers={"content-length": "9999"}), id="cut short"),
        pytest.param(Answer(IMAGE[: len(IMAGE) // 2]), id="half an image"),
        pytest.param(Answer(IMAGE[:-9]), id="half an image"),
        pytest.param(Answer(b""), id="nothing"),
        pytest.param(Answer(b"", 503), id="503"),
    ],
)
def test_a_bad_download_is_fetched_again(tmp_path: Path, bad: Answer) -> None:
    answers = script(media=[bad, bad, IMAGE])
    job, _ = outcome(tmp_path, answers)
    assert job.state is State.SAVED
    assert files(tmp_path) == ["x-5.jpg"]


def test_bytes_that_are_no_image_never_get_the_name(tmp_path: Path) -> None:
    answers = script(media=[Answer(IMAGE[:-9])] * 9)
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, BadMedia)
    assert (job.state, error.exit_code, error.billed) == (State.READY, 4, "yes")
    assert files(tmp_path) == []
    assert len(answers.requests) == 3 + 5


def test_a_dead_link_is_expired_when_the_result_knows_no_other(tmp_path: Path) -> None:
    answers = script(result=[DONE, DONE], media=[Answer(b"", 404)] * 9)
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, Expired)
    assert (job.state, error.billed) == (State.EXPIRED, "yes")
    assert len(answers.submits()) == 1


def test_for_a_dead_link_the_result_is_asked_once_more(tmp_path: Path) -> None:
    fresh = "https://v3.fal.media/b.jpeg"
    answers = Scripted(
        {
            SUBMIT: ACCEPTED,
            STATUS: COMPLETED,
            RESULT: [DONE, {"images": [{"url": fresh}]}],
            MEDIA: Answer(b"", 410),
            f"GET {fresh}": IMAGE,
        }
    )
    job, error = outcome(tmp_path, answers)
    assert error is None
    assert job.state is State.SAVED
    assert answers.unused() == []


def test_a_file_may_redirect_and_never_sees_the_key(tmp_path: Path) -> None:
    elsewhere = "https://cdn.example/b.jpeg"
    answers = Scripted(
        {
            SUBMIT: ACCEPTED,
            STATUS: COMPLETED,
            RESULT: DONE,
            MEDIA: Answer(b"", 302, {"location": elsewhere}),
            f"GET {elsewhere}": IMAGE,
        }
    )
    job, _ = outcome(tmp_path, answers)
    assert job.state is State.SAVED
    for seen in answers.requests[-2:]:
        assert "authorization" not in seen.headers
        assert KEY not in str(seen)


@pytest.mark.parametrize(
    "url",
    ["http://v3.fal.media/a.jpeg", "ftp://v3.fal.media/a", "file:///etc/passwd", "//x", "a b"],
)
def test_a_file_that_is_not_on_https_is_not_fetched(tmp_path: Path, url: str) -> None:
    answers = script(result={"images": [{"url": url}]})
    job, error = outcome(tmp_path, answers)
    assert isinstance(error, BadMedia)
    assert job.state is State.READY
    assert len(answers.requests) == 3


def test_a_redirect_down_to_http_is_not_followed(tmp_path: Path) -> None:
    down = Answer(b"", 302, {"location": "http://cdn.example/b.jpeg"})
    answers = script(media=[down] * 9)
    _, error = outcome(tmp_path, answers)
    assert isinstance(error, BadMedia)


def flagged(*flags: bool) -> dict[str, Any]:
    urls = [{"url": f"{FILE}?{number}"} for number in range(len(flags))]
    return {"images": urls, "has_nsfw_concepts": list(flags)}


def test_a_flagged_image_is_moderated_and_not_written(tmp_path: Path) -> None:
    job, error = outcome(tmp_path, script(result=flagged(True)))
    assert isinstance(error, Moderated)
    assert (job.state, error.exit_code, error.billed) == (State.MODERATED, 5, "yes")
    assert files(tmp_path) == []


def test_a_flagged_image_is_kept_on_request(tmp_path: Path) -> None:
    answers = Scripted(
        {
            SUBMIT: ACCEPTED,
            STATUS: COMPLETED,
            RESULT: flagged(True),
            f"GET {FILE}?0": IMAGE,
        }
    )
    job, error = outcome(tmp_path, answers, keep_flagged=True)
    assert error is None
    assert job.state is State.SAVED
    assert files(tmp_path) == ["x-5.jpg"]


def test_the_images_beside_a_flagged_one_are_saved(tmp_path: Path) -> None:
    answers = Scripted(
        {
            SUBMIT: ACCEPTED,
            STATUS: COMPLETED,
            RESULT: flagged(False, True, False),
            f"GET {FILE}?0": IMAGE,
            f"GET {FILE}?2": IMAGE,
        }
    )
    plan = planned("fal", {"prompt": "x", "seed": 5, "num_images": 3}, tmp_path)
    job = run(plan, answers)
    assert isinstance(job.error, Moderated)
    assert "1 of 3 images" in job.error.message
    assert files(tmp_path) == ["x-5-1.jpg", "x-5-3.jpg"]
    assert len(job.files) == 2


def test_one_bad_image_does_not_cost_the_others(tmp_path: Path) -> None:
    result = {"images": [{"url": f"{FILE}?0"}, {"url": f"{FILE}?1"}]}
    answers = Scripted(
        {
            SUBMIT: ACCEPTED,
            STATUS: COMPLETED,
            RESULT: result,
            f"GET {FILE}?0": [Answer(IMAGE[:-9])] * 5,
            f"GET {FILE}?1": IMAGE,
        }
    )
    job = run(planned("fal", {"prompt": "x", "seed": 5, "num_images": 2}, tmp_path), answers)
    assert isinstance(job.error, BadMedia)
    assert job.state is State.READY
    assert files(tmp_path) == ["x-5-2.jpg"]


def test_the_suffix_follows_the_bytes(tmp_path: Path) -> None:
    job, _ = outcome(tmp_path, script(media=image_file("png")))
    assert files(tmp_path) == ["x-5.png"]
    assert job.files[0].format == "png"


def test_what_a_provider_says_it_cost(tmp_path: Path) -> None:
    url = "https://cdn.aimlapi.com/a.jpg"
    body = {"data": [{"url": url}], "meta": {"usage": {"usd_spent": 0.0525}}}
    answers = Scripted({AIMLAPI: Answer(body, 201), f"GET {url}": IMAGE})
    job, _ = outcome(tmp_path, answers, "aimlapi")
    assert job.cost == Cost(0.0525, "provider")
    assert job.request_id is None


@pytest.mark.parametrize("body", [[], {"status": ["IN_QUEUE"]}, 7, None, "COMPLETED"])
def test_status_bodies_of_another_world_are_waited_through(tmp_path: Path, body: Any) -> None:
    job, _ = outcome(tmp_path, script(status=[body, COMPLETED]))
    assert job.state is State.SAVED


def test_a_job_that_cannot_be_recorded_is_not_sent(tmp_path: Path) -> None:
    answers = script()
    job, error = outcome(tmp_path, answers, record=failing_from(State.SUBMITTING))
    assert isinstance(error, JournalFault)
    assert (job.state, error.exit_code, error.billed) == (State.FAILED, 8, "no")
    assert answers.requests == []


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING, State.READY, State.SAVED])
def test_what_is_paid_for_comes_home_without_a_record(tmp_path: Path, state: State) -> None:
    told: list[tuple[str, int | None, tuple[str, ...]]] = []
    job, error = outcome(tmp_path, script(), record=failing_from(state), told=told)
    assert error is None
    assert job.state is State.SAVED
    assert files(tmp_path) == ["x-5.jpg"]
    assert any("the disk is full" in logs for _, _, logs in told)


def test_a_job_without_a_record_is_fetched_by_its_request_id(tmp_path: Path) -> None:
    answers = script(status=[HTML] * 9)
    _, error = outcome(tmp_path, answers, record=failing_from(State.QUEUED))
    assert error is not None
    assert error.hint == "kontext fetch r1 -p fal"


def failing_from(state: State) -> Callable[[Job], None]:
    """A journal on a disk that is full from some state on."""
    failing = False

    def record(job: Job) -> None:
        nonlocal failing
        failing = failing or job.state is state
        if failing:
            raise JournalFault("the disk is full")

    return record
