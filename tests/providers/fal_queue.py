"""What is read from the replies of fal's queue, by every provider that speaks it."""

from typing import Any

from kontext_cli.errors import (
    Canceled,
    Expired,
    JobFailed,
    Moderated,
    NoCredit,
    RejectedKey,
    UnexpectedReply,
)
from kontext_cli.http.call import Call
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers.base import Cancellation
from kontext_cli.providers.cases import NOT_OBJECTS, Answer, Ends
from providers.results import RESULTS, ready

ENDPOINT = "fal-ai/flux-pro/kontext/text-to-image"
ID = "764cabcf-b745-4b3e-ae38-1200304cf45b"
PATH = f"/fal-ai/flux-pro/requests/{ID}"
LOG = {"message": "50%|#####     | 14/28", "level": "INFO", "timestamp": "2025-06-01T12:00:01"}


def handle(base: str, path: str = PATH, request_id: str = ID, **urls: Any) -> Handle:
    """The handle of a job with its three URLs, the given ones changed."""
    job = f"{base}{path}"
    usual = {"status_url": f"{job}/status", "response_url": job, "cancel_url": f"{job}/cancel"}
    return Handle(request_id, {**usual, **urls})


def queued(base: str, path: str = PATH, request_id: str = ID) -> Progress:
    """The progress of a job that was just accepted."""
    return Progress(State.QUEUED, handle=handle(base, path, request_id))


def submitted(host: str, path: str = PATH) -> dict[str, Any]:
    """The answer to a submit, with follow-up URLs on this host."""
    job = f"https://{host}{path}"
    return {
        "request_id": ID,
        "status_url": f"{job}/status",
        "response_url": job,
        "cancel_url": f"{job}/cancel",
    }


def calls(base: str, stream: Call | None) -> dict[str, Call | None]:
    """The calls that follow a job."""
    return {
        "poll": Call("status", "GET", f"{base}{PATH}/status?logs=1"),
        "stream": stream,
        "result": Call("result", "GET", f"{base}{PATH}"),
        "cancel": Call("cancel", "PUT", f"{base}{PATH}/cancel"),
    }


def detail(kind: str, message: str = "no", *loc: str) -> dict[str, Any]:
    """fal's list of what is wrong."""
    return {"detail": [{"loc": ["body", *loc], "msg": message, "type": kind}]}


IMAGELESS: tuple[Any, ...] = (
    {"images": []},
    {"images": [{"url": ""}]},
    {"prompt": "x"},
    {"status": "odd"},
)

_NO_ID = Ends(UnexpectedReply, "sent no request id")

ACCEPTED = (
    Answer("an id of another type", "accepted", {"request_id": 7}, _NO_ID),
    Answer("no id", "accepted", {"request_id": None}, _NO_ID),
    *(Answer(f"no JSON object: {body!r}", "accepted", body, _NO_ID) for body in NOT_OBJECTS),
)

PROGRESS = (
    Answer(
        "in the queue",
        "progress",
        {"status": "IN_QUEUE", "queue_position": 3, "logs": None},
        Progress(State.QUEUED, position=3),
        202,
    ),
    Answer("no position", "progress", {"status": "IN_QUEUE"}, Progress(State.QUEUED), 202),
    Answer(
        "in progress, with logs",
        "progress",
        {"status": "IN_PROGRESS", "logs": [LOG, {"level": "INFO"}, "odd"]},
        Progress(State.RUNNING, logs=("50%|#####     | 14/28",)),
        202,
    ),
    Answer(
        "completed",
        "progress",
        {"status": "COMPLETED", "logs": [], "metrics": {"inference_time": 6.2}},
        Progress(State.RUNNING, done=True),
    ),
    Answer(
        "completed with an error: the result has it, too",
        "progress",
        {"status": "COMPLETED", "error": "Request timed out", "error_type": "request_timeout"},
        Progress(State.RUNNING, done=True),
    ),
    Answer(
        "a status that we do not know",
        "progress",
        {"status": "WARMING_UP", "queue_position": "soon"},
        Progress(State.RUNNING),
        202,
    ),
)

OUTCOMES = (
    *(Answer(name, "outcome", body, expected) for name, body, expected in RESULTS),
    Answer(
        "not done yet",
        "outcome",
        {"detail": "Request is still in progress"},
        Progress(State.RUNNING),
        400,
    ),
    *(
        Answer(
            f"a success without images: {body}",
            "outcome",
            body,
            Ends(JobFailed, "without an image", "maybe"),
        )
        for body in IMAGELESS
    ),
    Answer("text", "outcome", b"OK", Ends(JobFailed, "not JSON", "maybe")),
    Answer(
        "images are taken, whatever else is wrong",
        "outcome",
        {"data": [{"url": "u"}], "error": "the second image was flagged"},
        ready(Output(url="u")),
    ),
    Answer(
        "a failure within a 200",
        "outcome",
        {"status": "FAILED", "error": "boom"},
        Ends(JobFailed, "failed: boom", "maybe"),
    ),
    Answer(
        "moderated within a 200",
        "outcome",
        {"status": "FAILED", "error": {"message": "flagged as sensitive", "code": "E005"}},
        Ends(Moderated, "flagged", "maybe"),
    ),
    Answer(
        "moderated",
        "outcome",
        detail("content_policy_violation", "flagged"),
        Ends(Moderated, "flagged", "maybe"),
        422,
    ),
    Answer(
        "an input that cannot be read",
        "outcome",
        detail("image_load_error", "cannot read it", "image_url"),
        Ends(JobFailed, "image_url: cannot read it", "maybe"),
        422,
    ),
    Answer("no details", "outcome", {"detail": []}, Ends(JobFailed, "", "maybe"), 422),
    Answer("odd details", "outcome", {"detail": ["odd", 7]}, Ends(JobFailed, "odd", "maybe"), 422),
    Answer(
        "a nested detail",
        "outcome",
        {"detail": {"message": "nested"}},
        Ends(JobFailed, "nested", "maybe"),
        422,
    ),
    Answer(
        "canceled",
        "outcome",
        {"detail": "gone", "error_type": "client_cancelled"},
        Ends(Canceled, "gone", "maybe"),
        499,
    ),
    Answer(
        "canceled, by its type",
        "outcome",
        {"detail": "gone", "error_type": "client_disconnected"},
        Ends(Canceled, "gone"),
        504,
    ),
    Answer(
        "canceled, by a header",
        "outcome",
        {"detail": "gone"},
        Ends(Canceled, "gone"),
        504,
        {"x-fal-error-type": "client_cancelled"},
    ),
    Answer(
        "expired",
        "outcome",
        {"detail": "Request not found"},
        Ends(Expired, "Request not found", "maybe"),
        404,
    ),
    Answer("bad key", "outcome", {"detail": "Invalid key"}, Ends(RejectedKey, "Invalid key"), 401),
    Answer("forbidden", "outcome", {"detail": "Forbidden"}, Ends(RejectedKey, "Forbidden"), 403),
    Answer(
        "locked",
        "outcome",
        {"detail": "User is locked. Exhausted balance."},
        Ends(NoCredit, "balance"),
        403,
    ),
    Answer(
        "no credit",
        "outcome",
        {"detail": "Insufficient credits"},
        Ends(NoCredit, "Insufficient"),
        402,
    ),
)

CANCELED = (
    Answer(
        "removed from the queue",
        "canceled",
        {"status": "CANCELLED"},
        Cancellation.REMOVED,
    ),
    Answer(
        "requested", "canceled", {"status": "CANCELLATION_REQUESTED"}, Cancellation.REQUESTED, 202
    ),
    Answer("too late", "canceled", {"status": "ALREADY_COMPLETED"}, Cancellation.TOO_LATE, 400),
    Answer("not known", "canceled", {"status": "NOT_FOUND"}, Cancellation.UNKNOWN, 404),
    Answer("bad key", "canceled", {"detail": "Invalid key"}, Ends(RejectedKey, "Invalid key"), 401),
)

ANSWERS = (*ACCEPTED, *PROGRESS, *OUTCOMES, *CANCELED)
