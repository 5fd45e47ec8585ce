"""Together's one call: it blocks until the images exist, and answers with links or base64."""

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from kontext_cli.sandbox.failures import NoImage
from kontext_cli.sandbox.jobs import Job
from kontext_cli.sandbox.media import Media
from kontext_cli.sandbox.payloads import parsed
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    hold_until_done,
    key_of,
    origin,
    read_object,
    strike,
)
from kontext_cli.sandbox.together_payloads import TOGETHER
from kontext_cli.sandbox.workshop import Workshop

_TYPES = {
    401: "authentication_error",
    402: "payment_required",
    429: "rate_limit",
    500: "server_error",
    503: "service_unavailable",
    504: "server_error",
}


class Together:
    """The images endpoint, mounted under a prefix of its own, and the images on the same host."""

    def __init__(self, workshop: Workshop, prefix: str) -> None:
        self._workshop = workshop
        self._prefix = prefix
        self._media = Media(workshop)

    def routes(self) -> list[Route]:
        """The call and the images; all other paths are refused."""
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        return [
            Route("/v1/images/generations", self.generate, methods=["POST"]),
            Route("/v1/models", self.models, methods=["GET"]),
            Route("/imgproxy/{request_id}/{number:int}.{suffix}", self.image, methods=["GET"]),
            Route("/{path:path}", self.missing, methods=every),
        ]

    async def missing(self, request: Request) -> Response:
        """Any other path."""
        return refuse(404, f"Not found: {request.method} {request.url.path}")

    async def models(self, request: Request) -> Response:
        """The models; the list has no object around it."""
        _check_key(request)
        strike(self._workshop, "", refuse)
        return Json([{"id": name, "object": "model", "type": "image"} for name in TOGETHER])

    async def image(self, request: Request) -> Response:
        """One image, for which no key is needed, but a name of the client."""
        if not request.headers.get("user-agent"):
            return PlainTextResponse("Forbidden", 403)
        return await self._media.image(request)

    async def generate(self, request: Request) -> Response:
        """Check, accept, wait, answer."""
        _check_key(request)
        payload = await read_object(request, self._workshop.max_body, refuse)
        _check(payload)
        prompt = payload["prompt"]
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("together", payload["model"], payload)
        return await delivered(self._workshop, request, prompt, await self._reply(request, job))

    async def _reply(self, request: Request, job: Job) -> Response:
        await hold_until_done(request, job)
        try:
            made = await self._workshop.made(job, files=f"{origin(request)}{self._prefix}/imgproxy")
        except NoImage as ended:
            failure = ended.failure
            status = 400 if failure.status == 422 else failure.status
            return refuse(status, ": ".join(filter(None, (failure.kind, failure.message))))
        inline = job.payload.get("response_format") == "base64"
        data = [
            await self._item(job, index, image["url"], inline=inline)
            for index, image in enumerate(made["images"])
        ]
        return Json({"id": job.request_id, "object": "list", "model": job.endpoint, "data": data})

    async def _item(self, job: Job, index: int, url: str, *, inline: bool) -> dict[str, Any]:
        if not inline:
            return {"index": index, "type": "url", "url": url}
        encoded = base64.b64encode(await self._workshop.image(job, index + 1)).decode()
        return {"index": index, "type": "b64_json", "b64_json": encoded}


def refuse(status: int, message: str) -> Response:
    """An error in OpenAI's form."""
    kind = _TYPES.get(status, "invalid_request_error")
    error = {"message": message, "type": kind, "param": None, "code": None}
    return Json({"error": error}, status)


def _check_key(request: Request) -> None:
    if not key_of(request, "Bearer"):
        raise Declined(refuse(401, "Missing API key"))


def _check(payload: dict[str, Any]) -> None:
    model = str(payload.get("model"))
    if model not in TOGETHER:
        raise Declined(refuse(404, f"Unable to access model {model}"))
    if "aspect_ratio" in payload and {"width", "height"} & {*payload}:
        raise Declined(refuse(400, "Use either aspect_ratio or width and height"))
    if "kontext" in model and payload.get("reference_images"):
        raise Declined(refuse(400, f"{model} takes one image, as image_url"))
    try:
        parsed("together", model, payload)
    except NoImage as invalid:
        raise Declined(refuse(400, invalid.failure.message)) from invalid
