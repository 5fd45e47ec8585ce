"""Black Forest Labs' tasks: submit, and poll on the host that the reply names.

That host is a region of its own; here it is a path of its own, `/eu`.
"""

import asyncio
from contextlib import suppress
from math import ceil
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kontext_cli.sandbox import inputs
from kontext_cli.sandbox.bfl_payloads import BFL
from kontext_cli.sandbox.failures import NoImage
from kontext_cli.sandbox.faults import Point
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.orders import MEGAPIXEL
from kontext_cli.sandbox.payloads import parsed
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    dropped,
    html,
    origin,
    read_object,
    strike,
)
from kontext_cli.sandbox.workshop import Workshop

_METHODS = ["GET", "POST", "PUT", "DELETE"]
_MOST_BODY = 100_000_000
"""Bytes of a submit: four images of 20 MB each, and a prompt."""
_DETAILS = {
    402: "Insufficient credits",
    403: "Not authenticated - Invalid Authentication",
    429: "Too many active tasks",
}
_REASONS = {"Moderation Reasons": ["Derivative Works Filter"]}
_SIGNED = "se=2026-12-31T00%3A00%3A00Z&sig=sandbox"
_FLUX_3 = "v1/flux-3-image"
_CENTS = {
    "v1/flux-kontext-pro": (4.0, 0.0),
    "v1/flux-kontext-max": (8.0, 0.0),
    "v1/flux-2-pro": (3.0, 1.5),
    "v1/flux-2-max": (7.0, 3.0),
    "v1/flux-2-flex": (5.0, 5.0),
}
"""The first megapixel of the image, and each further one, those of input images too; each that is
begun counts. FLUX 3 tells its price with the result."""
_CENTS_OF_FLUX_3 = {"768sq": 4.1, "1k": 4.8}
"""Of its other resolutions it is not known."""
_THINKING = 0.6
"""The share of the time after which FLUX 3 no longer reasons, and generates."""


class Bfl:
    """Its API, mounted under a prefix of its own."""

    def __init__(self, workshop: Workshop, prefix: str) -> None:
        self._workshop = workshop
        self._prefix = prefix

    def routes(self) -> list[Route]:
        """The result is found on the global host as well."""
        return [
            Route("/v1/get_result", self.result, methods=["GET"]),
            Route("/eu/v1/get_result", self.result, methods=["GET"]),
            Route("/v1/credits", self.credits, methods=["GET"]),
            Route("/{endpoint:path}", self.submit, methods=_METHODS),
        ]

    async def submit(self, request: Request) -> Response:
        """Accept a task; invalid fields are refused at once."""
        endpoint = request.path_params["endpoint"]
        if endpoint not in BFL:
            raise Declined(refuse(404, "Not Found"))
        if request.method != "POST":
            raise Declined(refuse(405, "Method Not Allowed"))
        _check_key(request)
        payload = await read_object(request, _MOST_BODY, refuse)
        _check(endpoint, payload)
        prompt = payload["prompt"]
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("bfl", endpoint, payload)
        body = await asyncio.to_thread(self._accepted, job, f"{origin(request)}{self._prefix}")
        return await delivered(self._workshop, request, prompt, Json(body))

    async def credits(self, request: Request) -> Response:
        """What the account of the key has left."""
        _check_key(request)
        strike(self._workshop, "", refuse)
        return Json({"credits": 1000.0})

    async def result(self, request: Request) -> Response:
        """Where a task is; its image, once it is ready."""
        _check_key(request)
        task_id = request.query_params.get("id")
        if task_id is None:
            problem = {"loc": ["query", "id"], "msg": "Field required", "type": "missing"}
            raise Declined(Json({"detail": [problem]}, 422))
        job = self._workshop.jobs.find(task_id)
        if job is None or job.dialect != "bfl":
            return Json(_record(task_id, "Task not found"))
        match self._workshop.due(Point.STATUS, job):
            case "poll-503":
                return html(503, "Service Temporarily Unavailable")
            case "poll-reset":
                return dropped()
            case "unknown-status":
                return Json(_record(task_id, "WARMING_UP"))
        if job.status(self._workshop.now()) is not Status.COMPLETED:
            return Json(self._running(job))
        if self._workshop.due(Point.RESULT, job) == "result-503":
            return html(503, "Service Temporarily Unavailable")
        return Json(await self._ended(request, job))

    def _accepted(self, job: Job, base: str) -> dict[str, Any]:
        given, made = self._megapixels(job)
        cost = None
        if job.endpoint in _CENTS:
            first, more = _CENTS[job.endpoint]
            cost = first + more * (ceil(made) - 1 + sum(map(ceil, given)))
        return {
            "id": job.request_id,
            "polling_url": f"{base}/eu/v1/get_result?id={job.request_id}",
            "cost": cost,
            "input_mp": round(sum(given), 4),
            "output_mp": round(made, 4),
        }

    def _megapixels(self, job: Job) -> tuple[list[float], float]:
        """Of each input image, and of the image; none of inputs that cannot be read."""
        order = parsed("bfl", job.endpoint, job.payload)
        sizes: list[tuple[int, int]] = []
        with suppress(NoImage):
            sizes = [
                inputs.shape(inputs.read(each, self._workshop.shelf)) for each in order.sources
            ]
        width, height = order.size(sizes[0] if sizes else None)
        return [wide * high / MEGAPIXEL for wide, high in sizes], width * height / MEGAPIXEL

    def _running(self, job: Job) -> dict[str, Any]:
        now = self._workshop.now()
        if job.status(now) is Status.IN_QUEUE:
            return _record(job.request_id, "Pending")
        share = min((now - job.created) / job.latency, 0.99)
        if job.endpoint == _FLUX_3:
            return _record(job.request_id, "Reasoning" if share < _THINKING else "Generating")
        return _record(job.request_id, "Pending", progress=round(share, 2))

    async def _ended(self, request: Request, job: Job) -> dict[str, Any]:
        if job.outcome == "refused":
            return _record(job.request_id, "Request Moderated", details=_REASONS)
        if job.outcome == "flagged":
            return _record(job.request_id, "Content Moderated", details=_REASONS)
        try:
            made = await self._workshop.made(job, files=f"{origin(request)}/files")
        except NoImage as ended:
            return _record(job.request_id, "Error", details={"error": ended.failure.message})
        result = {
            "sample": f"{made['images'][0]['url']}?{_SIGNED}" if made["images"] else None,
            "prompt": job.prompt,
            "seed": made.get("seed"),
            "start_time": job.born,
            "end_time": job.born + job.latency,
            "duration": job.latency,
        }
        cost = _CENTS_OF_FLUX_3.get(job.payload.get("resolution", "1k"))
        more = {"cost": cost} if job.endpoint == _FLUX_3 else {}
        return _record(job.request_id, "Ready", result=result, **more)


def refuse(status: int, message: str) -> Response:
    """A refusal, as the framework behind it words them; a bad key is 403 or 401."""
    return Json({"detail": _DETAILS.get(status, message)}, status)


def _check_key(request: Request) -> None:
    if not request.headers.get("x-key"):
        raise Declined(Json({"detail": "Not authenticated"}, 403))


def _check(endpoint: str, payload: dict[str, Any]) -> None:
    try:
        parsed("bfl", endpoint, payload)
    except NoImage as invalid:
        raise Declined(Json(invalid.failure.body, 422)) from invalid


def _record(task_id: str, status: str, **more: Any) -> dict[str, Any]:
    empty = {"result": None, "progress": None, "details": None, "preview": None}
    return {"id": task_id, "status": status, **empty, **more}
