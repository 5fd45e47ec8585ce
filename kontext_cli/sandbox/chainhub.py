"""The gateway: fal's queue behind a Bearer key, whose submit reply names fal's own host."""

from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kontext_cli.sandbox import follow
from kontext_cli.sandbox.failures import NoImage
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.payloads import CHAINHUB
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    key_of,
    read_object,
    strike,
)
from kontext_cli.sandbox.workshop import Workshop

Pending = Literal["detail", "status", "failed-word", "202"]
"""The forms seen in gateways for a result that is asked for too early."""

_FOREIGN_BASE = "https://queue.fal.run"
_ANY_APP = "auto"


class Chainhub:
    """The gateway, with or without a status route."""

    def __init__(self, workshop: Workshop, *, status_route: bool, pending: Pending) -> None:
        self._workshop = workshop
        self._status_route = status_route
        self._pending = pending

    def routes(self) -> list[Route]:
        """The submit and the result; the status and cancel routes only where it has them."""
        job = "/{owner}/{app}/requests/{request_id}"
        followed = [
            Route(f"{job}/status", self.status, methods=["GET"]),
            Route(f"{job}/cancel", self.cancel, methods=["PUT"]),
        ]
        return [
            Route(job, self.result, methods=["GET"]),
            *(followed if self._status_route else []),
            Route("/{endpoint:path}", self.submit, methods=["GET", "POST", "PUT"]),
        ]

    async def submit(self, request: Request) -> Response:
        """Put a request in the queue."""
        endpoint = request.path_params["endpoint"]
        if request.method != "POST" or endpoint not in CHAINHUB:
            raise Declined(refuse(404, f"Invalid URL ({request.method} /{endpoint})"))
        _check_key(request)
        payload = await read_object(request, self._workshop.max_body, refuse)
        prompt = str(payload.get("prompt", ""))
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("chainhub", endpoint, payload)
        body = follow.accepted(job, base=_FOREIGN_BASE, now=self._workshop.now())
        return await delivered(self._workshop, request, prompt, Json(body))

    async def status(self, request: Request) -> Response:
        """Where a job is, in fal's words."""
        job = self._job(request)
        return follow.status_reply(self._workshop, request, job, base=_FOREIGN_BASE)

    async def result(self, request: Request) -> Response:
        """What the model returned, with an echo of the request."""
        job = self._job(request)
        if job.status(self._workshop.now()) is not Status.COMPLETED:
            return self._too_early(job)
        try:
            made = await follow.result(self._workshop, request, job)
        except NoImage as ended:
            return Json(ended.failure.body, ended.failure.status)
        return Json(made | {"request": job.payload})

    async def cancel(self, request: Request) -> Response:
        """Pass a cancel on to the queue."""
        job = self._job(request)
        status, word = follow.cancel(self._workshop, job)
        return Json({"status": word}, status)

    def _too_early(self, job: Job) -> Response:
        now = self._workshop.now()
        replies: dict[Pending, tuple[dict[str, Any], int]] = {
            "detail": ({"detail": follow.STILL_IN_PROGRESS}, 400),
            "status": (
                {
                    "status": job.status(now),
                    "request_id": job.request_id,
                    "queue_position": job.position(now),
                },
                200,
            ),
            "failed-word": ({"status": "FAILED", "error": follow.STILL_IN_PROGRESS}, 200),
            "202": ({"request_id": job.request_id}, 202),
        }
        return Json(*replies[self._pending])

    def _job(self, request: Request) -> Job:
        _check_key(request)
        path = request.path_params
        job = self._workshop.jobs.find(path["request_id"])
        if job is None or job.dialect != "chainhub":
            raise Declined(refuse(404, "request not found"))
        if path["app"] != _ANY_APP and f"{path['owner']}/{path['app']}" != job.app_id:
            raise Declined(refuse(404, "request not found"))
        return job


def _check_key(request: Request) -> None:
    if not key_of(request, "Bearer"):
        raise Declined(refuse(401, "invalid token"))


def refuse(status: int, message: str) -> Response:
    """An error in the form that gateways of this family use."""
    error = {"message": message, "type": "new_api_error", "code": "", "param": ""}
    return Json({"error": error}, status)
