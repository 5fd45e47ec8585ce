"""Replicate's predictions: they are polled, may be canceled, and are emptied after an hour."""

import re
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kontext_cli.sandbox.failures import NoImage
from kontext_cli.sandbox.faults import Point
from kontext_cli.sandbox.jobs import Job, Status
from kontext_cli.sandbox.payloads import parsed
from kontext_cli.sandbox.replicate_payloads import REPLICATE
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    dropped,
    hold,
    html,
    key_of,
    origin,
    read_object,
    strike,
)
from kontext_cli.sandbox.workshop import Workshop

_TITLES = {
    401: "Unauthenticated",
    402: "Insufficient credit",
    404: "Not found",
    422: "Input validation failed",
    429: "Too many requests",
}
_ENDED = {
    "refused": "The input or output was flagged as sensitive. Please try again with different "
    "inputs. (E005)",
    "flagged": "NSFW content detected. Try running it again, or try a different prompt.",
}
"""The error of a prediction under a fault, where it is not the model's own."""
_KEPT_SECONDS = 3600
_LONGEST_WAIT = 60
_PREFER = re.compile(r"wait(?:=([0-9]{1,4}))?")


class Replicate:
    """The predictions of official models, mounted under a prefix of its own."""

    def __init__(self, workshop: Workshop, prefix: str) -> None:
        self._workshop = workshop
        self._prefix = prefix

    def routes(self) -> list[Route]:
        """The calls about predictions; all other paths are refused."""
        job = "/v1/predictions/{request_id}"
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route("/v1/models/{owner}/{name}/predictions", self.create, methods=["POST"]),
            Route(job, self.get, methods=["GET"]),
            Route(f"{job}/cancel", self.cancel, methods=["POST"]),
            Route("/v1/account", self.account, methods=["GET"]),
            Route("/{path:path}", self.missing, methods=every),
        ]

    async def missing(self, request: Request) -> Response:
        """Any other path."""
        check_key(request)
        return refuse(404, "The requested resource could not be found.")

    async def account(self, request: Request) -> Response:
        """Whose token it is."""
        check_key(request)
        strike(self._workshop, "", refuse)
        return Json({"type": "user", "username": "sandbox", "name": "Sandbox", "github_url": None})

    async def create(self, request: Request) -> Response:
        """Accept a request that is valid; `Prefer: wait` holds the reply back until it is done."""
        check_key(request)
        path = request.path_params
        endpoint = f"{path['owner']}/{path['name']}"
        if endpoint not in REPLICATE:
            return await self.missing(request)
        payload = _input(await read_object(request, self._workshop.max_body, refuse))
        _check(endpoint, payload)
        prompt = payload["prompt"]
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("replicate", endpoint, payload)
        if await _waited(request, job):
            body = await self._prediction(request, job)
            if body["status"] == "succeeded":
                body["status"] = "processing"  # as the official clients note it
        else:
            body = self._new(request, job)
        return await delivered(self._workshop, request, prompt, Json(body, 201))

    async def get(self, request: Request) -> Response:
        """A prediction as it is now."""
        job = self._job(request)
        name = self._workshop.due(Point.STATUS, job)
        if name == "poll-503":
            return html(503, "Service Temporarily Unavailable")
        if name == "poll-reset":
            return dropped()
        body = await self._prediction(request, job)
        if name == "unknown-status":
            body |= {"status": "warming_up", "output": None, "runners": 0}
        if body["completed_at"] and self._workshop.due(Point.RESULT, job) == "result-503":
            return html(503, "Service Temporarily Unavailable")
        return Json(body)

    async def cancel(self, request: Request) -> Response:
        """Cancel a prediction that is not done yet."""
        job = self._job(request)
        if job.status(self._workshop.now()) is not Status.COMPLETED:
            self._workshop.jobs.cancel(job)
        return Json(await self._prediction(request, job))

    def _new(self, request: Request, job: Job) -> dict[str, Any]:
        """A prediction that has not started."""
        own = f"{origin(request)}{self._prefix}/v1/predictions/{job.request_id}"
        return {
            "id": job.request_id,
            "model": job.endpoint,
            "version": "hidden",
            "input": job.payload,
            "logs": "",
            "output": None,
            "data_removed": False,
            "error": None,
            "source": "api",
            "status": "starting",
            "created_at": _time(job.born),
            "started_at": None,
            "completed_at": None,
            "urls": {
                "get": own,
                "cancel": f"{own}/cancel",
                "web": f"https://replicate.com/p/{job.request_id}",
            },
        }

    async def _prediction(self, request: Request, job: Job) -> dict[str, Any]:
        """A prediction as it is now."""
        now = self._workshop.now()
        status = job.status(now)
        body = self._new(request, job)
        if status is not Status.IN_QUEUE:
            logs = "".join(f"{line['message']}\n" for line in job.logs(now))
            started = _time(job.born + job.latency / 3)
            body |= {"status": "processing", "started_at": started, "logs": logs}
        if status is Status.COMPLETED:
            body |= {"completed_at": _time(job.born + job.latency), **await self._end(request, job)}
        if now - job.created > job.latency + _KEPT_SECONDS:
            body |= {"input": {}, "output": None, "logs": "", "data_removed": True}
        return body

    async def _end(self, request: Request, job: Job) -> dict[str, Any]:
        """How a prediction ended: with its output, which is one URL, or with an error."""
        if job.canceled:
            return {"status": "canceled", **({} if job.started else {"started_at": None})}
        if job.outcome == "timed-out":
            return {"status": "aborted", "started_at": None}
        if job.outcome in _ENDED:
            return {"status": "failed", "error": _ENDED[job.outcome]}
        try:
            made = await self._workshop.made(job, files=f"{origin(request)}/files")
        except NoImage as ended:
            return {"status": "failed", "error": ended.failure.message}
        urls = [image["url"] for image in made["images"]]
        seconds = round(job.latency * 2 / 3, 3)
        metrics = {"image_count": len(urls), "predict_time": seconds, "total_time": job.latency}
        return {"status": "succeeded", "output": urls[0] if urls else None, "metrics": metrics}

    def _job(self, request: Request) -> Job:
        check_key(request)
        job = self._workshop.jobs.find(request.path_params["request_id"])
        if job is None or job.dialect != "replicate":
            raise Declined(refuse(404, "The requested resource could not be found."))
        return job


def check_key(request: Request) -> None:
    """Decline what has no token, under either of its schemes."""
    if not key_of(request, "Bearer") and not key_of(request, "Token"):
        raise Declined(refuse(401, "You did not pass a valid authentication token"))


def refuse(status: int, message: str) -> Response:
    """An error in Replicate's form, which is that of RFC 7807."""
    body: dict[str, Any] = {"title": _TITLES.get(status, "Error"), "detail": message}
    body["status"] = status
    if status == 429:
        body["retry_after"] = 1
    return Json(body, status)


def _input(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of the model. Declines a body that has none."""
    given = body.get("input")
    if not isinstance(given, dict):
        raise Declined(refuse(422, "- input is required\n"))
    return given


def _check(endpoint: str, payload: dict[str, Any]) -> None:
    try:
        parsed("replicate", endpoint, payload)
    except NoImage as invalid:
        detail = invalid.failure.detail
        lines = [_problem(row) for row in detail] if isinstance(detail, list) else [detail]
        raise Declined(refuse(422, "".join(f"- {line}\n" for line in lines))) from invalid


def _problem(row: dict[str, Any]) -> str:
    """One of pydantic's errors in Replicate's words."""
    field = str(row["loc"][1]) if len(row["loc"]) > 1 else ""
    limits = row.get("ctx", {})
    if row["type"] == "missing":
        return f"input: {field} is required"
    if row["type"] == "literal_error":
        words = re.findall(r"'([^']+)'", row["msg"].replace("'jpeg'", "'jpg'"))
        listed = ", ".join(f'"{word}"' for word in words)
        return f"input.{field}: {field} must be one of the following: {listed}"
    if row["type"] == "greater_than_equal":
        return f"input.{field}: Must be greater than or equal to {limits['ge']}"
    if row["type"] == "less_than_equal":
        return f"input.{field}: Must be less than or equal to {limits['le']}"
    return f"{'.'.join(filter(None, ('input', field)))}: {row['msg']}"


async def _waited(request: Request, job: Job) -> bool:
    """Wait for the job as the client prefers; whether it prefers to."""
    asked = _PREFER.fullmatch(request.headers.get("prefer", ""))
    if asked is None:
        return False
    longest = min(int(asked[1] or _LONGEST_WAIT), _LONGEST_WAIT)
    seconds = longest if job.outcome == "stuck" else min(job.latency, longest)
    if seconds:
        await hold(request, seconds)
    return True


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
