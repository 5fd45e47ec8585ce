"""AIMLAPI's cases. Sources: its pages of `flux/kontext-pro` and `-max`, and of its errors."""

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
from providers.limits import (
    ASPECT_RATIO,
    GUIDANCE_SCALE,
    NUM_IMAGES,
    OUTPUT_FORMAT,
    SAFETY_TOLERANCE,
)
from providers.results import RESULTS, ready
from samples import image_file

HOME = "https://api.aimlapi.com"
CALL_URL = f"{HOME}/v1/images/generations"

SENT = (
    Sent(
        "every option, max",
        CALL_URL,
        {
            "model": "flux/kontext-max/text-to-image",
            "prompt": "x",
            "aspect_ratio": "16:9",
            "num_images": 2,
            "seed": 1,
            "guidance_scale": 1.0,
            "safety_tolerance": "1",
            "output_format": "jpeg",
        },
        {
            "aspect_ratio": "16:9",
            "num_images": 2,
            "seed": 1,
            "guidance_scale": 1.0,
            "safety_tolerance": 1,
            "output_format": "jpeg",
        },
        model="kontext-max",
    ),
    Sent("generate", CALL_URL, {"model": "flux/kontext-pro/text-to-image", "prompt": "x"}),
    Sent(
        "edit",
        CALL_URL,
        {"model": "flux/kontext-pro/image-to-image", "prompt": "x", "image_url": A},
        images=(A,),
    ),
    Sent(
        "edit, several images, max",
        CALL_URL,
        {"model": "flux/kontext-max/image-to-image", "prompt": "x", "image_url": [A, B]},
        images=(A, B),
        model="kontext-max",
    ),
)

SENT_OF_FLUX_2 = (
    Sent(
        "every option, FLUX.2 [pro]",
        CALL_URL,
        {
            "model": "blackforestlabs/flux-2-pro",
            "prompt": "x",
            "image_size": {"width": 1312, "height": 736},
            "seed": 1,
            "safety_tolerance": "6",
            "enable_safety_checker": False,
            "output_format": "jpeg",
        },
        {
            "aspect_ratio": "16:9",
            "seed": 1,
            "safety_tolerance": 6,
            "no_safety_checker": True,
            "output_format": "jpeg",
        },
        model="flux-2-pro",
    ),
    Sent(
        "edit, FLUX.2 [pro]: a list also of one",
        CALL_URL,
        {"model": "blackforestlabs/flux-2-pro-edit", "prompt": "x", "image_urls": [A]},
        images=(A,),
        model="flux-2-pro",
    ),
    Sent(
        "generate, FLUX.2 [max]",
        CALL_URL,
        {
            "model": "blackforestlabs/flux-2-max",
            "prompt": "x",
            "image_size": {"width": 1024, "height": 1024},
            "safety_tolerance": "5",
        },
        {"aspect_ratio": "1:1", "safety_tolerance": 5},
        model="flux-2-max",
    ),
)

LIMITS = (
    Limit(
        "aspect_ratio",
        "image_size",
        {"21:9": {"width": 1504, "height": 640}, "9:21": {"width": 640, "height": 1504}},
        ASPECT_RATIO.outside,
        "flux-2-pro",
    ),
    Limit("no_safety_checker", "enable_safety_checker", {True: False}, {}, "flux-2-pro"),
    OUTPUT_FORMAT._replace(model="flux-2-pro"),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {1: "1", 5: "5"},
        {6: "for aimlapi, `--safety-tolerance` should be 1 to 5, not 6"},
        "flux-2-max",
    ),
    Limit(
        "prompt",
        "prompt",
        {"x": "x", "x" * 4_000: "x" * 4_000},
        {"x" * 4_001: "the prompt has 4,001 characters; aimlapi takes at most 4,000 characters"},
    ),
    ASPECT_RATIO,
    NUM_IMAGES,
    Limit(
        "seed",
        "seed",
        {1: 1, 2**40: 2**40},
        {0: "for aimlapi, `--seed` should be at least 1, not 0"},
    ),
    GUIDANCE_SCALE,
    SAFETY_TOLERANCE,
    OUTPUT_FORMAT,
)

REFUSED = (
    Refused("aimlapi does not support `--sync-mode`", {"sync_mode": True}),
    Refused("aimlapi does not support `--enhance-prompt`", {"enhance_prompt": True}),
    Refused("does not edit with the model", images=(A,), model="kontext-ultra"),
    Refused("aimlapi does not edit with the model", images=(A,), model="flux-2-max", hint="fal"),
    Refused("does not generate with the model", model="flux-2-flex", hint="fal"),
    Refused("takes 1 to 3 images, not 4", images=(A, B, A, B), model="flux-2-pro"),
    Refused(
        "aimlapi does not support `--num-images` with flux-2-pro",
        {"num_images": 2},
        model="flux-2-pro",
    ),
)


def spent(name: str, usd: float | None, header: str, meta: Any = None) -> Answer:
    """An answer with what the call cost in a header, in the body, or in both."""
    return Answer(
        name,
        "accepted",
        {"data": [{"url": "u"}], "meta": meta},
        ready(Output(url="u"), usd=usd),
        headers={"x-aimlapi-usd-spent": header},
    )


ANSWERS = (
    *(Answer(name, "accepted", body, expected, 201) for name, body, expected in RESULTS),
    spent("its cost in the body", 0.052, "0.1", {"usage": {"usd_spent": 0.052}}),
    spent("its cost in a header", 0.052, "0.052"),
    *(spent(f"no cost: {value!r}", None, value) for value in ("", "free", "nan", "-1")),
    *(
        Answer(f"not JSON: {body!r}", "accepted", body, Ends(UnexpectedReply, "not JSON"))
        for body in NOT_OBJECTS
    ),
    Answer(
        "a success without images",
        "accepted",
        {"images": []},
        Ends(JobFailed, "without an image", "maybe"),
    ),
    Answer(
        "a payload that it does not take",
        "refused",
        {"statusCode": 400, "message": "Body validation error", "path": "/v1"},
        Ends(JobFailed, "Body validation error", "no"),
        400,
    ),
    Answer(
        "bad key",
        "refused",
        {"statusCode": "401", "message": "a valid API key"},
        Ends(RejectedKey, "valid API key", "no"),
        401,
    ),
    Answer(
        "no credit",
        "refused",
        {"statusCode": 403, "message": "You are out of it"},
        Ends(NoCredit, "You are out of it", "no"),
        403,
    ),
    Answer(
        "no such model",
        "refused",
        {"message": {"text": "no such model"}},
        Ends(JobFailed, "no such model", "no"),
        404,
    ),
    Answer(
        "moderated",
        "refused",
        {"message": "Content moderation refused the prompt"},
        Ends(Moderated, "moderation", "no"),
        400,
    ),
)

T_REX = "A T-Rex relaxing on a beach, lying on a sun lounger and wearing sunglasses."
BIRD = "Add a bird to the foreground of the photo."
MUG = (
    "Place this image with the t-rex on this mug from the second image as a print. "
    "Make it look fit and natural."
)
T_REX_PNG = "https://raw.githubusercontent.com/aimlapi/api-docs/main/reference-files/t-rex.png"
DEV_T_REX = "https://zovi0.github.io/public_misc/flux-dev-t-rex.png"
BLUE_MUG = "https://zovi0.github.io/public_misc/blue-mug.jpg"
FILES = "https://cdn.aimlapi.com/squirrel/files"


def document(
    name: str,
    fields: Mapping[str, Any],
    sent: Mapping[str, Any],
    file: str,
    size: tuple[int, int],
    seed: int,
    images: tuple[str, ...] = (),
    model: str = "kontext-pro",
) -> Document:
    """One of AIMLAPI's examples, with the response that its page documents."""
    width, height = size
    prompt, url = fields["prompt"], f"{FILES}/{file}"
    answer = {
        "images": [{"url": url, "width": width, "height": height, "content_type": "image/jpeg"}],
        "timings": {},
        "seed": seed,
        "has_nsfw_concepts": [False],
        "prompt": prompt,
    }
    return Document(
        name,
        fields,
        {"prompt": prompt, "output_format": "jpeg", **sent},
        {f"POST {CALL_URL}": answer, f"GET {url}": image_file("jpeg", size)},
        size,
        {"prompt": prompt, "timings": {}},
        seed,
        images,
        model,
    )


DOCUMENTS = (
    document(
        "flux/kontext-pro/text-to-image",
        {"prompt": T_REX, "aspect_ratio": "21:9"},
        {"model": "flux/kontext-pro/text-to-image", "aspect_ratio": "21:9"},
        "koala/6e4yw7_YnA8tEe03QW8wW_5298e11d.jpg",
        (1568, 672),
        2561481494,
    ),
    document(
        "flux/kontext-max/text-to-image",
        {"prompt": T_REX, "aspect_ratio": "21:9"},
        {"model": "flux/kontext-max/text-to-image", "aspect_ratio": "21:9"},
        "koala/max.jpg",
        (1568, 672),
        2887093264,
        model="kontext-max",
    ),
    document(
        "flux/kontext-pro/image-to-image, one image",
        {"prompt": BIRD},
        {"model": "flux/kontext-pro/image-to-image", "image_url": T_REX_PNG},
        "panda/qMuknweKekEYlj9-RdUNt_f0706e45.jpg",
        (1184, 880),
        3959063143,
        images=(T_REX_PNG,),
    ),
    document(
        "flux/kontext-pro/image-to-image, two images",
        {"prompt": MUG},
        {"model": "flux/kontext-pro/image-to-image", "image_url": [DEV_T_REX, BLUE_MUG]},
        "lion/rXRknU80d-8ywPnLBq4G8_59b65fe4.jpg",
        (1184, 880),
        1068148133,
        images=(DEV_T_REX, BLUE_MUG),
    ),
)

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint="flux/kontext-pro/text-to-image",
    sent=(*SENT, *SENT_OF_FLUX_2),
    limits=LIMITS,
    refused=REFUSED,
    costs=(Costs(0.052), Costs(0.208, "kontext-max", num_images=2), Costs(None, "flux-2-pro")),
    answers=ANSWERS,
    pasted={
        "https://proxy.example": "https://proxy.example",
        "https://proxy.example/": "https://proxy.example",
        "https://proxy.example/v1/": "https://proxy.example",
        "https://proxy.example/v1/images/generations": "https://proxy.example",
    },
)
