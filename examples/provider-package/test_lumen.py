"""The cases of lumen: python -m pytest test_lumen.py"""

import pytest
from kontext_lumen import Lumen

from kontext_cli.providers.cases import (
    KEY,
    A,
    Answer,
    B,
    Case,
    Costs,
    Ends,
    Limit,
    Refused,
    Sent,
    Table,
    cases,
)
from kontext_cli.providers.interface import (
    Call,
    Canceled,
    Cancellation,
    Expired,
    Handle,
    JobFailed,
    Moderated,
    NoCredit,
    Output,
    Progress,
    RejectedKey,
    State,
    UnexpectedReply,
)

URL = "https://api.lumen.example/v1/images"
HANDLE = Handle("lu/1")
JOB = f"{URL}/lu%2F1"
LINK = "https://files.lumen.example/a.jpg"


def refused(name: str, status: int, kind: str, expected: Ends) -> Answer:
    return Answer(name, "refused", {"error": {"type": kind, "message": kind}}, expected, status)


def status(state: str, expected: Progress | Ends, **more: object) -> Answer:
    return Answer(state, "progress", {"id": "lu/1", "state": state, **more}, expected)


MADE = Progress(State.READY, done=True, outputs=(Output(LINK),), seed=7)
DONE = {"id": "lu/1", "state": "done", "files": [{"url": LINK}], "seed": 7}

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint="lumen-2",
    handle=HANDLE,
    sent=(
        Sent("generate", URL, {"model": "lumen-2", "prompt": "x"}, model="lumen-2"),
        Sent(
            "edit",
            URL,
            {"model": "lumen-2", "prompt": "x", "count": 2, "inputs": [A, B]},
            {"num_images": 2},
            (A, B),
            "lumen-2",
        ),
    ),
    limits=(
        Limit("prompt", "prompt", {"x": "x"}, {"x" * 2_001: "at most 2,000"}, "lumen-2"),
        Limit("aspect_ratio", "ratio", {"16:9": "16:9"}, {"4:3": "16:9, 1:1, 9:16"}, "lumen-2"),
        Limit("num_images", "count", {1: 1, 4: 4}, {5: "1 to 4"}, "lumen-2"),
        Limit("seed", "seed", {0: 0, 2**32 - 1: 2**32 - 1}, {2**32: "0 to 4"}, "lumen-2"),
    ),
    refused=(
        Refused("lumen does not support `--steps`", {"steps": 4}, model="lumen-2"),
        Refused("takes 1 to 2 images, not 3", images=(A, B, A), model="lumen-2"),
    ),
    costs=(Costs(0.06, "lumen-2", num_images=2),),
    calls={
        "poll": Call("status", "GET", JOB),
        "stream": None,
        "result": Call("result", "GET", JOB),
        "cancel": Call("cancel", "POST", f"{JOB}/cancel"),
    },
    answers=(
        Answer("an id", "accepted", {"id": "lu/1"}, Progress(State.QUEUED, handle=HANDLE)),
        Answer("no id", "accepted", b"OK", Ends(UnexpectedReply, "no id")),
        refused("bad key", 401, "bad_key", Ends(RejectedKey, "bad_key", "no")),
        refused("no credit", 402, "empty", Ends(NoCredit, "empty", "no")),
        refused("moderated", 422, "content_policy", Ends(Moderated, "content_policy", "no")),
        refused("invalid", 400, "ratio", Ends(JobFailed, "ratio", "no")),
        status("waiting", Progress(State.QUEUED, position=2), ahead=2),
        status("drawing", Progress(State.RUNNING)),
        status("blocked", Ends(Moderated, "a face", "no"), reason="a face"),
        status("failed", Ends(JobFailed, "no memory", "no"), reason="no memory"),
        Answer("done", "outcome", DONE, MADE),
        Answer("gone", "outcome", {}, Ends(Expired, "lumen", "maybe"), 404),
        Answer("stopped", "outcome", {}, Ends(Canceled, "canceled", "maybe"), 499),
        *(
            Answer(state, "canceled", {"state": state}, expected)
            for state, expected in (
                ("removed", Cancellation.REMOVED),
                ("drawing", Cancellation.REQUESTED),
                ("done", Cancellation.TOO_LATE),
            )
        ),
        Answer("unknown", "canceled", {}, Cancellation.UNKNOWN, 404),
    ),
)


@pytest.mark.parametrize("case", cases(Lumen, TABLE), ids=lambda case: case.id)
def test_lumen(case: Case) -> None:
    assert list(case.faults()) == []
