"""What is read from Replicate's predictions, by every provider that speaks them.

The bodies are those of Replicate's HTTP reference; the error texts are from reports of its users.
"""

from collections.abc import Mapping
from types import MappingProxyType
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
from kontext_cli.providers.cases import HTML, NOT_OBJECTS, Answer, Ends
from providers.results import ready

ID = "gm3qorzdhgbfurvjtvhg6dckhu"
URL = "https://replicate.delivery/xezq/tmp.jpg"
TQDM = "  0%|          | 0/28 [00:00<?]\r 50%|#####     | 14/28 [00:02<00:02]\nUsing seed: 7\n\n"
LINES = (
    "0%|          | 0/28 [00:00<?]",
    "50%|#####     | 14/28 [00:02<00:02]",
    "Using seed: 7",
)
HANDLE = Handle(ID)


def prediction(status: str, **fields: Any) -> dict[str, Any]:
    """A prediction in a state, as Replicate sends it."""
    own = f"https://api.replicate.com/v1/predictions/{ID}"
    usual = {
        "id": ID,
        "model": "black-forest-labs/flux-kontext-pro",
        "version": "hidden",
        "input": {"prompt": "x"},
        "logs": "",
        "output": None,
        "data_removed": False,
        "error": None,
        "status": status,
        "created_at": "2025-06-01T12:00:00.000Z",
        "urls": {"get": own, "cancel": f"{own}/cancel", "web": f"https://replicate.com/p/{ID}"},
    }
    return {**usual, **fields}


def calls(base: str) -> dict[str, Call | None]:
    """The calls that follow a job."""
    job = f"{base}/v1/predictions/{ID}"
    return {
        "poll": Call("status", "GET", job),
        "stream": None,
        "result": Call("result", "GET", job),
        "cancel": Call("cancel", "POST", f"{job}/cancel"),
    }


def problem(status: int, title: str, detail: str, **more: Any) -> dict[str, Any]:
    """A refusal in Replicate's form."""
    return {"title": title, "detail": detail, "status": status, **more}


STARTED: Mapping[str, Any] = MappingProxyType({"started_at": "2025-06-01T12:00:01.000Z"})
FLAGGED = (
    "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
)
KEY_REFUSED = problem(401, "Unauthenticated", "You did not pass a valid authentication token")
NO_CREDIT = problem(402, "Insufficient credit", "You have insufficient credit to run this model.")
NOT_FOUND = problem(404, "Not found", "The requested resource could not be found.")
THROTTLED = problem(429, "Too many requests", "Request was throttled.", retry_after=5)
INVALID = problem(
    422,
    "Input validation failed",
    '- input.output_format: output_format must be one of the following: "jpg", "png"\n',
)

_QUEUED = Progress(State.QUEUED, handle=HANDLE)
_NO_ID = Ends(UnexpectedReply, "sent no id of a prediction")
_OUTPUTS = (
    ("a string", URL, (Output(url=URL),)),
    (
        "a list",
        [URL, "data:image/png;base64,AA=="],
        (Output(url=URL), Output(url="data:image/png;base64,AA==")),
    ),
    ("a list of one", [URL], (Output(url=URL),)),
)
_IMAGELESS: tuple[Any, ...] = (None, "", [], {}, 7, [None], [7])

_ACCEPTED = (
    Answer("accepted", "accepted", prediction("starting"), _QUEUED, 201),
    Answer("accepted, at work already", "accepted", prediction("processing"), _QUEUED, 202),
    Answer(
        "done at once: the next poll reads it",
        "accepted",
        prediction("succeeded", output=URL),
        _QUEUED,
    ),
    Answer(
        "follow-up URLs of a reply are not used",
        "accepted",
        prediction("starting", urls={"get": "https://evil.example/x", "cancel": "file:///etc"}),
        _QUEUED,
        201,
    ),
    Answer("no more than an id", "accepted", {"id": ID}, _QUEUED, 201),
    Answer("an id of another type", "accepted", {"id": 7}, _NO_ID, 201),
    Answer("no id", "accepted", {"id": ""}, _NO_ID, 201),
    *(Answer(f"no JSON object: {body!r}", "accepted", body, _NO_ID) for body in NOT_OBJECTS),
)

_PROGRESS = (
    Answer("starting", "progress", prediction("starting"), Progress(State.QUEUED)),
    Answer(
        "processing, with the whole log",
        "progress",
        prediction("processing", logs=TQDM, **STARTED),
        Progress(State.RUNNING, logs=LINES),
    ),
    Answer(
        "processing, with output: it is not done yet",
        "progress",
        prediction("processing", output=URL, **STARTED),
        Progress(State.RUNNING),
    ),
    Answer("no logs", "progress", prediction("starting", logs=None), Progress(State.QUEUED)),
    Answer("odd logs", "progress", prediction("starting", logs=["x"]), Progress(State.QUEUED)),
    Answer(
        "a word that we do not know", "progress", prediction("pausing"), Progress(State.RUNNING)
    ),
    Answer("a word of another type", "progress", {"status": ["x"]}, Progress(State.RUNNING)),
    *(
        Answer(f"no status: {body!r}", "progress", body, Progress(State.RUNNING))
        for body in NOT_OBJECTS
    ),
    *(
        Answer(
            f"succeeded, {name}", "progress", prediction("succeeded", output=output), ready(*images)
        )
        for name, output, images in _OUTPUTS
    ),
    Answer(
        "succeeded, with log and metrics",
        "outcome",
        prediction(
            "succeeded", output=URL, logs=TQDM, metrics={"predict_time": 6.1, "image_count": 1}
        ),
        ready(
            Output(url=URL), logs=LINES, reply={"metrics": {"predict_time": 6.1, "image_count": 1}}
        ),
    ),
    Answer(
        "odd metrics",
        "outcome",
        prediction("succeeded", output=URL, metrics=7),
        ready(Output(url=URL)),
    ),
    *(
        Answer(
            f"succeeded without an image: {output!r}",
            "outcome",
            prediction("succeeded", output=output),
            Ends(JobFailed, "without an image", "maybe"),
        )
        for output in _IMAGELESS
    ),
    Answer(
        "deleted after an hour",
        "outcome",
        prediction("succeeded", data_removed=True, input={}),
        Ends(Expired, "keeps results for an hour", "yes"),
    ),
)

_ENDED = (
    Answer(
        "failed",
        "progress",
        prediction("failed", error="CUDA out of memory"),
        Ends(JobFailed, "failed: CUDA out of memory", "maybe"),
    ),
    Answer(
        "failed, no reason", "progress", prediction("failed"), Ends(JobFailed, "no reason given")
    ),
    Answer(
        "moderated",
        "progress",
        prediction("failed", error=FLAGGED),
        Ends(Moderated, "flagged as sensitive", "maybe"),
    ),
    Answer(
        "moderated, as open models say it",
        "progress",
        prediction("failed", error="NSFW content detected. Try running it again."),
        Ends(Moderated, "NSFW content", "maybe"),
    ),
    Answer(
        "moderated, by its code alone",
        "outcome",
        prediction("failed", error="Try again. (E005)"),
        Ends(Moderated, "E005", "maybe"),
    ),
    Answer(
        "canceled at work: charged",
        "progress",
        prediction("canceled", **STARTED),
        Ends(Canceled, "was canceled", "yes"),
    ),
    Answer(
        "canceled, not known when",
        "progress",
        prediction("canceled"),
        Ends(Canceled, "was canceled", "maybe"),
    ),
    Answer(
        "its deadline passed before it started: free",
        "progress",
        prediction("aborted"),
        Ends(Canceled, "before it started", "no"),
    ),
)

_HTTP = (
    Answer(
        "no such prediction", "progress", NOT_FOUND, Ends(Expired, "does not know", "maybe"), 404
    ),
    Answer("bad key, polling", "progress", KEY_REFUSED, Ends(RejectedKey, "valid"), 401),
    Answer("a gateway's page", "outcome", HTML, Ends(JobFailed, "a web page"), 502),
    Answer("bad key", "refused", KEY_REFUSED, Ends(RejectedKey, "authentication token", "no"), 401),
    Answer("no credit", "refused", NO_CREDIT, Ends(NoCredit, "insufficient credit", "no"), 402),
    Answer("no such model", "refused", NOT_FOUND, Ends(JobFailed, "could not be found", "no"), 404),
    Answer("not valid", "refused", INVALID, Ends(JobFailed, "must be one of", "no"), 422),
    Answer("too many", "refused", THROTTLED, Ends(JobFailed, "throttled", "no"), 429),
)

_CANCELED = (
    Answer("removed", "canceled", prediction("canceled"), Cancellation.REMOVED),
    Answer("aborted", "canceled", prediction("aborted"), Cancellation.REMOVED),
    Answer("at work", "canceled", prediction("canceled", **STARTED), Cancellation.REQUESTED),
    Answer("on its way", "canceled", prediction("processing", **STARTED), Cancellation.REQUESTED),
    Answer("no body", "canceled", b"", Cancellation.REQUESTED),
    Answer("too late", "canceled", prediction("succeeded", output=URL), Cancellation.TOO_LATE),
    Answer("too late: failed", "canceled", prediction("failed"), Cancellation.TOO_LATE),
    Answer("not known", "canceled", NOT_FOUND, Cancellation.UNKNOWN, 404),
    Answer("bad key", "canceled", KEY_REFUSED, Ends(RejectedKey, "valid"), 401),
)

ANSWERS = (*_ACCEPTED, *_PROGRESS, *_ENDED, *_HTTP, *_CANCELED)
