"""Black Forest Labs' cases. Sources: docs.bfl.ai, its help centre, its client `blackforest`."""

from typing import Any

from kontext_cli.errors import (
    Expired,
    JobFailed,
    Moderated,
    NoCredit,
    RejectedKey,
    UnexpectedReply,
    UnsupportedOption,
)
from kontext_cli.http.call import Call
from kontext_cli.job import Handle, Output, Progress, State
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
from providers.limits import ASPECT_RATIO, OUTPUT_FORMAT, PROMPT
from providers.results import HUGE_SEED, ready
from samples import image_file

HOME = "https://api.bfl.ai"
PRO = "v1/flux-kontext-pro"
ID = "7f1c2d90-02b5-4a6e-9c1d-3f5b8e7a6c54"
POLL = f"https://api.eu2.bfl.ai/v1/get_result?id={ID}"
REBUILT = f"{HOME}/v1/get_result?id={ID}"
SAMPLE = "https://delivery-eu1.bfl.ai/results/7f/1c/sample.jpeg?se=2026&sig=x"
_OTHER = "http://127.0.0.1:8000/bfl"

SENT = (
    Sent(
        "every option, max",
        f"{HOME}/v1/flux-kontext-max",
        {
            "prompt": "x",
            "aspect_ratio": "9:21",
            "seed": HUGE_SEED,
            "safety_tolerance": 6,
            "output_format": "png",
            "prompt_upsampling": True,
        },
        {
            "aspect_ratio": "9:21",
            "seed": HUGE_SEED,
            "safety_tolerance": 6,
            "output_format": "png",
            "enhance_prompt": True,
        },
        model="kontext-max",
    ),
    Sent("generate", f"{HOME}/{PRO}", {"prompt": "x"}),
    Sent("edit", f"{HOME}/{PRO}", {"prompt": "x", "input_image": A}, images=(A,)),
    Sent(
        "edit, several images, max",
        f"{HOME}/v1/flux-kontext-max",
        {
            "prompt": "x",
            "seed": 0,
            "input_image": A,
            "input_image_2": B,
            "input_image_3": B,
            "input_image_4": A,
        },
        {"seed": 0},
        images=(A, B, B, A),
        model="kontext-max",
    ),
    *(
        Sent(
            f"generate, {model}",
            f"{HOME}/v1/{model}",
            {
                "prompt": "x",
                "width": 1312,
                "height": 736,
                "seed": 7,
                "output_format": "jpeg",
                "disable_pup": False,
                "safety_tolerance": 5,
            },
            {
                "aspect_ratio": "16:9",
                "seed": 7,
                "output_format": "jpeg",
                "enhance_prompt": True,
                "safety_tolerance": 5,
            },
            model=model,
        )
        for model in ("flux-2-pro", "flux-2-max")
    ),
    *(
        Sent(
            f"edit, {model}",
            f"{HOME}/v1/{model}",
            {"prompt": "x", "input_image": A, "input_image_2": B},
            images=(A, B),
            model=model,
        )
        for model in ("flux-2-pro", "flux-2-max", "flux-2-flex")
    ),
    Sent(
        "generate, flux-2-flex",
        f"{HOME}/v1/flux-2-flex",
        {"prompt": "x", "prompt_upsampling": False, "guidance": 4.5, "steps": 20},
        {"enhance_prompt": False, "guidance_scale": 4.5, "steps": 20},
        model="flux-2-flex",
    ),
    Sent(
        "generate, flux-3",
        f"{HOME}/v1/flux-3-image",
        {"prompt": "x", "aspect_ratio": "16:9", "resolution": "2k", "safety_tolerance": 4},
        {"aspect_ratio": "16:9", "resolution": "2k", "safety_tolerance": 4},
        model="flux-3",
    ),
    Sent(
        "edit, flux-3",
        f"{HOME}/v1/flux-3-image",
        {"prompt": "x", "images": [A, B]},
        images=(A, B),
        model="flux-3",
    ),
    Sent(
        "an endpoint id that is not in the table",
        f"{HOME}/v1/flux-2-klein-9b",
        {"prompt": "x", "input_image": A},
        images=(A,),
        model="v1/flux-2-klein-9b",
    ),
    Sent(
        "an endpoint id of both operations",
        f"{HOME}/{PRO}",
        {"prompt": "x", "input_image": A},
        images=(A,),
        model=PRO,
    ),
)

LIMITS = (
    PROMPT,
    ASPECT_RATIO,
    Limit(
        "seed", "seed", {0: 0, HUGE_SEED: HUGE_SEED}, {-1: "`--seed` should be at least 0, not -1"}
    ),
    OUTPUT_FORMAT,
    Limit("enhance_prompt", "prompt_upsampling", {True: True, False: False}),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {0: 0, 6: 6},
        {
            -1: "`--safety-tolerance` should be 0 to 6, not -1",
            7: "`--safety-tolerance` should be 0 to 6, not 7",
        },
    ),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {0: 0, 2: 2},
        {3: "`--safety-tolerance` should be 0 to 2, not 3"},
        images=(A,),
    ),
    Limit(
        "aspect_ratio",
        "size",
        {
            "1:1": {"width": 1024, "height": 1024},
            "21:9": {"width": 1504, "height": 640},
            "9:21": {"width": 640, "height": 1504},
        },
        ASPECT_RATIO.outside,
        model="flux-2-pro",
    ),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {0: 0, 5: 5},
        {6: "`--safety-tolerance` should be 0 to 5, not 6"},
        model="flux-2-max",
    ),
    Limit("enhance_prompt", "disable_pup", {True: False, False: True}, model="flux-2-pro"),
    Limit("enhance_prompt", "prompt_upsampling", {True: True}, model="flux-2-flex"),
    Limit(
        "guidance_scale",
        "guidance",
        {1.5: 1.5, 10.0: 10.0},
        {
            1.0: "`--guidance-scale` should be 1.5 to 10, not 1.0",
            10.5: "`--guidance-scale` should be 1.5 to 10, not 10.5",
        },
        model="flux-2-flex",
    ),
    Limit(
        "steps",
        "steps",
        {1: 1, 50: 50},
        {0: "`--steps` should be 1 to 50, not 0", 51: "`--steps` should be 1 to 50, not 51"},
        model="flux-2-flex",
    ),
    Limit(
        "resolution",
        "resolution",
        {"768sq": "768sq", "4k": "4k"},
        {"8k": "`--resolution 8k` should be '768sq', '1k', '1.5k', '2k' or '4k'"},
        model="flux-3",
    ),
    Limit(
        "safety_tolerance",
        "safety_tolerance",
        {0: 0, 4: 4},
        {5: "`--safety-tolerance` should be 0 to 4, not 5"},
        model="flux-3",
    ),
)

REFUSED = (
    Refused("bfl does not support `--num-images`", {"num_images": 2}, hint="fal, aimlapi"),
    Refused(
        "bfl does not support `--guidance-scale` with kontext-pro",
        {"guidance_scale": 3.5},
        hint="flux-2-flex has it there",
    ),
    Refused("bfl does not support `--seed` with flux-3", {"seed": 7}, model="flux-3"),
    Refused(
        "bfl does not support `--resolution` with flux-2-pro",
        {"resolution": "2k"},
        model="flux-2-pro",
        hint="flux-3 has it there",
    ),
    Refused("bfl does not support `--sync-mode`", {"sync_mode": True}),
    Refused("bfl does not support `--steps` with kontext-pro", {"steps": 20}),
)


def queued(url: str = POLL, request_id: str = ID, **more: Any) -> Progress:
    """The progress of a task that was just accepted."""
    return Progress(State.QUEUED, handle=Handle(request_id, {"polling_url": url}), **more)


def task(status: str, **more: Any) -> dict[str, Any]:
    """The record of a task."""
    empty = {"result": None, "progress": None, "details": None, "preview": None}
    return {"id": ID, "status": status, **empty, **more}


def told(done: int) -> tuple[str, ...]:
    """The lines of a task of which so many tenths are done."""
    bars = (
        *(" 10%|#         |", " 20%|##        |", " 30%|###       |", " 40%|####      |"),
        *(" 50%|#####     |", " 60%|######    |", " 70%|#######   |", " 80%|########  |"),
        *(" 90%|######### |", "100%|##########|"),
    )
    return bars[:done]


ODD_SHARES: tuple[Any, ...] = (-1, 2, "half", [])
IMAGELESS: tuple[Any, ...] = (None, {}, {"sample": ""}, {"sample": 7}, [])
_NO_ID = Ends(UnexpectedReply, "sent no task id")

ACCEPTED = (
    Answer("accepted", "accepted", {"id": ID, "polling_url": POLL}, queued()),
    Answer(
        "with its price, in cents",
        "accepted",
        {"id": ID, "polling_url": POLL, "cost": 4.0, "input_mp": 0.0, "output_mp": 1.0},
        queued(usd=0.04),
    ),
    *(
        Answer(
            f"no price: {cost!r}",
            "accepted",
            {"id": ID, "polling_url": POLL, "cost": cost},
            queued(),
        )
        for cost in (None, -1, True, "4")
    ),
    Answer("no URL: rebuilt by rule", "accepted", {"id": ID}, queued(REBUILT)),
    *(
        Answer(f"{name} is rebuilt", "accepted", {"id": ID, "polling_url": url}, queued(REBUILT))
        for name, url in (
            ("a foreign host", f"https://api.bfl.ai.evil.example/v1/get_result?id={ID}"),
            ("a host that ends alike", f"https://evilbfl.ai/v1/get_result?id={ID}"),
            ("plain http", f"http://api.eu.bfl.ai/v1/get_result?id={ID}"),
            ("another port", f"https://api.eu.bfl.ai:8443/v1/get_result?id={ID}"),
            ("a user part", f"https://x@api.eu.bfl.ai/v1/get_result?id={ID}"),
            ("no text", 7),
        )
    ),
    Answer(
        "another base: everything goes there",
        "accepted",
        {"id": ID, "polling_url": POLL},
        queued(f"{_OTHER}/v1/get_result?id={ID}"),
        base_url=_OTHER,
    ),
    Answer(
        "another base that names itself",
        "accepted",
        {"id": ID, "polling_url": f"{_OTHER}/eu/v1/get_result?id={ID}"},
        queued(f"{_OTHER}/eu/v1/get_result?id={ID}"),
        base_url=_OTHER,
    ),
    Answer(
        "a region of its own as the base",
        "accepted",
        {"id": ID, "polling_url": POLL},
        queued(),
        base_url="https://api.eu.bfl.ai",
    ),
    Answer(
        "an id that has to be quoted",
        "accepted",
        {"id": "a&b=c/d"},
        queued(f"{HOME}/v1/get_result?id=a%26b%3Dc%2Fd", "a&b=c/d"),
    ),
    Answer("an id of another type", "accepted", {"id": 7}, _NO_ID),
    *(Answer(f"no JSON object: {body!r}", "accepted", body, _NO_ID) for body in NOT_OBJECTS),
)

PROGRESS = (
    Answer("waiting", "progress", task("Pending"), Progress(State.QUEUED)),
    Answer(
        "at work",
        "progress",
        task("Pending", progress=0.43),
        Progress(State.RUNNING, logs=told(4)),
    ),
    Answer(
        "at its end",
        "progress",
        task("Pending", progress=1),
        Progress(State.RUNNING, logs=told(10)),
    ),
    *(
        Answer(f"a status of newer models: {status}", "progress", task(status), Progress(running))
        for status in ("Reasoning", "Generating", "WARMING_UP")
        for running in (State.RUNNING,)
    ),
    *(
        Answer(
            f"a progress of another form: {share}",
            "progress",
            task("Generating", progress=share),
            Progress(State.RUNNING),
        )
        for share in ODD_SHARES
    ),
    *(
        Answer(f"no record of a task: {body!r}", "progress", body, Progress(State.RUNNING))
        for body in NOT_OBJECTS
    ),
)

OUTCOMES = (
    Answer(
        "the image",
        "progress",
        task(
            "Ready",
            result={
                "sample": SAMPLE,
                "prompt": "add a hat",
                "seed": 42,
                "start_time": 1750000000.1,
                "end_time": 1750000005.2,
                "duration": 5.1,
            },
        ),
        ready(Output(url=SAMPLE), seed=42, reply={"prompt": "add a hat", "duration": 5.1}),
    ),
    Answer(
        "the image, with what it cost",
        "outcome",
        task("Ready", result={"sample": SAMPLE, "seed": None}, cost=4.8),
        ready(Output(url=SAMPLE), usd=0.048),
    ),
    *(
        Answer(
            f"ready without an image: {result}",
            "outcome",
            task("Ready", result=result),
            Ends(JobFailed, "without an image", "maybe"),
        )
        for result in IMAGELESS
    ),
    Answer(
        "the prompt was moderated",
        "progress",
        task("Request Moderated", details={"Moderation Reasons": ["Derivative Works Filter"]}),
        Ends(
            Moderated,
            "the prompt or an input image was flagged (Request Moderated): Derivative Works Filter",
            "no",
        ),
    ),
    Answer(
        "the image was moderated",
        "outcome",
        task("Content Moderated"),
        Ends(Moderated, "the image was flagged after it was made (Content Moderated)", "no"),
    ),
    *(
        Answer(
            f"failed: {status}, {more}",
            "outcome",
            task(status, **more),
            Ends(JobFailed, text, "no"),
        )
        for status, more, text in (
            ("Error", {"details": {"error": "boom"}}, "bfl failed: boom"),
            ("Error", {"result": {"error": "boom"}}, "bfl failed: boom"),
            ("Failed", {"error": "boom"}, "bfl failed: boom"),
            ("Failed", {}, "bfl failed: Failed"),
        )
    ),
    Answer(
        "not known, within a 200",
        "progress",
        task("Task not found"),
        Ends(Expired, "does not know the job any more", "maybe"),
    ),
    Answer(
        "not known in this region",
        "progress",
        {"detail": "Task not found"},
        Ends(Expired, "does not know the job any more", "maybe"),
        404,
    ),
    Answer(
        "a task that failed, with a status of HTTP",
        "outcome",
        task("Error", details={"error": "bad image"}),
        Ends(JobFailed, "bad image", "no"),
        422,
    ),
    Answer(
        "a refusal that has a status of its own",
        "progress",
        {"status": "error", "message": "Invalid API key"},
        Ends(RejectedKey, "Invalid API key"),
        401,
    ),
    Answer(
        "no such parameter",
        "outcome",
        {"detail": [{"loc": ["query", "id"], "msg": "Field required", "type": "missing"}]},
        Ends(JobFailed, "id: Field required", "maybe"),
        422,
    ),
)

REFUSALS = (
    Answer(
        "bad key",
        "refused",
        {"detail": "Not authenticated - Invalid Authentication"},
        Ends(RejectedKey, "Invalid Authentication", "no"),
        403,
    ),
    Answer(
        "bad key, in its other form",
        "refused",
        {"error": "Unauthorized", "message": "Invalid API key"},
        Ends(RejectedKey, "Unauthorized", "no"),
        401,
    ),
    Answer(
        "no credit",
        "refused",
        {"detail": "Insufficient credits"},
        Ends(NoCredit, "Insufficient credits", "no"),
        402,
    ),
    Answer(
        "too many tasks, after all tries",
        "refused",
        {"detail": "Too many active tasks"},
        Ends(JobFailed, "Too many active tasks", "no"),
        429,
    ),
    Answer(
        "invalid",
        "refused",
        {"detail": [{"loc": ["body", "safety_tolerance"], "msg": "at most 6", "type": "le"}]},
        Ends(JobFailed, "safety_tolerance: at most 6", "no"),
        422,
    ),
    Answer("no cancel", "canceled", {}, Ends(UnsupportedOption, "cannot cancel", "no")),
)

COSTS = (
    Costs(0.04),
    Costs(0.08, "kontext-max"),
    Costs(0.04, sizes=[(4096, 4096)]),
    Costs(None, PRO),
    Costs(0.03, "flux-2-pro", fields={"aspect_ratio": "21:9"}),
    Costs(0.045, "flux-2-pro", sizes=[(1024, 1024)]),
    Costs(0.1, "flux-2-max", sizes=[(512, 512)]),
    Costs(0.15, "flux-2-flex", fields={"aspect_ratio": "1:1"}, sizes=[(1920, 1080)]),
    Costs(None, "flux-2-pro", sizes=[None]),
    Costs(0.048, "flux-3"),
    Costs(0.041, "flux-3", fields={"resolution": "768sq"}),
    *(Costs(None, "flux-3", fields={"resolution": each}) for each in ("1.5k", "2k", "4k")),
)

CAT = "A cat on its back legs is running like a human, holding a big silver fish"
DOCUMENTS = (
    Document(
        PRO,
        {"prompt": CAT, "aspect_ratio": "1:1"},
        {"prompt": CAT, "aspect_ratio": "1:1", "output_format": "jpeg"},
        {
            f"POST {HOME}/{PRO}": {"id": ID, "polling_url": POLL},
            f"GET {POLL}": [
                task("Pending"),
                task("Ready", result={"sample": SAMPLE, "prompt": CAT, "seed": 7}),
            ],
            f"GET {SAMPLE}": image_file("jpeg", (1024, 1024)),
        },
        (1024, 1024),
        seed=7,
        reply={"prompt": CAT},
    ),
)

TABLE = Table(
    headers={"x-key": KEY},
    endpoint=PRO,
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=COSTS,
    answers=(*ACCEPTED, *PROGRESS, *OUTCOMES, *REFUSALS),
    handle=Handle(ID, {"polling_url": POLL}),
    calls={
        "poll": Call("status", "GET", POLL),
        "stream": None,
        "result": Call("result", "GET", POLL),
        "cancel": Ends(UnsupportedOption, "bfl cannot cancel a job"),
    },
    pasted={
        "https://proxy.example": "https://proxy.example",
        "https://proxy.example/v1/": "https://proxy.example",
    },
)
