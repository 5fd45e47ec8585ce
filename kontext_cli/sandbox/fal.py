"""The queue as fal speaks it: submit, status, status stream, result, cancel (fal docs, queue)."""

import asyncio
import json
from collections.abc import AsyncIterator
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kontext_cli.sandbox import follow
from kontext_cli.sandbox.failures import Failure, NoImage
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.payloads import FAL
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    key_of,
    origin,
    read_object,
    strike,
)
from kontext_cli.sandbox.workshop import Workshop

_PING_SECONDS = 15.0
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class Fal:
    """fal's queue, mounted under a prefix of its own."""

    def __init__(self, workshop: Workshop, prefix: str) -> None:
        self._workshop = workshop
        self._prefix = prefix

    def routes(self) -> list[Route]:
        """Follow-up URLs keep owner and app only; the longer form is answered with 405."""
        job = "/{owner}/{app}/requests/{request_id}"
        return [
            Route(job, self.result, methods=["GET"]),
            Route(f"{job}/status", self.status, methods=["GET"]),
            Route(f"{job}/status/stream", self.stream, methods=["GET"]),
            Route(f"{job}/cancel", self.cancel, methods=["PUT"]),
            Route("/v1/models/pricing", self.pricing, methods=["GET"]),
            Route("/{endpoint:path}", self.submit, methods=_METHODS),
        ]

    async def pricing(self, request: Request) -> Response:
        """The prices of endpoints, which fal's platform API has on a host of its own."""
        check_key(request)
        strike(self._workshop, "", refuse)
        unit = {"unit_price": 0.04, "unit": "images", "currency": "USD"}
        asked = request.query_params.getlist("endpoint_id")
        return Json({"prices": [{"endpoint_id": each, **unit} for each in asked]})

    async def submit(self, request: Request) -> Response:
        """Put a request in the queue; invalid fields are only reported by the result."""
        if request.method != "POST":
            raise Declined(refuse(405, "Method Not Allowed"))
        check_key(request)
        endpoint = request.path_params["endpoint"]
        if endpoint not in FAL:
            raise Declined(refuse(404, f"Application '{endpoint}' not found"))
        payload = await read_object(request, self._workshop.max_body, refuse)
        prompt = str(payload.get("prompt", ""))
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("fal", endpoint, payload)
        body = follow.accepted(job, base=self._base(request), now=self._workshop.now())
        reply = Json(body, headers={"x-fal-request-id": job.request_id})
        return await delivered(self._workshop, request, prompt, reply)

    async def status(self, request: Request) -> Response:
        """Where a job is: 202 until it is completed, then 200."""
        job = self._job(request)
        reply = follow.status_reply(self._workshop, request, job, base=self._base(request))
        if isinstance(reply, Json):
            reply.headers["x-fal-request-id"] = job.request_id
        return reply

    async def stream(self, request: Request) -> Response:
        """The same as server-sent events, until the job is completed."""
        job = self._job(request)
        logs = follow.wants_logs(request.query_params.get("logs"))
        return StreamingResponse(
            self._events(job, base=self._base(request), logs=logs),
            media_type="text/event-stream",
            headers={"x-fal-request-id": job.request_id},
        )

    async def result(self, request: Request) -> Response:
        """What the model returned, with the model's own status."""
        job = self._job(request)
        if job.status(self._workshop.now()) is not Status.COMPLETED:
            raise Declined(failed(Failure(400, follow.STILL_IN_PROGRESS), job.request_id))
        try:
            made = await follow.result(self._workshop, request, job)
        except NoImage as ended:
            return failed(ended.failure, job.request_id)
        return Json(made, headers={"x-fal-request-id": job.request_id})

    async def cancel(self, request: Request) -> Response:
        """Take a job out of the queue, or ask a running one to stop."""
        check_key(request)
        status, word = follow.cancel(self._workshop, self._find(request))
        request_id = request.path_params["request_id"]
        return Json({"status": word}, status, headers={"x-fal-request-id": request_id})

    async def _events(self, job: Job, *, base: str, logs: bool) -> AsyncIterator[str]:
        sent: tuple[object, ...] = ()
        lines, pinged = 0, float("-inf")
        while True:
            now = self._workshop.now()
            body = follow.progress(job, base=base, now=now, logs=logs)
            if logs:
                body["logs"], lines = body["logs"][lines:], len(body["logs"])
            if body["logs"] or sent != (body["status"], body.get("queue_position")):
                sent = (body["status"], body.get("queue_position"))
                yield f"data: {json.dumps(body)}\n\n"
            if body["status"] is Status.COMPLETED:
                return
            if now - pinged >= _PING_SECONDS:
                pinged = now
                yield ": ping\n\n"
            await asyncio.sleep(min(max(job.latency / 20, 0.001), 0.25))

    def _job(self, request: Request) -> Job:
        check_key(request)
        job = self._find(request)
        if job is None:
            raise Declined(refuse(404, "Request not found"))
        return job

    def _find(self, request: Request) -> Job | None:
        path = request.path_params
        job = self._workshop.jobs.find(path["request_id"])
        if job is None or job.app_id != f"{path['owner']}/{path['app']}":
            return None
        return job if job.dialect == "fal" else None

    def _base(self, request: Request, /) -> str:
        return origin(request) + self._prefix


def refuse(status: int, message: str) -> Response:
    """A refusal of the queue itself."""
    return failed(Failure(status, message), str(uuid4()))


def check_key(request: Request) -> None:
    """Decline anything but a key under fal's own scheme."""
    if not key_of(request, "Key"):
        raise Declined(refuse(401, "Authentication is required: send `Authorization: Key KEY`"))


def failed(failure: Failure, request_id: str) -> Response:
    """A failure with the headers that fal gives it."""
    headers = {"x-fal-request-id": request_id, **failure.headers}
    if failure.error_type is not None:
        headers["x-fal-error-type"] = failure.error_type
    return Json(failure.body, failure.status, headers=headers)
