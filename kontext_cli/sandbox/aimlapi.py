"""AIMLAPI's one call: it blocks until the images exist, and answers in one of several shapes."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kontext_cli.sandbox.failures import Failure, NoImage
from kontext_cli.sandbox.jobs import Job
from kontext_cli.sandbox.payloads import AIMLAPI, parsed
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    Refuse,
    delivered,
    hold_until_done,
    key_of,
    origin,
    read_object,
    strike,
)
from kontext_cli.sandbox.workshop import Workshop

Shape = Literal["images", "data-url", "data-b64", "both"]
"""The printed examples' form, the schema's form with URLs or base64, or both at once."""

Deprecations = Sequence[Mapping[str, Any]]
"""Rows of the feed, in the provider's form, newest first."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_CLIENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CREDITS_PER_USD = 2_000_000
_TIMED_OUT = 504


class Aimlapi:
    """The images endpoint; `usage` adds what the call cost, as the provider counts it."""

    def __init__(
        self, workshop: Workshop, *, shape: Shape, usage: bool, deprecations: Deprecations
    ) -> None:
        self._workshop = workshop
        self._deprecations = deprecations
        self._shape = shape
        self._usage = usage

    def routes(self) -> list[Route]:
        """The images endpoint and the feed of deprecations; all other paths are refused."""
        return [
            Route("/v1/models/deprecations", self.deprecations, methods=["GET"]),
            Route("/v1/images/generations", self.generate, methods=["POST"]),
            Route("/v2/billing", self.billing, methods=["GET"]),
            Route("/{path:path}", self.missing, methods=["GET", "POST", "PUT", "DELETE"]),
        ]

    async def missing(self, request: Request) -> Response:
        """Any other path."""
        return _refuse(request, 404, f"Cannot {request.method} {request.url.path}")

    async def deprecations(self, request: Request) -> Response:
        """The feed, for which no key is needed: all of it, or what fits the filters."""
        rows = [*filter(partial(_asked_for, request), self._deprecations)]
        tag = f'W/"{hashlib.sha1(repr(rows).encode(), usedforsecurity=False).hexdigest()[:27]}"'
        headers = {"etag": tag, "cache-control": "public, max-age=300"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        now = datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
        return Json({"object": "list", "generated_at": now, "data": rows}, headers=headers)

    async def billing(self, request: Request) -> Response:
        """What the account of the key has left."""
        refuse = _checked(request)
        strike(self._workshop, "", refuse)
        return Json({"balance": 1000.0, "lowBalance": False, "status": "current"})

    async def generate(self, request: Request) -> Response:
        """Check, accept, wait, answer."""
        refuse = _checked(request)
        payload = await read_object(request, self._workshop.max_body, refuse)
        _check(payload, refuse)
        prompt = payload["prompt"]
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("aimlapi", payload["model"], payload)
        reply = await self._reply(request, job)
        return await delivered(self._workshop, request, prompt, reply)

    async def _reply(self, request: Request, job: Job) -> Response:
        await hold_until_done(request, job)
        try:
            made = await self._workshop.made(job, files=f"{origin(request)}/files")
        except NoImage as ended:
            return _refuse(request, *_as_answered(ended.failure))
        headers = _trace(request)
        usd = round((0.104 if "kontext-max" in job.endpoint else 0.052) * len(made["images"]), 4)
        if self._usage:
            headers["x-aimlapi-usd-spent"] = str(usd)
        return Json(await self._shaped(job, made, usd), headers=headers)

    async def _shaped(self, job: Job, made: dict[str, Any], usd: float) -> dict[str, Any]:
        shape = self._shape
        if shape == "images" and "flux/" not in job.endpoint:
            shape = "data-url"  # FLUX.2's examples have this form
        if shape == "images":
            return made
        data: list[dict[str, Any]] = []
        for number, image in enumerate(made["images"], 1):
            if shape == "data-b64":
                encoded = base64.b64encode(await self._workshop.image(job, number)).decode()
                data.append({"url": None, "b64_json": encoded})
            else:
                data.append({"url": image["url"], "b64_json": None})
        usage = {"credits_used": round(usd * _CREDITS_PER_USD), "usd_spent": usd}
        shaped = {"data": data, "meta": {"usage": usage} if self._usage else None}
        return made | shaped if shape == "both" else shaped


def _asked_for(request: Request, row: Mapping[str, Any]) -> bool:
    """Whether a row of the feed fits the filters; what the provider does not know, it ignores."""
    asked = ",".join(request.query_params.getlist("status")).lower().split(",")
    states = {"deprecated", "superseded", "withdrawn"} & {*asked}
    since = request.query_params.get("since", "")
    dates = [date for name in ("deprecated_at", "shutdown_at") if (date := row.get(name))]
    fits = not _DATE.fullmatch(since) or any(date >= since for date in dates)
    return fits and (not states or row["status"] in states)


def _refuse(request: Request, status: int, message: str) -> Response:
    trace = _trace(request)
    body = {
        "statusCode": status,
        "message": message,
        "path": request.url.path.removeprefix(request.scope["root_path"]),
        "requestId": trace["x-inference-id"],
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
    }
    return Json(body, status, headers=trace)


def _checked(request: Request) -> Refuse:
    """How the request is refused, after its key was checked."""
    refuse = partial(_refuse, request)
    if not key_of(request, "Bearer"):
        raise Declined(refuse(401, "This request requires a valid API key."))
    return refuse


def _check(payload: dict[str, Any], refuse: Refuse) -> None:
    model = str(payload.get("model"))
    if model not in AIMLAPI:
        raise Declined(refuse(404, f"Model `{model}` not found"))
    try:
        parsed("aimlapi", model, payload)
    except NoImage as invalid:
        message = f"Body validation error: {invalid.failure.message}"
        raise Declined(refuse(400, message)) from invalid


def _as_answered(failure: Failure) -> tuple[int, str]:
    # what the upstream model calls 422 is a bad request here
    if failure.status == _TIMED_OUT:
        return failure.status, "Generation timeout"
    status = 400 if failure.status == 422 else failure.status
    return status, ": ".join(filter(None, (failure.kind, failure.message)))


def _trace(request: Request) -> dict[str, str]:
    headers = {"x-inference-id": str(uuid4())}
    client_id = request.headers.get("x-client-request-id", "")
    if _CLIENT_ID.fullmatch(client_id):
        headers["x-client-request-id"] = client_id
    return headers
