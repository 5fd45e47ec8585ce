"""fal's cases. Sources: its model pages, its queue documentation, the types of its clients."""

from typing import Any

from kontext_cli.errors import JobFailed, Moderated, NoCredit, RejectedKey, UnexpectedReply
from kontext_cli.http.call import Call
from kontext_cli.job import Progress, State
from kontext_cli.providers.base import Place
from kontext_cli.providers.cases import KEY, A, Answer, B, Costs, Ends, Limit, Refused, Sent, Table
from providers.documents import Document
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
DEV = "fal-ai/flux-kontext/dev"
FLUX_2_MODELS = ("flux-2-pro", "flux-2-max", "flux-2-flex")
FLUX_3 = "blackforestlabs/flux-3"
SIZES = {
    "21:9": {"width": 1504, "height": 640},
    "16:9": {"width": 1312, "height": 736},
    "4:3": {"width": 1152, "height": 864},
    "3:2": {"width": 1248, "height": 832},
    "1:1": {"width": 1024, "height": 1024},
    "2:3": {"width": 832, "height": 1248},
    "3:4": {"width": 864, "height": 1152},
    "9:16": {"width": 736, "height": 1312},
    "9:21": {"width": 640, "height": 1504},
}
MANY = tuple(f"https://example.com/{number}.png" for number in range(10))

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

SENT_OF_DEV_AND_FLUX = (
    Sent(
        "every option, dev",
        f"{HOME}/{DEV}",
        {
            "prompt": "x",
            "image_url": A,
            "resolution_mode": "3:2",
            "num_images": 2,
            "seed": 3,
            "guidance_scale": 2.5,
            "enable_safety_checker": False,
            "num_inference_steps": 30,
            "output_format": "png",
            "enhance_prompt": True,
            "sync_mode": True,
        },
        {
            "aspect_ratio": "3:2",
            "num_images": 2,
            "seed": 3,
            "guidance_scale": 2.5,
            "no_safety_checker": True,
            "steps": 30,
            "output_format": "png",
            "enhance_prompt": True,
            "sync_mode": True,
        },
        images=(A,),
        model="kontext-dev",
    ),
    *(
        Sent(
            f"generate, {model}",
            f"{HOME}/fal-ai/{model}",
            {"prompt": "x", "image_size": {"width": 1024, "height": 1024}, "seed": 1},
            {"aspect_ratio": "1:1", "seed": 1},
            model=model,
        )
        for model in FLUX_2_MODELS
    ),
    *(
        Sent(
            f"edit, {model}: one image is a list as well, and no size is left to the model",
            f"{HOME}/fal-ai/{model}/edit",
            {"prompt": "x", "image_urls": [A]},
            images=(A,),
            model=model,
        )
        for model in FLUX_2_MODELS
    ),
    Sent(
        "every option, flex, as many images as it takes",
        f"{HOME}/fal-ai/flux-2-flex/edit",
        {
            "prompt": "x",
            "image_urls": [*MANY[:8]],
            "image_size": {"width": 640, "height": 1504},
            "seed": 0,
            "safety_tolerance": "5",
            "enable_safety_checker": False,
            "guidance_scale": 10.0,
            "num_inference_steps": 50,
            "output_format": "png",
            "sync_mode": True,
        },
        {
            "aspect_ratio": "9:21",
            "seed": 0,
            "safety_tolerance": 5,
            "no_safety_checker": True,
            "guidance_scale": 10.0,
            "steps": 50,
            "output_format": "png",
            "sync_mode": True,
        },
        images=MANY[:8],
        model="flux-2-flex",
    ),
    Sent(
        "every option, FLUX 3",
        f"{HOME}/{FLUX_3}/text-to-image",
        {
            "prompt": "x",
            "aspect_ratio": "21:9",
            "resolution": "2k",
            "safety_tolerance": 0,
            "enable_prompt_expansion": True,
            "output_format": "png",
            "sync_mode": True,
        },
        {
            "aspect_ratio": "21:9",
            "resolution": "2k",
            "safety_tolerance": 0,
            "enhance_prompt": True,
            "output_format": "png",
            "sync_mode": True,
        },
        model="flux-3",
    ),
    Sent(
        "edit, FLUX 3, as many images as it takes",
        f"{HOME}/{FLUX_3}/edit-image",
        {"prompt": "x", "image_urls": [*MANY]},
        images=MANY,
        model="flux-3",
    ),
)

LIMITS_OF_DEV_AND_FLUX = (
    Limit(
        "aspect_ratio",
        "resolution_mode",
        {"21:9": "21:9", "9:21": "9:21"},
        ASPECT_RATIO.outside,
        "kontext-dev",
        (A,),
    ),
    Limit(
        "guidance_scale",
        "guidance_scale",
        {1.0: 1.0, 20.0: 20.0},
        GUIDANCE_SCALE.outside,
        "kontext-dev",
        (A,),
    ),
    Limit("no_safety_checker", "enable_safety_checker", {True: False}, {}, "flux-2-pro"),
    Limit(
        "steps",
        "num_inference_steps",
        {10: 10, 50: 50},
        {9: "for fal, `--steps` should be 10 to 50, not 9", 51: "`--steps` should be"},
        "kontext-dev",
        (A,),
    ),
    Limit("aspect_ratio", "image_size", SIZES, ASPECT_RATIO.outside, "flux-2-max"),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {1: "1", 5: "5"},
        {
            0: "for fal, `--safety-tolerance` should be 1 to 5, not 0",
            6: "for fal, `--safety-tolerance` should be 1 to 5, not 6",
        },
        "flux-2-pro",
    ),
    Limit(
        "guidance_scale",
        "guidance_scale",
        {1.5: 1.5, 10.0: 10.0},
        {
            1.25: "for fal, `--guidance-scale` should be 1.5 to 10, not 1.25",
            10.5: "for fal, `--guidance-scale` should be 1.5 to 10, not 10.5",
        },
        "flux-2-flex",
    ),
    Limit(
        "steps",
        "num_inference_steps",
        {1: 1, 50: 50},
        {0: "`--steps` should be 1 to 50, not 0", 51: "`--steps` should be 1 to 50, not 51"},
        "flux-2-flex",
    ),
    Limit(
        "aspect_ratio",
        "aspect_ratio",
        {"21:9": "21:9", "9:16": "9:16"},
        {"9:21": "for fal, `--aspect-ratio` should be 21:9, 16:9, 4:3, 3:2, 1:1, 2:3, 3:4, 9:16"},
        "flux-3",
    ),
    Limit(
        "resolution",
        "resolution",
        {"768sq": "768sq", "1k": "1k", "2k": "2k", "4k": "4k"},
        {
            "1.5k": "for fal, `--resolution` should be 768sq, 1k, 2k, 4k, not 1.5k",
            "8k": "`--resolution 8k` should be '768sq', '1k', '1.5k', '2k' or '4k'",
        },
        "flux-3",
    ),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {0: 0, 4: 4},
        {-1: "should be 0 to 4, not -1", 5: "should be 0 to 4, not 5"},
        "flux-3",
    ),
    Limit("enhance_prompt", "enable_prompt_expansion", {True: True, False: False}, {}, "flux-3"),
)

LIMITS = (
    *LIMITS_OF_DEV_AND_FLUX,
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
    Refused("takes 1 image, not 2", images=(A, B), model=KONTEXT),
    Refused("takes 2 to 4 images, not 1", images=(A,), model=f"{KONTEXT}/multi"),
    Refused(
        "with kontext-pro, fal takes 1 to 4 images, not 5",
        images=MANY[:5],
        hint="flux-2-pro, flux-2-max, flux-2-flex and flux-3 take as many there",
    ),
    Refused(
        "with flux-2-flex, fal takes 1 to 8 images, not 9",
        images=MANY[:9],
        model="flux-2-flex",
        hint="flux-3 takes as many there",
    ),
    Refused("`edit` takes 1 to 10 images, not 11", images=(*MANY, A), model="flux-3"),
    Refused(
        "fal does not generate with the model `kontext-dev`",
        model="kontext-dev",
        hint="comfyui does",
    ),
    Refused(
        "fal does not support `--safety-tolerance` with kontext-dev",
        {"safety_tolerance": 2},
        (A,),
        "kontext-dev",
        "kontext-pro, kontext-max, flux-2-pro, flux-2-max, flux-2-flex and flux-3 have it there",
    ),
    Refused(
        "fal does not support `--num-images` with flux-2-pro",
        {"num_images": 2},
        model="flux-2-pro",
        hint="kontext-pro and kontext-max have it there",
    ),
    Refused(
        "fal does not support `--seed` with flux-3",
        {"seed": 1},
        model="flux-3",
        hint="flux-2-flex have it there",
    ),
    Refused(
        "fal does not support `--resolution` with kontext-pro",
        {"resolution": "2k"},
        hint="flux-3 has it there",
    ),
    Refused(
        "`--aspect-ratio` should be",
        {"aspect_ratio": "9:21"},
        model="flux-3",
        hint="kontext-pro, kontext-max, flux-2-pro, flux-2-max and flux-2-flex take it there",
    ),
)

COSTS = (
    Costs(0.04),
    Costs(0.24, "kontext-max", num_images=3),
    Costs(None, ENDPOINT),
    # The examples of the pages of FLUX.2: 1024x1024, and 1920x1080, which counts as two.
    Costs(0.03, "flux-2-pro", fields={"aspect_ratio": "21:9"}),
    Costs(0.07, "flux-2-max", fields={"aspect_ratio": "16:9"}),
    Costs(0.05, "flux-2-flex"),
    Costs(0.045, "flux-2-pro", fields={"aspect_ratio": "1:1"}, sizes=[(1024, 1024)]),
    Costs(0.06, "flux-2-pro", fields={"aspect_ratio": "1:1"}, sizes=[(1920, 1080)]),
    Costs(0.045, "flux-2-pro", sizes=[(512, 512)]),
    Costs(0.075, "flux-2-pro", sizes=[(1920, 1080)]),
    Costs(0.1, "flux-2-max", sizes=[(512, 512)]),
    Costs(0.19, "flux-2-max", sizes=[(1024, 1024), (1920, 1080), (512, 512)]),
    Costs(0.2, "flux-2-flex", sizes=[(1920, 1080)]),
    Costs(None, "flux-2-pro", sizes=[(1024, 1024), None]),
    # Kontext [dev]: the megapixels of the image, which are those of the input.
    Costs(0.05, "kontext-dev", sizes=[(1920, 1080)]),
    Costs(0.05, "kontext-dev", num_images=2, fields={"aspect_ratio": "1:1"}, sizes=[None]),
    Costs(None, "kontext-dev", sizes=[None]),
    # FLUX 3: one price for each resolution, whatever the input images.
    Costs(0.048, "flux-3"),
    Costs(0.041, "flux-3", fields={"resolution": "768sq"}),
    Costs(0.048, "flux-3", fields={"resolution": "1k"}, sizes=[None, (4096, 4096)]),
    Costs(None, "flux-3", fields={"resolution": "4k"}),
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
    sent=(*SENT, *SENT_OF_DEV_AND_FLUX),
    limits=LIMITS,
    refused=REFUSED,
    costs=COSTS,
    answers=ANSWERS_OF_FAL,
    handle=handle(HOME),
    calls={
        **calls(HOME, Call("stream", "GET", f"{HOME}{PATH}/status/stream?logs=1")),
        "upload": UPLOAD,
    },
)
