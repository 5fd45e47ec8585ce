"""The example that fal and chainhub document: a tiger's eye, through fal's queue."""

from typing import Any

from providers.fal_queue import ENDPOINT

TIGER = (
    "Extreme close-up of a single tiger eye, direct frontal view. Detailed iris and pupil. "
    "Sharp focus on eye texture and color. Natural lighting to capture authentic eye shine and "
    'depth. The word "FLUX" is painted over it in big, white brush strokes with visible texture.'
)
REQUEST_ID = "acf05732-7cb3-445b-9f39-fdaeccb1d730"
OUTPUT_URL = "https://v3.fal.media/files/tiger/eye.jpeg"
OUTPUT = {"images": [{"url": OUTPUT_URL, "content_type": "image/jpeg"}], "prompt": ""}
"""The documented output, its empty `url` filled in."""


def followed(base: str) -> dict[str, Any]:
    """The answers to the submit, the polls and the request for the result, all below ``base``.

    That to the submit is as the gateway's page prints it, its follow-up URLs on fal's host.
    """
    path = f"fal-ai/flux-pro/requests/{REQUEST_ID}"
    job = f"https://queue.fal.run/{path}"
    status = {"status": "IN_PROGRESS", "request_id": REQUEST_ID, "logs": [], "metrics": {}}
    accepted: dict[str, Any] = {
        "status": "IN_QUEUE",
        "request_id": REQUEST_ID,
        "response_url": job,
        "status_url": f"{job}/status",
        "cancel_url": f"{job}/cancel",
        "logs": None,
        "metrics": {},
        "queue_position": 0,
    }
    return {
        f"POST {base}/{ENDPOINT}": accepted,
        f"GET {base}/{path}/status?logs=1": [status, {**status, "status": "COMPLETED"}],
        f"GET {base}/{path}": OUTPUT,
    }
