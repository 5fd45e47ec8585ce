"""Hugging Face's cases. Source: huggingface_hub 2.4.0, read and run; the answers of each host are
those of its own table."""

from collections.abc import Mapping
from typing import Any

from kontext_cli.errors import Moderated, NoCredit, RejectedKey
from kontext_cli.http.call import Call
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers.cases import KEY, A, Answer, B, Costs, Ends, Limit, Refused, Sent, Table
from providers import fal_queue, predictions
from providers.documents import Document
from providers.limits import ASPECT_RATIO, OUTPUT_FORMAT, PROMPT
from providers.results import ready
from providers.tiger import OUTPUT_URL
from samples import image_file

HOME = "https://router.huggingface.co"
FAL = "fal-ai/fal-ai/flux-kontext/dev"
REPLICATE = "replicate/black-forest-labs/flux-kontext-dev"
TOGETHER = "together/black-forest-labs/FLUX.1-kontext-dev"
FAL_URL = f"{HOME}/{FAL}?_subdomain=queue"
REPLICATE_URL = f"{HOME}/replicate/v1/models/black-forest-labs/flux-kontext-dev/predictions"
TOGETHER_URL = f"{HOME}/together/v1/images/generations"
ID = fal_queue.ID
PATH = f"/fal-ai/flux-kontext/requests/{ID}"
JOB = f"{HOME}/fal-ai{PATH}"
URLS = {"status_url": f"{JOB}/status", "response_url": JOB, "cancel_url": f"{JOB}/cancel"}
HANDLE = Handle(ID, {**URLS, "route": "fal"})

OPTIONS: Mapping[str, Any] = {
    "seed": 7,
    "guidance_scale": 2.5,
    "steps": 28,
    "no_safety_checker": True,
    "output_format": "jpeg",
}
OF_FAL = {"prompt": "x", "image_url": A, "image_urls": [A]}
SENT = (
    Sent("edit", FAL_URL, OF_FAL, images=(A,), model="kontext-dev"),
    Sent(
        "through fal",
        FAL_URL,
        {
            **OF_FAL,
            "seed": 7,
            "guidance_scale": 2.5,
            "num_inference_steps": 28,
            "enable_safety_checker": False,
            "output_format": "jpeg",
            "resolution_mode": "1:1",
        },
        {**OPTIONS, "aspect_ratio": "1:1"},
        (A,),
        "kontext-dev:fal",
    ),
    Sent(
        "through Replicate",
        REPLICATE_URL,
        {
            "input": {
                "prompt": "x",
                "input_image": A,
                "seed": 7,
                "guidance": 2.5,
                "num_inference_steps": 28,
                "disable_safety_checker": True,
                "output_format": "jpg",
            }
        },
        OPTIONS,
        (A,),
        "kontext-dev:replicate",
    ),
    Sent(
        "through Together",
        TOGETHER_URL,
        {
            "model": "black-forest-labs/FLUX.1-kontext-dev",
            "prompt": "x",
            "image_url": A,
            "seed": 7,
            "guidance_scale": 2.5,
            "steps": 28,
            "disable_safety_checker": True,
            "output_format": "jpeg",
            "n": 2,
            "response_format": "base64",
        },
        {**OPTIONS, "num_images": 2},
        (A,),
        "kontext-dev:together",
    ),
    Sent(
        "the router's own id of an endpoint",
        TOGETHER_URL,
        {
            "model": "black-forest-labs/FLUX.1-kontext-dev",
            "prompt": "x",
            "image_url": A,
            "response_format": "base64",
        },
        images=(A,),
        model=TOGETHER,
    ),
)


def through(route: str, *limits: Limit) -> tuple[Limit, ...]:
    """Limits of edits through a route."""
    model = f"kontext-dev:{route}"
    return tuple(row._replace(model=model, images=(A,)) for row in limits)


def bounds(field: str, wire: str, least: Any, most: Any) -> Limit:
    """A number between two limits."""
    words = f"should be {least:g} to {most:g}, not"
    outside = {least - 1: f"{words} {least - 1:g}", most + 1: f"{words} {most + 1:g}"}
    return Limit(field, wire, {least: least, most: most}, outside)


SEED = Limit("seed", "seed", {0: 0}, {-1: "should be at least 0, not -1"})
COUNT = {0: "should be 1 to 4, not 0", 5: "should be 1 to 4, not 5"}
LIMITS = (
    *through(
        "fal",
        PROMPT,
        SEED,
        ASPECT_RATIO._replace(wire="resolution_mode"),
        Limit("num_images", "num_images", {1: 1, 4: 4}, COUNT),
        bounds("guidance_scale", "guidance_scale", 1.0, 20.0),
        Limit("no_safety_checker", "enable_safety_checker", {True: False}),
        bounds("steps", "num_inference_steps", 10, 50),
        OUTPUT_FORMAT,
        Limit("enhance_prompt", "enhance_prompt", {True: True}),
        Limit("sync_mode", "sync_mode", {True: True}),
    ),
    *through(
        "replicate",
        SEED,
        ASPECT_RATIO,
        OUTPUT_FORMAT._replace(taken={"jpeg": "jpg", "png": "png"}),
        bounds("guidance_scale", "guidance", 0.0, 10.0),
        bounds("steps", "num_inference_steps", 4, 50),
        Limit("no_safety_checker", "disable_safety_checker", {True: True}),
    ),
    *through(
        "together",
        PROMPT,
        SEED,
        ASPECT_RATIO,
        OUTPUT_FORMAT,
        Limit("num_images", "n", {1: 1, 4: 4}, COUNT),
        bounds("guidance_scale", "guidance_scale", 0.0, 20.0),
        bounds("steps", "steps", 1, 50),
        Limit("no_safety_checker", "disable_safety_checker", {True: True}),
    ),
)

REFUSED = (
    Refused("huggingface has no `generate`", hint="fal"),
    Refused("does not edit with the model `kontext-pro`", images=(A,)),
    Refused("takes 1 image, not 2", images=(A, B), model="kontext-dev"),
    Refused(
        "does not support `--num-images` with kontext-dev:replicate",
        {"num_images": 2},
        (A,),
        "kontext-dev:replicate",
        "kontext-dev, kontext-dev:fal and kontext-dev:together",
    ),
    Refused("has no route `nscale`", images=(A,), model="nscale/any/model", hint="fal-ai/fal-ai"),
)


def refused(name: str, status: int, message: str, expected: Ends) -> Answer:
    """A refusal by the router itself."""
    return Answer(name, "refused", {"error": message}, expected, status)


NO_CREDIT = "You have exceeded your monthly included credits for Inference Providers."
NOT_ENABLED = "Pay-as-you go is not enabled for provider fal-ai yet."
ANSWERS = (
    *(row for row in fal_queue.ANSWERS if row.step != "accepted"),
    Answer(
        "fal's own URLs, moved to the router",
        "accepted",
        fal_queue.submitted("queue.fal.run", PATH),
        Progress(State.QUEUED, handle=HANDLE),
    ),
    Answer(
        "URLs of a stranger",
        "accepted",
        fal_queue.submitted("evil.example", PATH),
        Progress(State.QUEUED, handle=HANDLE),
    ),
    Answer(
        "through Replicate",
        "accepted",
        predictions.prediction("starting"),
        Progress(State.QUEUED, handle=Handle(predictions.ID, {"route": "replicate"})),
        201,
        endpoint=REPLICATE,
    ),
    Answer(
        "through Together",
        "accepted",
        {"data": [{"index": 0, "type": "b64_json", "b64_json": "AAAA"}]},
        ready(Output(b64="AAAA")),
        endpoint=TOGETHER,
    ),
    *(
        refused(f"{status}: {text}", status, text, Ends(error, text, "no"))
        for status, text, error in (
            (402, NO_CREDIT, NoCredit),
            (402, NOT_ENABLED, NoCredit),
            (401, "Invalid username or password.", RejectedKey),
            (422, "flagged by a content checker", Moderated),
        )
    ),
)

CAT = "turn the cat into a tiger"
FILE = OUTPUT_URL
DOCUMENTS = (
    Document(
        "image_to_image of the official client",
        {"prompt": CAT},
        {"prompt": CAT, "image_url": A, "image_urls": [A], "output_format": "jpeg"},
        {
            f"POST {FAL_URL}": fal_queue.submitted("queue.fal.run", PATH),
            f"GET {JOB}/status?_subdomain=queue": {"status": "COMPLETED"},
            f"GET {JOB}?_subdomain=queue": {"images": [{"url": FILE}], "seed": 7},
            f"GET {FILE}": image_file("jpeg", (1024, 1024)),
        },
        (1024, 1024),
        reply={},
        seed=7,
        images=(A,),
        model="kontext-dev",
    ),
)

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint=FAL,
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=(
        Costs(0.025, "kontext-dev", sizes=((1024, 1024),)),
        Costs(0.05, "kontext-dev:fal", sizes=((2048, 1024),)),
        Costs(0.025, "kontext-dev:replicate", sizes=((2048, 1024),)),
        Costs(None, "kontext-dev:together", sizes=((1024, 1024),)),
    ),
    answers=ANSWERS,
    handle=HANDLE,
    calls={
        "poll": Call("status", "GET", f"{JOB}/status?_subdomain=queue"),
        "stream": None,
        "result": Call("result", "GET", f"{JOB}?_subdomain=queue"),
        "cancel": Call("cancel", "PUT", f"{JOB}/cancel?_subdomain=queue"),
    },
)
