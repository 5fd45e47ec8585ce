"""ComfyUI's cases: the answers are those of ComfyUI 0.3.64, shortened."""

from typing import Any

from kontext_cli.errors import Canceled, Expired, JobFailed, UnexpectedReply, Unreachable
from kontext_cli.http.call import Call, Part
from kontext_cli.job import Handle, Output, Progress, State
from kontext_cli.providers.base import Cancellation, Place
from kontext_cli.providers.cases import (
    HTML,
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
from providers.results import HUGE_SEED
from samples import image_file

HOME = "http://127.0.0.1:8188"
DEV = "kontext-dev"
ID = "9d2b3c1e-0000-4000-8000-000000000000"
OTHER = "11111111-0000-4000-8000-000000000000"
HANDLE = Handle(ID)
IMAGE = (A,)

LOADERS: dict[str, Any] = {
    "model": {
        "class_type": "UNETLoader",
        "inputs": {
            "unet_name": "flux1-dev-kontext_fp8_scaled.safetensors",
            "weight_dtype": "default",
        },
    },
    "text_encoders": {
        "class_type": "DualCLIPLoader",
        "inputs": {
            "clip_name1": "clip_l.safetensors",
            "clip_name2": "t5xxl_fp8_e4m3fn_scaled.safetensors",
            "type": "flux",
        },
    },
    "vae": {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}},
    "prompt": {
        "class_type": "CLIPTextEncode",
        "inputs": {"text": "x", "clip": ["text_encoders", 0]},
    },
    "no_prompt": {"class_type": "ConditioningZeroOut", "inputs": {"conditioning": ["prompt", 0]}},
}
ENDS: dict[str, Any] = {
    "decoded": {
        "class_type": "VAEDecode",
        "inputs": {"samples": ["sampler", 0], "vae": ["vae", 0]},
    },
    "saved": {
        "class_type": "SaveImage",
        "inputs": {"images": ["decoded", 0], "filename_prefix": "kontext"},
    },
}


def sampler(latent: str, **inputs: Any) -> dict[str, Any]:
    """The sampler, with the latent of one node."""
    usual = {
        "model": ["model", 0],
        "positive": ["guidance", 0],
        "negative": ["no_prompt", 0],
        "latent_image": [latent, 0],
        "seed": 0,
        "steps": 20,
        "cfg": 1.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        "denoise": 1.0,
    }
    return {"class_type": "KSampler", "inputs": {**usual, **inputs}}


def guidance(conditioning: str, value: float = 2.5) -> dict[str, Any]:
    return {
        "class_type": "FluxGuidance",
        "inputs": {"conditioning": [conditioning, 0], "guidance": value},
    }


def size(width: int, height: int) -> dict[str, Any]:
    return {
        "class_type": "EmptySD3LatentImage",
        "inputs": {"width": width, "height": height, "batch_size": 1},
    }


def loaded(name: str) -> dict[str, Any]:
    return {"class_type": "LoadImage", "inputs": {"image": name}}


def stitched(first: str, second: str | None) -> dict[str, Any]:
    more = {} if second is None else {"image2": [second, 0]}
    inputs = {
        "image1": [first, 0],
        **more,
        "direction": "right",
        "match_image_size": True,
        "spacing_width": 0,
        "spacing_color": "white",
    }
    return {"class_type": "ImageStitch", "inputs": inputs}


def edited(*images: str) -> dict[str, Any]:
    """The nodes of an edit that the sampler starts from."""
    names = [f"image_{number}" if number <= len(images) else None for number in (1, 2, 3, 4)]
    return {
        **{name: loaded(image) for name, image in zip(filter(None, names), images, strict=True)},
        "stitched_2": stitched("image_1", names[1]),
        "stitched_3": stitched("stitched_2", names[2]),
        "stitched_4": stitched("stitched_3", names[3]),
        "scaled": {"class_type": "FluxKontextImageScale", "inputs": {"image": ["stitched_4", 0]}},
        "encoded": {
            "class_type": "VAEEncode",
            "inputs": {"pixels": ["scaled", 0], "vae": ["vae", 0]},
        },
        "reference": {
            "class_type": "ReferenceLatent",
            "inputs": {"conditioning": ["prompt", 0], "latent": ["encoded", 0]},
        },
        "guidance": guidance("reference"),
        **LOADERS,
        **ENDS,
    }


def generated(width: int = 1024, height: int = 1024, guided: float = 2.5, **inputs: Any) -> Any:
    """A whole graph that makes an image."""
    return {
        "size": size(width, height),
        "guidance": guidance("prompt", guided),
        "sampler": sampler("size", **inputs),
        **LOADERS,
        **ENDS,
    }


def body(graph: Any) -> dict[str, Any]:
    return {"prompt": graph, "client_id": "kontext"}


SENT = (
    Sent("generate", f"{HOME}/prompt", body(generated()), model=DEV),
    Sent(
        "generate, every option",
        f"{HOME}/prompt",
        body(generated(672, 1568, 3.5, seed=HUGE_SEED, steps=28)),
        {"aspect_ratio": "9:21", "guidance_scale": 3.5, "seed": HUGE_SEED, "steps": 28},
        model=DEV,
    ),
    Sent(
        "edit of one image: the shape is kept",
        f"{HOME}/prompt",
        body({**edited(A), "sampler": sampler("encoded", seed=7)}),
        {"seed": 7},
        IMAGE,
        DEV,
    ),
    Sent(
        "edit of two images, in a size",
        f"{HOME}/prompt",
        body({**edited(A, B), "size": size(1392, 752), "sampler": sampler("size")}),
        {"aspect_ratio": "16:9"},
        (A, B),
        DEV,
    ),
    Sent(
        "edit of four images",
        f"{HOME}/prompt",
        body({**edited(A, B, A, B), "sampler": sampler("encoded")}),
        images=(A, B, A, B),
        model=DEV,
    ),
)
LIMITS = (
    Limit("prompt", "prompt", {"x": "x"}, model=DEV),
    Limit(
        "aspect_ratio",
        "size",
        {"21:9": {"width": 1568, "height": 672}, "3:2": {"width": 1248, "height": 832}},
        {"5:7": "`--aspect-ratio 5:7` should be"},
        DEV,
    ),
    Limit("seed", "seed", {0: 0, HUGE_SEED: HUGE_SEED}, {-1: "should be at least 0, not -1"}, DEV),
    Limit(
        "guidance_scale",
        "guidance_scale",
        {0.0: 0.0, 20.0: 20.0},
        {-1.0: "should be", 20.5: "should be"},
        DEV,
    ),
    Limit("steps", "steps", {1: 1, 50: 50}, {0: "should be", 51: "should be"}, DEV),
)
REFUSED = (
    Refused(
        "does not support `--safety-tolerance`", {"safety_tolerance": 2}, model=DEV, hint="fal"
    ),
    Refused("does not support `--num-images`", {"num_images": 2}, model=DEV, hint="fal"),
    Refused("takes 1 to 4 images, not 5", images=(A,) * 5, model=DEV),
    Refused("does not generate with the model `kontext-pro`", model="kontext-pro"),
)


def job(number: int, name: str) -> list[Any]:
    """A job on a list."""
    return [number, name, {"save": {}}, {"client_id": "kontext"}, ["save"]]


def queue(running: Any = (), pending: Any = ()) -> dict[str, Any]:
    return {"queue_running": list(running), "queue_pending": list(pending)}


def history(status: Any = None, **outputs: Any) -> dict[str, Any]:
    done = {"status_str": "success", "completed": True, "messages": []}
    return {ID: {"prompt": job(3, ID), "outputs": outputs, "status": status or done}}


def failed(event: str, **told: Any) -> dict[str, Any]:
    start = ["execution_start", {"prompt_id": ID, "timestamp": 1}]
    data = {"prompt_id": ID, "node_id": "31", "node_type": "KSampler", "executed": [], **told}
    status = {"status_str": "error", "completed": False, "messages": [start, [event, data]]}
    return history(status)


def image(name: str, folder: str = "", kind: str = "output") -> dict[str, str]:
    return {"filename": name, "subfolder": folder, "type": kind}


def ready(*urls: str) -> Progress:
    outputs = tuple(Output(url=f"{HOME}/view?{url}") for url in urls)
    return Progress(State.READY, done=True, outputs=outputs, reply={"server": "ComfyUI"})


FIRST = "filename=kontext_00001_.png&subfolder=&type=output"
DONE = Progress(State.RUNNING, done=True)


def waits(position: int) -> Progress:
    return Progress(State.QUEUED, position=position, handle=Handle(ID, {"running": False}))


def node_errors(name: str, kind: str, *errors: dict[str, Any]) -> dict[str, Any]:
    error = {
        "type": "prompt_outputs_failed_validation",
        "message": "Prompt outputs failed validation",
        "details": "",
        "extra_info": {},
    }
    node = {"errors": list(errors), "dependent_outputs": ["save"], "class_type": kind}
    return {"error": error, "node_errors": {name: node}}


def not_in_list(name: str, value: str, there: str) -> dict[str, Any]:
    details = f"{name}: '{value}' not in {there}"
    return {"type": "value_not_in_list", "message": "Value not in list", "details": details}


def invalid(message: str, details: str) -> dict[str, Any]:
    error = {"type": "invalid_prompt", "message": message, "details": details, "extra_info": {}}
    return {"error": error, "node_errors": {}}


TOO_BIG = {
    "class_type": "EmptyImage",
    "errors": [
        {
            "type": "value_bigger_than_max",
            "message": "Value 9 bigger than max of 7",
            "details": "color",
        }
    ],
}
MANY = "[" + ", ".join(f"'{number}.safetensors'" for number in range(12)) + "]"
_NO_COMFY = Ends(JobFailed, "does not answer as ComfyUI does", "no")
ANSWERS = (
    Answer(
        "accepted",
        "accepted",
        {"prompt_id": ID, "number": 3, "node_errors": {}},
        Progress(State.QUEUED, handle=HANDLE),
    ),
    *(
        Answer(f"accepted, no id: {found!r}", "accepted", found, Ends(UnexpectedReply))
        for found in (*NOT_OBJECTS, {"prompt_id": 7}, {"prompt_id": ""})
    ),
    Answer(
        "accepted in part: one output of several is sound",
        "accepted",
        {"prompt_id": ID, "number": 3, "node_errors": {"1": TOO_BIG}},
        Ends(JobFailed, "only in part: EmptyImage (node 1): Value 9 bigger than max of 7", "no"),
    ),
    Answer(
        "a missing file",
        "refused",
        node_errors(
            "39", "VAELoader", not_in_list("vae_name", "ae.safetensors", "['pixel_space']")
        ),
        Ends(
            JobFailed,
            "VAELoader (node 39): vae_name `ae.safetensors` is not there; it has pixel_space",
            "no",
        ),
        400,
    ),
    Answer(
        "a missing file, where there is none",
        "refused",
        node_errors("37", "UNETLoader", not_in_list("unet_name", "it's.safetensors", "[]")),
        Ends(JobFailed, "unet_name `it's.safetensors` is not there; it has none", "no"),
        400,
    ),
    Answer(
        "a missing file, where there are many",
        "refused",
        node_errors("37", "UNETLoader", not_in_list("unet_name", "a", MANY)),
        Ends(JobFailed, "6.safetensors, 7.safetensors and 4 more", "no"),
        400,
    ),
    Answer(
        "a missing file, where there are too many to be told",
        "refused",
        node_errors("37", "UNETLoader", not_in_list("unet_name", "a", "(list of length 40)")),
        Ends(JobFailed, "is not there; it has list of length 40", "no"),
        400,
    ),
    Answer(
        "a missing input",
        "refused",
        node_errors(
            "6",
            "CLIPTextEncode",
            {
                "type": "required_input_missing",
                "message": "Required input is missing",
                "details": "clip",
            },
        ),
        Ends(JobFailed, "CLIPTextEncode (node 6): Required input is missing: clip", "no"),
        400,
    ),
    Answer(
        "an unknown node",
        "refused",
        invalid("Cannot execute because node Nope does not exist.", "Node ID '#1'"),
        Ends(JobFailed, "node Nope does not exist. Node ID '#1'", "no"),
        400,
    ),
    Answer("odd errors", "refused", {"error": {}, "node_errors": {"1": 7}}, Ends(JobFailed), 400),
    Answer("no ComfyUI", "refused", {"detail": "Not Found"}, _NO_COMFY, 404),
    Answer("a web page", "refused", HTML, _NO_COMFY, 405),
    Answer("waits, first", "progress", queue([job(1, OTHER)], [job(3, ID)]), waits(1)),
    Answer(
        "waits: the list is no order, the numbers are",
        "progress",
        queue([job(1, OTHER)], [job(3, ID), job(2, "b"), job(9, "c")]),
        waits(2),
    ),
    Answer(
        "runs",
        "progress",
        queue([job(3, ID)], [job(4, OTHER)]),
        Progress(State.RUNNING, handle=Handle(ID, {"running": True})),
    ),
    Answer("ended", "progress", queue([job(4, OTHER)]), DONE),
    Answer("odd entries", "progress", queue([7, [], ["x"]], [None]), DONE),
    *(
        Answer(f"no list: {found!r}", "progress", found, Ends(Unreachable, "does not answer as"))
        for found in (*NOT_OBJECTS, {"queue_running": 7, "queue_pending": []})
    ),
    Answer("a gateway's page", "progress", HTML, Ends(Unreachable, "(404)"), 404),
    Answer("saved", "outcome", history(s={"images": [image("kontext_00001_.png")]}), ready(FIRST)),
    Answer(
        "previews are left out",
        "outcome",
        history(
            p={"images": [image("ComfyUI_temp_x_00001_.png", kind="temp")]},
            s={"images": [image("kontext_00001_.png")], "animated": [False]},
            t={"text": ["x"]},
        ),
        ready(FIRST),
    ),
    Answer(
        "names stay in the query",
        "outcome",
        history(s={"images": [image("../a b&c.png", "x/../é")]}),
        ready("filename=..%2Fa%20b%26c.png&subfolder=x%2F..%2F%C3%A9&type=output"),
    ),
    Answer(
        "several",
        "outcome",
        history(s={"images": [image("a.png"), image("b.png")]}, t={"images": [image("c.png")]}),
        ready(*(f"filename={name}.png&subfolder=&type=output" for name in "abc")),
    ),
    Answer(
        "nothing that is kept",
        "outcome",
        history(p={"images": [image("a.png", kind="temp")]}),
        Ends(JobFailed, "without an image that it keeps", "no"),
    ),
    Answer("nothing at all", "outcome", history(), Ends(JobFailed, "without an image", "no")),
    Answer("no entry", "outcome", {}, Ends(Expired, "does not know the job any more", "no")),
    Answer("no history", "outcome", b"", Ends(Unreachable)),
    Answer("a 404", "outcome", b"404: Not Found", Ends(Unreachable), 404),
    Answer(
        "failed",
        "outcome",
        failed(
            "execution_error",
            exception_type="torch.OutOfMemoryError",
            exception_message="Allocation on device \n",
        ),
        Ends(JobFailed, "ComfyUI failed in KSampler (node 31): Allocation on device", "no"),
    ),
    Answer(
        "failed, no message",
        "outcome",
        failed("execution_error", exception_type="KeyError", exception_message=""),
        Ends(JobFailed, "(node 31): KeyError", "no"),
    ),
    Answer(
        "interrupted",
        "outcome",
        failed("execution_interrupted"),
        Ends(Canceled, "interrupted in KSampler (node 31)", "no"),
    ),
    Answer(
        "failed, no reason",
        "outcome",
        history({"status_str": "error", "messages": [7, ["x"], ["execution_error", None]]}),
        Ends(JobFailed, "gave no reason", "no"),
    ),
    Answer("asked to cancel", "canceled", b"", Cancellation.REQUESTED),
    Answer("cannot be asked", "canceled", HTML, Ends(Unreachable), 404),
    Answer(
        "stored",
        "stored",
        {"name": "ab.png", "subfolder": "kontext", "type": "input"},
        Place("kontext/ab.png"),
    ),
    Answer("stored at the top", "stored", {"name": "ab.png", "subfolder": ""}, Place("ab.png")),
    Answer("not stored", "stored", b"", Ends(UnexpectedReply, "(400)"), 400),
    Answer("stored without a name", "stored", {"name": ""}, Ends(UnexpectedReply)),
)
PNG = image_file("png")
DOCUMENTS = (
    Document(
        "a job that waits, runs and ends",
        {"prompt": "x", "seed": 7, "aspect_ratio": "1:1"},
        {**body(generated(seed=7)), "prompt_id": ID},
        {
            f"POST {HOME}/prompt": {"prompt_id": ID, "number": 3, "node_errors": {}},
            f"GET {HOME}/queue": [
                queue([job(2, OTHER)], [job(3, ID)]),
                queue([job(3, ID)]),
                *[queue()] * 2,
            ],
            f"GET {HOME}/history/{ID}": history(s={"images": [image("kontext_00001_.png")]}),
            f"GET {HOME}/view?{FIRST}": PNG,
        },
        (64, 48),
        {"server": "ComfyUI"},
        seed=7,
        model=DEV,
        format="png",
    ),
)
TABLE = Table(
    headers={},
    endpoint="kontext-dev/generate",
    sent=SENT,
    limits=LIMITS,
    refused=REFUSED,
    costs=(Costs(0.0, DEV), Costs(0.0, DEV, sizes=(None,)), Costs(0.0, DEV, sizes=((64, 64),))),
    answers=ANSWERS,
    handle=HANDLE,
    calls={
        "poll": Call("status", "GET", f"{HOME}/queue"),
        "stream": None,
        "result": Call("result", "GET", f"{HOME}/history/{ID}"),
        "cancel": Call("cancel", "POST", f"{HOME}/queue", json={"delete": [ID]}),
        "upload": Call(
            "upload",
            "POST",
            f"{HOME}/upload/image",
            parts=(
                Part(
                    "image",
                    b"bytes",
                    "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"[:32]
                    + ".png",
                    "image/png",
                ),
                Part("subfolder", b"kontext"),
                Part("type", b"input"),
            ),
        ),
    },
    base_url=HOME,
)
