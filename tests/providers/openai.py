"""The cases of a server that speaks OpenAI's images API, before anything is known of it. Sources:
OpenAI's API reference. What real servers want and answer is in `test_openai.py`."""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import JobFailed, Moderated, NoCredit, RejectedKey, UnexpectedReply
from kontext_cli.job import Output
from kontext_cli.providers.cases import (
    KEY,
    NOT_OBJECTS,
    A,
    Answer,
    B,
    Costs,
    Ends,
    Limit,
    Refused,
    Sent,
    Table,
)
from providers.documents import Document
from providers.limits import NUM_IMAGES, OUTPUT_FORMAT, PROMPT
from providers.results import RESULTS, ready
from samples import image_file

BASE = "https://gpu.example/v1"
GENERATIONS, EDITS = f"{BASE}/images/generations", f"{BASE}/images/edits"
ASKED = {"response_format": "b64_json"}

SENT = (
    Sent("generate", GENERATIONS, {"prompt": "x", **ASKED}, model="default"),
    Sent(
        "generate, a model",
        GENERATIONS,
        {
            "model": "flux/any name:Q4",
            "prompt": "x",
            "size": "1392x752",
            "n": 2,
            "seed": 0,
            "output_format": "png",
            **ASKED,
        },
        {"aspect_ratio": "16:9", "num_images": 2, "seed": 0, "output_format": "png"},
        model="flux/any name:Q4",
    ),
    Sent(
        "edit",
        EDITS,
        {
            "model": ["m"],
            "prompt": ["x"],
            "seed": ["7"],
            "response_format": ["b64_json"],
            "image[]": [("input.png", A.encode()), ("input.png", B.encode())],
        },
        {"seed": 7},
        (A, B),
        "m",
    ),
)

LIMITS = (
    PROMPT,
    Limit(
        "aspect_ratio",
        "aspect_ratio",
        {"21:9": "21:9", "9:21": "9:21"},
        {"5:7": "`--aspect-ratio 5:7` should be"},
        "m",
    ),
    NUM_IMAGES,
    Limit("seed", "seed", {0: 0, 2**40: 2**40}, {-1: "`--seed` should be at least 0, not -1"}),
    Limit(
        "guidance_scale",
        "guidance_scale",
        {0.0: 0.0, 20.0: 20.0},
        {-0.5: "should be 0 to 20, not -0.5", 20.5: "should be 0 to 20, not 20.5"},
    ),
    Limit("steps", "steps", {1: 1, 50: 50}, {0: "should be 1 to 50", 51: "should be 1 to 50"}),
    OUTPUT_FORMAT,
)

REFUSED = (
    Refused("openai does not support `--safety-tolerance`", {"safety_tolerance": 2}),
    Refused("openai does not support `--no-safety-checker`", {"no_safety_checker": True}),
    Refused("has control characters", model="a\nb"),
    Refused("is too long", model="m" * 501),
)


def refused(
    name: str, status: int, message: str, expected: Ends, kind: str = "some_error", code: str = ""
) -> Answer:
    """A refusal, in the form of OpenAI's errors."""
    error = {"message": message, "type": kind, "param": None, "code": code or None}
    return Answer(name, "refused", {"error": error}, expected, status)


def made(*outputs: Output, **more: Any) -> Any:
    """The progress of a job, made by a server of unknown software on the model ``m``."""
    maker = {"server": "OpenAI-compatible", "model": "m"}
    return ready(*outputs, **{**more, "reply": {**more.get("reply", {}), **maker}})


def with_maker(progress: Any) -> Any:
    reply: Mapping[str, Any] = {**progress.reply, **made().reply}
    return progress._replace(reply=reply)


ANSWERS = (
    *(Answer(name, "accepted", body, with_maker(expected)) for name, body, expected in RESULTS),
    Answer(
        "a server that names itself",
        "accepted",
        {"created": 1, "data": [{"b64_json": "AAAA"}]},
        made(Output(b64="AAAA"))._replace(reply={"server": "engine/1", "model": "m"}),
        headers={"server": "engine/1"},
    ),
    *(
        Answer(f"not JSON: {body!r}", "accepted", body, Ends(UnexpectedReply, "not JSON"))
        for body in NOT_OBJECTS
    ),
    Answer("no images", "accepted", {"data": []}, Ends(JobFailed, "without an image", "maybe")),
    refused("bad key", 401, "Incorrect API key", Ends(RejectedKey, "Incorrect", "no")),
    refused(
        "bad key, LiteLLM without a database",
        400,
        "No connected db.",
        Ends(RejectedKey, "No connected db.", "no"),
        "no_db_connection",
    ),
    refused(
        "no credit",
        429,
        "You exceeded your current quota",
        Ends(NoCredit, "exceeded", "no"),
        "insufficient_quota",
        "insufficient_quota",
    ),
    refused(
        "a limit of one's own",
        400,
        "Billing hard limit has been reached",
        Ends(NoCredit, "hard limit", "no"),
        "billing_limit_user_error",
        "billing_hard_limit_reached",
    ),
    refused(
        "moderated",
        400,
        "Your request was rejected by the safety system.",
        Ends(Moderated, "rejected", "no"),
        "image_generation_user_error",
        "moderation_blocked",
    ),
    refused("an invalid request", 400, "invalid n", Ends(JobFailed, "invalid n", "no")),
    Answer(
        "an error in a word, sd-server",
        "refused",
        {"error": "prompt required"},
        Ends(JobFailed, "answered 400: prompt required", "no"),
        400,
    ),
    Answer(
        "an error beside its kind, sd-server",
        "refused",
        {"error": "server_error", "message": "out of memory"},
        Ends(JobFailed, "server_error: out of memory"),
        400,
    ),
    Answer(
        "no image, vLLM-Omni",
        "refused",
        {"detail": [{"type": "missing", "loc": ["body", "image"], "msg": "Field required"}]},
        Ends(JobFailed, "image: Field required"),
        422,
    ),
)

LINK = f"{BASE}/files/a.jpeg"
DOCUMENTS = (
    Document(
        "a link in the answer",
        {"prompt": "A cute baby sea otter", "aspect_ratio": "1:1", "num_images": 1},
        {
            "model": "gpt-image-1",
            "prompt": "A cute baby sea otter",
            "size": "1024x1024",
            "n": 1,
            "output_format": "jpeg",
            **ASKED,
        },
        {
            f"GET {BASE}/models": {
                "object": "list",
                "data": [{"id": "a", "object": "model", "created": 1, "owned_by": "b"}],
            },
            f"POST {GENERATIONS}": {"created": 1589478378, "data": [{"url": LINK}]},
            f"GET {LINK}": image_file("jpeg", (1024, 1024)),
        },
        (1024, 1024),
        reply={"server": "OpenAI-compatible", "model": "gpt-image-1"},
        model="gpt-image-1",
    ),
)

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint="m",
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=(Costs(0, "m"), Costs(0, "default", 4, {"num_images": 4})),
    answers=ANSWERS,
    pasted={
        "http://gpu:8000": "http://gpu:8000/v1",
        "http://gpu:8000/": "http://gpu:8000/v1",
        "https://api.openai.com/v1/images/edits": "https://api.openai.com/v1",
        "https://api.openai.com/v1/models": "https://api.openai.com/v1",
        "https://proxy.example/llm/v1/images/generations/": "https://proxy.example/llm/v1",
        "https://proxy.example/llm": "https://proxy.example/llm",
    },
    base_url=BASE,
    takes_files=True,
)
