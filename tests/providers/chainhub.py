"""chainhub's cases. Source: its API page; for what that leaves out, manuals of kindred gateways."""

from typing import Any

from kontext_cli.errors import Expired, JobFailed, Moderated, NoCredit, RejectedKey
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers.cases import HTML, KEY, A, Answer, Costs, Ends, Refused, Sent, Table
from providers.documents import Document
from providers.fal_queue import ANSWERS, ENDPOINT, ID, calls, detail, handle, queued, submitted
from providers.limits import (
    ASPECT_RATIO,
    GUIDANCE_SCALE,
    NUM_IMAGES,
    OUTPUT_FORMAT,
    PROMPT,
    SAFETY_TOLERANCE,
)
from providers.results import URL, ready
from providers.tiger import OUTPUT, OUTPUT_URL, TIGER, followed
from samples import image_file

HOME = "https://api.chainhub.tech"

SENT = (
    Sent(
        "some options",
        f"{HOME}/{ENDPOINT}",
        {"prompt": "x", "safety_tolerance": "6", "num_images": 1},
        {"safety_tolerance": 6, "num_images": 1},
    ),
)

LIMITS = (
    PROMPT,
    ASPECT_RATIO,
    NUM_IMAGES,
    GUIDANCE_SCALE,
    SAFETY_TOLERANCE,
    OUTPUT_FORMAT,
)

REFUSED = (
    Refused("chainhub does not support `--seed`", {"seed": 7}),
    Refused("chainhub does not support `--sync-mode`", {"sync_mode": True}),
    Refused("chainhub does not support `--enhance-prompt`", {"enhance_prompt": True}),
    Refused("chainhub has no `edit`", images=(A,)),
    Refused("chainhub does not generate with the model `kontext-max`", model="kontext-max"),
)


def resultless(misses: int | None = None) -> Handle:
    """The handle of a job at a gateway without a status route, after some polls not found."""
    more: dict[str, Any] = {} if misses is None else {"misses": misses}
    return handle(HOME, status_url=None, **more)


def missed(misses: int | None, expected: Progress | Ends) -> Answer:
    """A poll that does not find the job."""
    body = {"error": {"message": "no"}}
    return Answer(
        f"not found, {misses}", "progress", body, expected, 404, handle=resultless(misses)
    )


ANSWERS_OF_CHAINHUB = (
    *ANSWERS,
    Answer("moved to its own host", "accepted", submitted("queue.fal.run"), queued(HOME)),
    *(
        Answer(
            f"no status route: {status} {content!r}",
            "progress",
            content,
            Progress(State.QUEUED, handle=resultless()),
            status,
        )
        for content, status in ((HTML, 404), ({}, 405), (HTML, 200), ([], 200), ({"new": 1}, 200))
    ),
    *(
        Answer(
            f"no result yet: {status} {content}",
            "progress",
            content,
            Progress(State.RUNNING),
            status,
            handle=resultless(),
        )
        for content, status in (
            ({"status": "IN_QUEUE", "request_id": ID, "queue_position": 0}, 200),
            ({"detail": "Request is still in progress"}, 400),
            ({"status": "FAILED", "error": "Request is still in progress"}, 200),
            ({}, 202),
            ({"status": "PROCESSING"}, 200),
            ({"message": "not ready"}, 404),
        )
    ),
    *(
        missed(before, Progress(State.QUEUED, handle=resultless(after)))
        for before, after in ((None, 1), (1, 2), (2, 3))
    ),
    missed(3, Ends(Expired, "no", "maybe")),
    Answer(
        "the result route has the images",
        "progress",
        {"images": [{"url": URL}], "request": {"prompt": "in queue"}},
        ready(Output(url=URL)),
        handle=resultless(),
    ),
    *(
        Answer(
            f"a rejected key is not a missing route: {status}",
            "progress",
            {"error": {"message": "invalid token"}},
            Ends(RejectedKey, "invalid token"),
            status,
        )
        for status in (401, 403)
    ),
    Answer(
        "no credit",
        "progress",
        {"error": {"message": "quota exhausted"}},
        Ends(NoCredit, "quota exhausted"),
        402,
    ),
    Answer(
        "a server error may be billed",
        "outcome",
        {"error": {"message": "boom"}},
        Ends(JobFailed, "boom", "maybe"),
        500,
    ),
    Answer(
        "bad key",
        "refused",
        {"error": {"message": "invalid token", "type": "new_api_error", "code": ""}},
        Ends(RejectedKey, "invalid token", "no"),
        401,
    ),
    Answer(
        "moderated",
        "refused",
        detail("content_policy_violation", "flagged"),
        Ends(Moderated, "flagged", "no"),
        422,
    ),
)

FIELDS = {
    "prompt": TIGER,
    "guidance_scale": 3.5,
    "num_images": 1,
    "output_format": "jpeg",
    "safety_tolerance": 2,
    "aspect_ratio": "1:1",
}

DOCUMENTS = (
    Document(
        ENDPOINT,
        FIELDS,
        {**FIELDS, "safety_tolerance": "2"},
        {**followed(HOME), f"GET {OUTPUT_URL}": image_file("jpeg", (1024, 1024))},
        (1024, 1024),
        reply={"prompt": OUTPUT["prompt"]},
    ),
)

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint=ENDPOINT,
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=(Costs(None),),
    answers=ANSWERS_OF_CHAINHUB,
    handle=handle(HOME),
    calls=calls(HOME, None),
)
