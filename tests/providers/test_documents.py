"""Each document that the project was created from: its example goes out as documented, and its
documented answer becomes files."""

from pathlib import Path
from typing import Any

import pytest

from kontext_cli import __version__
from kontext_cli.images.inputs import InputImage
from kontext_cli.job import Job, State
from kontext_cli.providers import Name
from pictures import picture
from runs import KEY, planned, run
from scripted import Scripted, Seen

T_REX = "A T-Rex relaxing on a beach, lying on a sun lounger and wearing sunglasses."
BIRD = "Add a bird to the foreground of the photo."
MUG = (
    "Place this image with the t-rex on this mug from the second image as a print. "
    "Make it look fit and natural."
)
TIGER = (
    "Extreme close-up of a single tiger eye, direct frontal view. Detailed iris and pupil. "
    "Sharp focus on eye texture and color. Natural lighting to capture authentic eye shine and "
    'depth. The word "FLUX" is painted over it in big, white brush strokes with visible texture.'
)
T_REX_PNG = "https://raw.githubusercontent.com/aimlapi/api-docs/main/reference-files/t-rex.png"
DEV_T_REX = "https://zovi0.github.io/public_misc/flux-dev-t-rex.png"
BLUE_MUG = "https://zovi0.github.io/public_misc/blue-mug.jpg"
AIMLAPI_URL = "https://api.aimlapi.com/v1/images/generations"
FAL_ENDPOINT = "fal-ai/flux-pro/kontext/text-to-image"
REQUEST_ID = "acf05732-7cb3-445b-9f39-fdaeccb1d730"


def aimlapi_answer(url: str, size: tuple[int, int], seed: int, prompt: str) -> dict[str, Any]:
    """The documented response of AIMLAPI's pages."""
    width, height = size
    return {
        "images": [{"url": url, "width": width, "height": height, "content_type": "image/jpeg"}],
        "timings": {},
        "seed": seed,
        "has_nsfw_concepts": [False],
        "prompt": prompt,
    }


def assert_headers(seen: Seen, authorization: str, host: str) -> None:
    assert seen.headers == {
        "host": host,
        "authorization": authorization,
        "content-type": "application/json",
        "content-length": str(len(seen.body)),
        "accept": "application/json",
        "accept-encoding": seen.headers["accept-encoding"],
        "connection": "keep-alive",
        "user-agent": f"kontext-cli/{__version__}",
    }


def assert_no_key_left(script: Scripted, host: str) -> None:
    for seen in script.requests:
        if not seen.url.startswith(f"https://{host}/"):
            assert KEY not in str(seen.headers)


def assert_saved(job: Job, size: tuple[int, int]) -> None:
    assert job.error is None
    assert job.state is State.SAVED
    (file,) = job.files
    assert (file.width, file.height, file.format) == (*size, "jpeg")
    assert file.path.suffix == ".jpg"
    assert file.path.stat().st_size == file.bytes


def url_image(url: str) -> InputImage:
    return InputImage(source=url, stem=Path(url).stem, url=url)


@pytest.mark.parametrize(
    ("model", "prompt", "images", "sent", "answer_url", "size", "seed"),
    [
        pytest.param(
            "kontext-pro",
            T_REX,
            (),
            {"model": "flux/kontext-pro/text-to-image", "aspect_ratio": "21:9"},
            "https://cdn.aimlapi.com/squirrel/files/koala/6e4yw7_YnA8tEe03QW8wW_5298e11d.jpg",
            (1568, 672),
            2561481494,
            id="aimlapi flux/kontext-pro/text-to-image",
        ),
        pytest.param(
            "kontext-max",
            T_REX,
            (),
            {"model": "flux/kontext-max/text-to-image", "aspect_ratio": "21:9"},
            "https://cdn.aimlapi.com/squirrel/files/koala/max.jpg",
            (1568, 672),
            2887093264,
            id="aimlapi flux/kontext-max/text-to-image",
        ),
        pytest.param(
            "kontext-pro",
            BIRD,
            (T_REX_PNG,),
            {"model": "flux/kontext-pro/image-to-image", "image_url": T_REX_PNG},
            "https://cdn.aimlapi.com/squirrel/files/panda/qMuknweKekEYlj9-RdUNt_f0706e45.jpg",
            (1184, 880),
            3959063143,
            id="aimlapi flux/kontext-pro/image-to-image, one image",
        ),
        pytest.param(
            "kontext-pro",
            MUG,
            (DEV_T_REX, BLUE_MUG),
            {"model": "flux/kontext-pro/image-to-image", "image_url": [DEV_T_REX, BLUE_MUG]},
            "https://cdn.aimlapi.com/squirrel/files/lion/rXRknU80d-8ywPnLBq4G8_59b65fe4.jpg",
            (1184, 880),
            1068148133,
            id="aimlapi flux/kontext-pro/image-to-image, two images",
        ),
    ],
)
def test_aimlapi(
    tmp_path: Path,
    model: str,
    prompt: str,
    images: tuple[str, ...],
    sent: dict[str, Any],
    answer_url: str,
    size: tuple[int, int],
    seed: int,
) -> None:
    fields: dict[str, Any] = {"prompt": prompt, "aspect_ratio": sent.get("aspect_ratio")}
    plan = planned(
        "aimlapi", fields, tmp_path, model=model, images=[url_image(url) for url in images]
    )
    chosen = plan.job.seed
    script = Scripted(
        {
            f"POST {AIMLAPI_URL}": aimlapi_answer(answer_url, size, seed, prompt),
            f"GET {answer_url}": picture("jpeg", size),
        }
    )

    job = run(plan, script)

    (submit,) = script.submits()
    assert submit.url == AIMLAPI_URL
    assert submit.json == {
        **sent,
        "prompt": prompt,
        "output_format": "jpeg",
        "seed": chosen,
    }
    assert_headers(submit, f"Bearer {KEY}", "api.aimlapi.com")
    assert_no_key_left(script, "api.aimlapi.com")
    assert_saved(job, size)
    assert job.seed == seed
    assert job.reply == {"prompt": prompt, "timings": {}}
    assert script.unused() == []


def queue_reply(host: str) -> dict[str, Any]:
    """The documented answer to a submit, as the gateway's page prints it."""
    job = f"https://{host}/fal-ai/flux-pro/requests/{REQUEST_ID}"
    return {
        "status": "IN_QUEUE",
        "request_id": REQUEST_ID,
        "response_url": job,
        "status_url": f"{job}/status",
        "cancel_url": f"{job}/cancel",
        "logs": None,
        "metrics": {},
        "queue_position": 0,
    }


# The documented output example, its empty `url` filled in.
FAL_FILE = "https://v3.fal.media/files/tiger/eye.jpeg"
FAL_OUTPUT = {"images": [{"url": FAL_FILE, "content_type": "image/jpeg"}], "prompt": ""}


@pytest.mark.parametrize(
    ("name", "host", "authorization", "example"),
    [
        pytest.param(
            "fal",
            "queue.fal.run",
            f"Key {KEY}",
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
            id="fal fal-ai/flux-pro/kontext/text-to-image",
        ),
        pytest.param(
            "chainhub",
            "api.chainhub.tech",
            f"Bearer {KEY}",
            {
                "prompt": TIGER,
                "guidance_scale": 3.5,
                "num_images": 1,
                "output_format": "jpeg",
                "safety_tolerance": "2",
                "aspect_ratio": "1:1",
            },
            id="chainhub fal-ai/flux-pro/kontext/text-to-image",
        ),
    ],
)
def test_queue(
    tmp_path: Path, name: Name, host: str, authorization: str, example: dict[str, Any]
) -> None:
    fields = {**example, "safety_tolerance": int(example["safety_tolerance"])}
    plan = planned(name, fields, tmp_path)
    chosen = {} if plan.job.seed is None else {"seed": plan.job.seed}
    base = f"https://{host}/fal-ai/flux-pro/requests/{REQUEST_ID}"
    status = {"status": "IN_PROGRESS", "request_id": REQUEST_ID, "logs": [], "metrics": {}}
    script = Scripted(
        {
            f"POST https://{host}/{FAL_ENDPOINT}": queue_reply("queue.fal.run"),
            f"GET {base}/status?logs=1": [status, {**status, "status": "COMPLETED"}],
            f"GET {base}": FAL_OUTPUT,
            f"GET {FAL_FILE}": picture("jpeg", (1024, 1024)),
        }
    )

    job = run(plan, script)

    (submit,) = script.submits()
    assert submit.json == {**example, **chosen}
    assert (name == "chainhub") == ("seed" not in submit.json)
    assert_headers(submit, authorization, host)
    assert_no_key_left(script, host)
    assert_saved(job, (1024, 1024))
    assert job.request_id == REQUEST_ID
    assert script.unused() == []
