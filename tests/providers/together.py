"""Together's cases. Sources: its API reference, its pages on images, its Python client's types."""

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
from providers.limits import ASPECT_RATIO, NUM_IMAGES, OUTPUT_FORMAT, PROMPT
from providers.results import RESULTS, ready
from samples import image_file

HOME = "https://api.together.ai"
CALL_URL = f"{HOME}/v1/images/generations"
BFL = "black-forest-labs"


def sent(
    name: str,
    model: str,
    body: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
    images: tuple[str, ...] = (),
) -> Sent:
    """A request to a model, and what its body has beside model, prompt and the answer's form."""
    operation = "edit" if images else "generate"
    whole = {"model": f"{BFL}/{name}", "prompt": "x", "response_format": "base64", **(body or {})}
    return Sent(f"{operation}, {model}", CALL_URL, whole, fields or {}, images, model)


SENT = (
    sent("FLUX.1-kontext-pro", "kontext-pro"),
    sent("FLUX.1-kontext-pro", "kontext-pro", {"image_url": A}, images=(A,)),
    sent(
        "FLUX.1-kontext-max",
        "kontext-max",
        {
            "aspect_ratio": "16:9",
            "n": 2,
            "seed": 0,
            "guidance_scale": 3.5,
            "output_format": "png",
        },
        {
            "aspect_ratio": "16:9",
            "num_images": 2,
            "seed": 0,
            "guidance_scale": 3.5,
            "output_format": "png",
        },
    ),
    sent("FLUX.1-kontext-max", "kontext-max", {"image_url": B}, images=(B,)),
    sent(
        "FLUX.1-kontext-dev",
        "kontext-dev",
        {"image_url": A, "steps": 28, "disable_safety_checker": True},
        {"steps": 28, "no_safety_checker": True},
        (A,),
    ),
    sent(
        "FLUX.2-pro",
        "flux-2-pro",
        {"width": 1312, "height": 736},
        {"aspect_ratio": "16:9"},
    ),
    sent("FLUX.2-pro", "flux-2-pro", {"reference_images": [A, B]}, images=(A, B)),
    sent("FLUX.2-max", "flux-2-max", {"seed": 7}, {"seed": 7}),
    sent("FLUX.2-max", "flux-2-max", {"reference_images": [A]}, images=(A,)),
    sent(
        "FLUX.2-flex",
        "flux-2-flex",
        {"steps": 50, "guidance_scale": 4.5},
        {"steps": 50, "guidance_scale": 4.5},
    ),
    sent(
        "FLUX.2-flex",
        "flux-2-flex",
        {"width": 1024, "height": 1024, "reference_images": [A]},
        {"aspect_ratio": "1:1"},
        (A,),
    ),
)

LIMITS = (
    PROMPT,
    ASPECT_RATIO,
    NUM_IMAGES._replace(wire="n"),
    Limit(
        "seed",
        "seed",
        {0: 0, 2**40: 2**40},
        {-1: "`--seed` should be at least 0, not -1"},
    ),
    Limit(
        "guidance_scale",
        "guidance_scale",
        {0.0: 0.0, 20.0: 20.0},
        {-0.5: "should be 0 to 20, not -0.5", 20.5: "should be 0 to 20, not 20.5"},
    ),
    OUTPUT_FORMAT,
    Limit(
        "steps",
        "steps",
        {1: 1, 50: 50},
        {0: "should be 1 to 50, not 0", 51: "should be 1 to 50, not 51"},
        "kontext-dev",
        (A,),
    ),
    Limit("no_safety_checker", "disable_safety_checker", {True: True}, {}, "kontext-dev", (A,)),
    Limit(
        "aspect_ratio",
        "size",
        {"21:9": {"width": 1504, "height": 640}, "9:21": {"width": 640, "height": 1504}},
        ASPECT_RATIO.outside,
        "flux-2-pro",
    ),
)

REFUSED = (
    Refused("together does not support `--safety-tolerance`", {"safety_tolerance": 2}),
    Refused("together does not support `--sync-mode`", {"sync_mode": True}),
    Refused("together does not support `--steps` with kontext-pro", {"steps": 28}),
    Refused(
        "together does not support `--no-safety-checker` with kontext-pro",
        {"no_safety_checker": True},
        (A,),
        hint="kontext-dev has it there",
    ),
    Refused("together takes 1 image, not 2", images=(A, B), hint="flux-2-pro"),
    Refused("takes 1 to 8 images, not 9", images=(A,) * 9, model="flux-2-max"),
    Refused("does not generate with the model `kontext-dev`", model="kontext-dev"),
    Refused("does not generate with the model `flux-3`", model="flux-3"),
)


def refused(name: str, status: int, message: str, expected: Ends) -> Answer:
    """A refusal, in the form of OpenAI's errors."""
    error = {"message": message, "type": "some_error", "param": None, "code": None}
    return Answer(name, "refused", {"error": error}, expected, status)


ANSWERS = (
    *(Answer(name, "accepted", body, expected) for name, body, expected in RESULTS),
    Answer(
        "items of both types",
        "accepted",
        {
            "id": "nz7",
            "object": "list",
            "model": f"{BFL}/FLUX.1-kontext-pro",
            "data": [
                {"index": 0, "type": "b64_json", "b64_json": "AAAA"},
                {"index": 1, "type": "url", "url": f"{HOME}/imgproxy/a"},
            ],
        },
        ready(Output(b64="AAAA"), Output(url=f"{HOME}/imgproxy/a")),
    ),
    *(
        Answer(f"not JSON: {body!r}", "accepted", body, Ends(UnexpectedReply, "not JSON"))
        for body in NOT_OBJECTS
    ),
    Answer("no images", "accepted", {"data": []}, Ends(JobFailed, "without an image", "maybe")),
    refused("bad key", 401, "Invalid API key provided", Ends(RejectedKey, "Invalid", "no")),
    refused("no credit", 402, "spending limit", Ends(NoCredit, "spending limit", "no")),
    refused("an invalid request", 400, "invalid n", Ends(JobFailed, "invalid n", "no")),
    refused("no such model", 404, "Unable to access", Ends(JobFailed, "Unable to access", "no")),
    refused("moderated", 422, "NSFW content detected", Ends(Moderated, "NSFW", "no")),
)

SHIRT = "make his shirt yellow"
LINK = f"{HOME}/imgproxy/abc.jpeg"
DOCUMENTS = (
    Document(
        "FLUX.1-kontext-pro, with a link in the answer",
        {"prompt": SHIRT, "aspect_ratio": "1:1"},
        {
            "model": f"{BFL}/FLUX.1-kontext-pro",
            "prompt": SHIRT,
            "image_url": A,
            "aspect_ratio": "1:1",
            "output_format": "jpeg",
            "response_format": "base64",
        },
        {
            f"POST {CALL_URL}": {
                "id": "nz7",
                "object": "list",
                "model": f"{BFL}/FLUX.1-kontext-pro",
                "data": [{"index": 0, "type": "url", "url": LINK}],
            },
            f"GET {LINK}": image_file("jpeg", (1024, 1024)),
        },
        (1024, 1024),
        reply={},
        images=(A,),
    ),
)

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint=f"{BFL}/FLUX.1-kontext-pro",
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=(Costs(None), Costs(None, "flux-2-pro")),
    answers=ANSWERS,
    pasted={
        "https://proxy.example": "https://proxy.example",
        "https://proxy.example/": "https://proxy.example",
        "https://proxy.example/v1/": "https://proxy.example",
        "https://api.together.xyz/v1/images/generations": "https://api.together.xyz",
    },
)
