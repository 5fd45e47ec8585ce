"""Replicate's cases. Sources: the API pages of its models, and its HTTP reference."""

from collections.abc import Mapping
from typing import Any

import scripted
from kontext_cli.errors import RejectedKey, UnexpectedReply
from kontext_cli.http.call import Call, Part
from kontext_cli.job import Handle, Progress, State
from kontext_cli.providers.base import Place
from kontext_cli.providers.cases import (
    KEY,
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
from providers.limits import ASPECT_RATIO, PROMPT
from providers.predictions import ANSWERS, HANDLE, ID, KEY_REFUSED, URL, calls, prediction
from providers.results import HUGE_SEED
from samples import image_file

HOME = "https://api.replicate.com"
IMAGE, IMAGES = (A,), (A, B)


def model_url(name: str) -> str:
    """Where a model takes its requests."""
    return f"{HOME}/v1/models/black-forest-labs/{name}/predictions"


def sent(
    name: str, model: str, body: Mapping[str, Any], *, edit: bool = False, **more: Any
) -> Sent:
    """A request to a model, its body within `input`."""
    label = f"{'edit' if edit else 'generate'}, {model}"
    images = {"images": IMAGE} if edit else {}
    given: dict[str, Any] = {**images, **more}
    return Sent(label, model_url(name), {"input": {"prompt": "x", **body}}, model=model, **given)


KONTEXT = {
    "aspect_ratio": "9:21",
    "seed": HUGE_SEED,
    "output_format": "jpeg",
    "enhance_prompt": True,
}
KONTEXT_SENT = {
    "aspect_ratio": "9:21",
    "seed": HUGE_SEED,
    "output_format": "jpg",
    "prompt_upsampling": True,
}
SENT = (
    sent(
        "flux-kontext-pro",
        "kontext-pro",
        {**KONTEXT_SENT, "safety_tolerance": 6},
        fields={**KONTEXT, "safety_tolerance": 6},
    ),
    sent(
        "flux-kontext-max", "kontext-max", {"output_format": "png"}, fields={"output_format": "png"}
    ),
    sent(
        "flux-kontext-pro",
        "kontext-pro",
        {**KONTEXT_SENT, "safety_tolerance": 0, "input_image": A},
        edit=True,
        fields={**KONTEXT, "safety_tolerance": 0},
    ),
    sent("flux-kontext-max", "kontext-max", {"input_image": A}, edit=True),
    sent(
        "flux-kontext-dev",
        "kontext-dev",
        {
            "aspect_ratio": "1:1",
            "seed": 0,
            "guidance": 2.5,
            "num_inference_steps": 28,
            "disable_safety_checker": True,
            "output_format": "jpg",
            "input_image": B,
        },
        edit=True,
        images=(B,),
        fields={
            "aspect_ratio": "1:1",
            "seed": 0,
            "guidance_scale": 2.5,
            "steps": 28,
            "no_safety_checker": True,
            "output_format": "jpeg",
        },
    ),
    sent(
        "flux-2-pro",
        "flux-2-pro",
        {"aspect_ratio": "16:9", "safety_tolerance": 5},
        fields={"aspect_ratio": "16:9", "safety_tolerance": 5},
    ),
    sent(
        "flux-2-pro",
        "flux-2-pro",
        {"aspect_ratio": "match_input_image", "input_images": [A, B]},
        edit=True,
        images=IMAGES,
    ),
    sent("flux-2-max", "flux-2-max", {"seed": 7}, fields={"seed": 7}),
    sent(
        "flux-2-max",
        "flux-2-max",
        {"aspect_ratio": "3:4", "input_images": [A]},
        edit=True,
        fields={"aspect_ratio": "3:4"},
    ),
    sent(
        "flux-2-flex",
        "flux-2-flex",
        {"guidance": 4.5, "steps": 30, "prompt_upsampling": False},
        fields={"guidance_scale": 4.5, "steps": 30, "enhance_prompt": False},
    ),
    sent(
        "flux-2-flex",
        "flux-2-flex",
        {"aspect_ratio": "match_input_image", "input_images": [A]},
        edit=True,
    ),
    sent(
        "flux-3-image",
        "flux-3",
        {"aspect_ratio": "21:9", "resolution": "4k", "safety_tolerance": 4},
        fields={"aspect_ratio": "21:9", "resolution": "4k", "safety_tolerance": 4},
    ),
    sent("flux-3-image", "flux-3", {"images": [A, B]}, edit=True, images=IMAGES),
    Sent(
        "the id of a model that edits, too",
        model_url("flux-kontext-pro"),
        {"input": {"prompt": "x", "input_image": A}},
        images=IMAGE,
        model="black-forest-labs/flux-kontext-pro",
    ),
    Sent(
        "a model that is not in the table",
        f"{HOME}/v1/models/someone/flux-of-theirs/predictions",
        {"input": {"prompt": "x", "seed": 3}},
        {"seed": 3},
        model="someone/flux-of-theirs",
    ),
)


def tolerance(least: int, most: int, model: str, images: tuple[str, ...] = ()) -> Limit:
    """The limits of the safety tolerance, a number on the wire."""
    words = f"for replicate, `--safety-tolerance` should be {least} to {most}, not"
    below = {0: f"{words} 0"} if least else {}
    above = {most + 1: f"{words} {most + 1}"} if most < 6 else {7: "should be 0 to 6, not 7"}
    taken = {least: least, most: most}
    return Limit("safety_tolerance", "safety_tolerance", taken, {**below, **above}, model, images)


def enhanced(model: str, images: tuple[str, ...] = ()) -> Limit:
    """The switch for better prompts."""
    return Limit(
        "enhance_prompt",
        "prompt_upsampling",
        {True: True, False: False},
        model=model,
        images=images,
    )


LIMITS = (
    PROMPT,
    ASPECT_RATIO,
    Limit("seed", "seed", {0: 0, HUGE_SEED: HUGE_SEED}, {-1: "should be at least 0, not -1"}),
    Limit(
        "output_format",
        "output_format",
        {"jpeg": "jpg", "png": "png"},
        {"webp": "should be 'jpeg' or 'png'"},
    ),
    enhanced("kontext-pro"),
    tolerance(0, 6, "kontext-pro"),
    tolerance(0, 2, "kontext-pro", IMAGE),
    Limit(
        "guidance_scale",
        "guidance",
        {0.0: 0.0, 10.0: 10.0},
        {10.5: "for replicate, `--guidance-scale` should be 0 to 10, not 10.5"},
        "kontext-dev",
        IMAGE,
    ),
    Limit(
        "steps",
        "num_inference_steps",
        {4: 4, 50: 50},
        {3: "for replicate, `--steps` should be 4 to 50, not 3", 51: "should be 4 to 50, not 51"},
        "kontext-dev",
        IMAGE,
    ),
    Limit(
        "no_safety_checker",
        "disable_safety_checker",
        {True: True, False: False},
        model="kontext-dev",
        images=IMAGE,
    ),
    Limit(
        "aspect_ratio",
        "aspect_ratio",
        {"16:9": "16:9", "9:16": "9:16"},
        {
            "21:9": "for replicate, `--aspect-ratio` should be "
            "16:9, 4:3, 3:2, 1:1, 2:3, 3:4, 9:16, not 21:9"
        },
        "flux-2-pro",
    ),
    tolerance(1, 5, "flux-2-pro"),
    enhanced("flux-2-flex"),
    Limit(
        "guidance_scale",
        "guidance",
        {1.5: 1.5, 10.0: 10.0},
        {1.0: "should be 1.5 to 10, not 1.0", 11.0: "should be 1.5 to 10, not 11.0"},
        "flux-2-flex",
    ),
    Limit("steps", "steps", {1: 1, 50: 50}, {0: "should be 1 to 50, not 0"}, "flux-2-flex"),
    tolerance(0, 4, "flux-3"),
    Limit(
        "resolution",
        "resolution",
        {"768sq": "768sq", "4k": "4k"},
        {"8k": "should be '768sq', '1k', '1.5k', '2k' or '4k'"},
        "flux-3",
    ),
)

REFUSED = (
    Refused("does not support `--num-images`", {"num_images": 2}, hint="fal"),
    Refused("does not support `--sync-mode`", {"sync_mode": True}, hint="fal"),
    Refused(
        "does not support `--guidance-scale` with kontext-pro",
        {"guidance_scale": 3.5},
        hint="flux-2-flex has it there",
    ),
    Refused(
        "does not support `--safety-tolerance` with kontext-dev",
        {"safety_tolerance": 2},
        images=IMAGE,
        model="kontext-dev",
        hint="kontext-pro",
    ),
    Refused("does not support `--seed` with flux-3", {"seed": 7}, model="flux-3"),
    Refused("does not generate with the model `kontext-dev`", model="kontext-dev"),
    Refused("is for `kontext edit`", model="black-forest-labs/flux-kontext-dev"),
    Refused("takes 1 image, not 2", images=IMAGES),
    Refused("is not an endpoint id", model="black-forest-labs/../../v1/account"),
)

COSTS = (
    Costs(0.04),
    Costs(0.08, "kontext-max"),
    Costs(0.03, "flux-2-pro"),
    Costs(0.06, "flux-2-flex"),
    Costs(0.075, "flux-2-pro", sizes=[(1024, 1024), (1025, 1024)]),
    Costs(0.19, "flux-2-max", sizes=[(2048, 2048)]),
    Costs(None, "flux-2-pro", sizes=[None]),
    Costs(None, "flux-3"),
    Costs(None, "black-forest-labs/flux-kontext-pro"),
)

PLACELESS: tuple[Any, ...] = ({"urls": {}}, {"urls": {"get": 7}}, {"urls": "x"}, {})
FILE_URL = f"{HOME}/v1/files/cneqzikepnug6xezperrr4z55o"
UPLOADS = (
    Answer(
        "a place for an input image",
        "stored",
        {"id": "cneqzikepnug6xezperrr4z55o", "name": "input.png", "urls": {"get": FILE_URL}},
        Place(FILE_URL),
        201,
    ),
    *(
        Answer(f"no place: {body}", "stored", body, Ends(UnexpectedReply, "named no place"), 201)
        for body in PLACELESS
    ),
    Answer("no place: bad key", "stored", KEY_REFUSED, Ends(RejectedKey, "valid", "no"), 401),
)

CAR = "Change the car color to red, turn the headlights on, and make the sky a little more dramatic"
DOCUMENTS = (
    Document(
        "flux-kontext-pro",
        {"prompt": CAR, "safety_tolerance": 2, "enhance_prompt": False},
        {
            "input": {
                "prompt": CAR,
                "input_image": A,
                "output_format": "jpg",
                "safety_tolerance": 2,
                "prompt_upsampling": False,
            }
        },
        {
            f"POST {model_url('flux-kontext-pro')}": scripted.Answer(prediction("starting"), 201),
            f"GET {HOME}/v1/predictions/{ID}": [
                prediction("starting"),
                prediction("processing", logs="generating"),
                prediction("succeeded", output=URL, metrics={"predict_time": 6.1}),
            ],
            f"GET {URL}": image_file("jpeg", (1024, 1024)),
        },
        (1024, 1024),
        reply={"metrics": {"predict_time": 6.1}},
        images=IMAGE,
    ),
)

TABLE = Table(
    headers={"Authorization": f"Bearer {KEY}"},
    endpoint="black-forest-labs/flux-kontext-pro",
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=COSTS,
    answers=(
        *ANSWERS,
        *UPLOADS,
        Answer(
            "an id that is no path segment",
            "accepted",
            {"id": "a/../b?c"},
            Progress(State.QUEUED, handle=Handle("a/../b?c")),
            201,
        ),
    ),
    handle=HANDLE,
    calls={
        **calls(HOME),
        "upload": Call(
            "upload",
            "POST",
            f"{HOME}/v1/files",
            parts=(Part("content", b"bytes", "input.png", "image/png"),),
        ),
    },
    pasted={
        "https://proxy.example": "https://proxy.example",
        "https://proxy.example/": "https://proxy.example",
        "https://proxy.example/v1": "https://proxy.example",
        "https://proxy.example/replicate/v1/": "https://proxy.example/replicate",
    },
)
