"""fal's cases. Sources: its model pages, its queue documentation, the types of its clients."""

from typing import Any

from kontext_cli.errors import JobFailed, Moderated, NoCredit, RejectedKey, UnexpectedReply
from kontext_cli.http.call import Call
from kontext_cli.job import Progress, State
from kontext_cli.providers.base import Place
from providers.cases import KEY, A, Answer, B, Costs, Document, Ends, Limit, Refused, Sent, Table
from providers.fal_queue import (
    ANSWERS,
    ENDPOINT,
    ID,
    PATH,
    calls,
    detail,
    handle,
    queued,
    submitted,
)
from providers.limits import (
    ASPECT_RATIO,
    GUIDANCE_SCALE,
    NUM_IMAGES,
    OUTPUT_FORMAT,
    PROMPT,
    SAFETY_TOLERANCE,
)
from providers.results import HUGE_SEED
from providers.tiger import OUTPUT, OUTPUT_URL, TIGER, followed
from samples import image_file

HOME = "https://queue.fal.run"
KONTEXT = "fal-ai/flux-pro/kontext"

SENT = (
    Sent(
        "every option, max",
        f"{HOME}/{KONTEXT}/max/text-to-image",
        {
            "prompt": "x",
            "aspect_ratio": "9:21",
            "num_images": 4,
            "seed": HUGE_SEED,
            "guidance_scale": 7.0,
            "safety_tolerance": "6",
            "output_format": "png",
            "enhance_prompt": True,
            "sync_mode": True,
        },
        {
            "aspect_ratio": "9:21",
            "num_images": 4,
            "seed": HUGE_SEED,
            "guidance_scale": 7.0,
            "safety_tolerance": 6,
            "output_format": "png",
            "enhance_prompt": True,
            "sync_mode": True,
        },
        model="kontext-max",
    ),
    Sent("generate", f"{HOME}/{ENDPOINT}", {"prompt": "x"}),
    Sent("edit", f"{HOME}/{KONTEXT}", {"prompt": "x", "image_url": A}, images=(A,)),
    Sent(
        "edit, max",
        f"{HOME}/{KONTEXT}/max",
        {"prompt": "x", "seed": 0, "image_url": A},
        {"seed": 0},
        images=(A,),
        model="kontext-max",
    ),
    Sent(
        "edit, several images",
        f"{HOME}/{KONTEXT}/multi",
        {"prompt": "x", "aspect_ratio": "1:1", "image_urls": [A, B]},
        {"aspect_ratio": "1:1"},
        images=(A, B),
    ),
    Sent(
        "edit, several images, max",
        f"{HOME}/{KONTEXT}/max/multi",
        {"prompt": "x", "image_urls": [A, B, A, B]},
        images=(A, B, A, B),
        model="kontext-max",
    ),
    Sent(
        "an endpoint id that is not in the table",
        f"{HOME}/fal-ai/flux-kontext-lora/text-to-image",
        {"prompt": "x", "seed": 3},
        {"seed": 3},
        model="fal-ai/flux-kontext-lora/text-to-image",
    ),
)

LIMITS = (
    PROMPT,
    ASPECT_RATIO,
    NUM_IMAGES,
    Limit(
        "seed", "seed", {0: 0, HUGE_SEED: HUGE_SEED}, {-1: "`--seed` should be at least 0, not -1"}
    ),
    GUIDANCE_SCALE,
    SAFETY_TOLERANCE,
    OUTPUT_FORMAT,
    Limit("enhance_prompt", "enhance_prompt", {True: True, False: False}),
    Limit("sync_mode", "sync_mode", {True: True, False: False}),
)

REFUSED = (
    Refused("does not generate with the model", model="kontext-ultra", hint="it has kontext-pro"),
    Refused("is for `kontext edit`", model=KONTEXT),
    Refused("is not an endpoint id", model="fal-ai/../../admin"),
    Refused("is not an endpoint id", model="https://evil.example/x"),
    Refused("takes 1 image here, not 2", images=(A, B), model=KONTEXT),
    Refused("takes 2 to 4 images here, not 1", images=(A,), model=f"{KONTEXT}/multi"),
)

COSTS = (
    Costs(0.04),
    Costs(0.24, "kontext-max", num_images=3),
    Costs(None, ENDPOINT),
)

FORMLESS: tuple[Any, ...] = ({"new": True}, [])
_OTHER = "http://127.0.0.1:8000/fal"

ANSWERS_OF_FAL = (
    *ANSWERS,
    Answer("accepted", "accepted", submitted("queue.fal.run"), queued(HOME)),
    Answer("no URLs: rebuilt by rule", "accepted", {"request_id": ID}, queued(HOME)),
    Answer("a foreign host is ignored", "accepted", submitted("evil.example"), queued(HOME)),
    Answer(
        "the path of the reply is used on its own host",
        "accepted",
        submitted("queue.fal.run", f"/other/app/requests/{ID}"),
        queued(HOME, f"/other/app/requests/{ID}"),
    ),
    *(
        Answer(
            f"{name} is ignored", "accepted", {"request_id": ID, "response_url": url}, queued(HOME)
        )
        for name, url in (
            ("a path that climbs", f"https://queue.fal.run/a/../{ID}"),
            ("and the path of another job", "https://queue.fal.run/another/job"),
            ("and an invalid URL", f"https://queue.fal.run:99999/{ID}"),
        )
    ),
    Answer(
        "another base: everything goes there",
        "accepted",
        submitted("queue.fal.run"),
        queued(_OTHER),
        base_url=_OTHER,
    ),
    Answer(
        "another base that names itself, prefix and all",
        "accepted",
        {"request_id": ID, "response_url": f"{_OTHER}{PATH}"},
        queued(_OTHER),
        base_url=_OTHER,
    ),
    Answer(
        "an id that is no path segment is quoted",
        "accepted",
        {"request_id": "a/../b?c"},
        queued(HOME, "/fal-ai/flux-pro/requests/a%2F..%2Fb%3Fc", "a/../b?c"),
    ),
    *(
        Answer(f"a status of another form: {body}", "progress", body, Progress(State.RUNNING))
        for body in FORMLESS
    ),
    Answer(
        "zero billable units",
        "outcome",
        detail("missing"),
        Ends(JobFailed, "no", "no"),
        422,
        {"x-fal-billable-units": "0"},
    ),
    Answer(
        "a server error",
        "outcome",
        detail("internal_server_error", "boom"),
        Ends(JobFailed, "boom", "no"),
        500,
    ),
    Answer(
        "a server error as text",
        "outcome",
        b"Internal Server Error",
        Ends(JobFailed, "Internal Server Error", "no"),
        500,
    ),
    Answer(
        "timed out there",
        "outcome",
        {"detail": "Request timed out", "error_type": "request_timeout"},
        Ends(JobFailed, "Request timed out", "no"),
        504,
    ),
    Answer(
        "bad key", "refused", {"detail": "Invalid key"}, Ends(RejectedKey, "Invalid key", "no"), 401
    ),
    Answer(
        "no credit",
        "refused",
        {"detail": "User is locked. Exhausted balance."},
        Ends(NoCredit, "balance", "no"),
        403,
    ),
    Answer(
        "moderated",
        "refused",
        detail("content_policy_violation", "flagged"),
        Ends(Moderated, "flagged", "no"),
        422,
    ),
    Answer(
        "a place for an input image",
        "stored",
        {"upload_url": "https://storage.example/put?sig=1", "file_url": "https://v3.fal.media/in"},
        Place("https://v3.fal.media/in", "https://storage.example/put?sig=1"),
    ),
    Answer("no place", "stored", {"file_url": "x"}, Ends(UnexpectedReply, "named no place")),
    Answer("no place: bad key", "stored", {"detail": "no"}, Ends(RejectedKey, "no", "no"), 401),
)

DOCUMENTS = (
    Document(
        ENDPOINT,
        {
            "prompt": TIGER,
            "guidance_scale": 3.5,
            "sync_mode": False,
            "num_images": 1,
            "output_format": "jpeg",
            "safety_tolerance": 2,
            "enhance_prompt": False,
            "aspect_ratio": "1:1",
        },
        {
            "prompt": TIGER,
            "guidance_scale": 3.5,
            "sync_mode": False,
            "num_images": 1,
            "output_format": "jpeg",
            "safety_tolerance": "2",
            "enhance_prompt": False,
            "aspect_ratio": "1:1",
        },
        {**followed(HOME), f"GET {OUTPUT_URL}": image_file("jpeg", (1024, 1024))},
        (1024, 1024),
        reply={"prompt": OUTPUT["prompt"]},
    ),
)

UPLOAD = Call(
    "upload",
    "POST",
    "https://rest.fal.ai/storage/upload/initiate?storage_type=fal-cdn-v3",
    json={"content_type": "image/png", "file_name": "input.png"},
)

TABLE = Table(
    headers={"Authorization": f"Key {KEY}"},
    endpoint=ENDPOINT,
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=COSTS,
    answers=ANSWERS_OF_FAL,
    documents=DOCUMENTS,
    handle=handle(HOME),
    calls={
        **calls(HOME, Call("stream", "GET", f"{HOME}{PATH}/status/stream?logs=1")),
        "upload": UPLOAD,
    },
)
