"""Replies about queued jobs in fal's format, which gateways pass on unchanged."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from kontext_cli.sandbox.failures import CANCELED, OUTCOMES
from kontext_cli.sandbox.faults import Point
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.replies import Declined, Json, dropped, html, origin
from kontext_cli.sandbox.workshop import Workshop

STILL_IN_PROGRESS = "Request is still in progress"


def wants_logs(value: str | None) -> bool:
    """Whether `logs` asks for them: fal's clients send 1, 0, true and false."""
    return (value or "").lower() in {"1", "true"}


def accepted(job: Job, *, base: str, now: float) -> dict[str, Any]:
    """The reply to a submit; `base` is the queue's own URL."""
    return {
        "status": Status.IN_QUEUE,
        **_links(job, base),
        "logs": None,
        "metrics": {},
        "queue_position": job.position(now),
    }


def progress(job: Job, *, base: str, now: float, logs: bool) -> dict[str, Any]:
    """The body of a status reply or of one event of the stream."""
    status = job.status(now)
    body: dict[str, Any] = {"status": status, **_links(job, base)}
    if status is Status.IN_QUEUE:
        body["queue_position"] = job.position(now)
    body["logs"] = job.logs(now) if logs else None
    body["metrics"] = {}
    if status is Status.COMPLETED:
        body["metrics"] = {"inference_time": round(job.latency * 2 / 3, 3)}
        body |= _error(job)
    return body


def status_reply(workshop: Workshop, request: Request, job: Job, *, base: str) -> Response:
    """The reply to a status request, or what a fault makes of it."""
    name = workshop.due(Point.STATUS, job)
    if name == "poll-503":
        return html(503, "Service Temporarily Unavailable")
    if name == "poll-reset":
        return dropped()
    logs = wants_logs(request.query_params.get("logs"))
    body = progress(job, base=base, now=workshop.now(), logs=logs)
    if name == "unknown-status":
        body |= {"status": "WARMING_UP", "warmup": {"runners": 0, "eta": None}}
    return Json(body, 200 if body["status"] == Status.COMPLETED else 202)


async def result(workshop: Workshop, request: Request, job: Job) -> dict[str, Any]:
    """What the model returned for a completed job. Raises NoImage, and Declined for a fault."""
    if workshop.due(Point.RESULT, job) == "result-503":
        raise Declined(html(503, "Service Temporarily Unavailable"))
    return await workshop.made(job, files=f"{origin(request)}/files")


def cancel(workshop: Workshop, job: Job | None) -> tuple[int, str]:
    """Cancel a job: the HTTP status and the word of fal's four answers."""
    if job is None:
        return 404, "NOT_FOUND"
    status = job.status(workshop.now())
    if status is Status.COMPLETED:
        return 400, "ALREADY_COMPLETED"
    workshop.jobs.cancel(job)
    return (200, "OK") if status is Status.IN_QUEUE else (202, "CANCELLATION_REQUESTED")


def _links(job: Job, base: str) -> dict[str, str]:
    response_url = f"{base}/{job.app_id}/requests/{job.request_id}"
    return {
        "request_id": job.request_id,
        "response_url": response_url,
        "status_url": f"{response_url}/status",
        "cancel_url": f"{response_url}/cancel",
    }


def _error(job: Job) -> dict[str, str]:
    # the status of a model's own error (form A) says nothing; only the result does
    failure = CANCELED if job.canceled else OUTCOMES.get(job.outcome or "")
    if failure is None or failure.error_type is None:
        return {}
    return {"error": failure.message, "error_type": failure.error_type}
