"""A server of one's own that speaks OpenAI's images API: its models, generations and edits."""

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kontext_cli.sandbox.failures import NoImage
from kontext_cli.sandbox.jobs import Job
from kontext_cli.sandbox.media import Media
from kontext_cli.sandbox.multipart import Field, every_field
from kontext_cli.sandbox.openai_payloads import MODELS
from kontext_cli.sandbox.payloads import parsed
from kontext_cli.sandbox.replies import (
    Declined,
    Json,
    delivered,
    hold_until_done,
    origin,
    read_body,
    read_object,
    strike,
)
from kontext_cli.sandbox.together import refuse
from kontext_cli.sandbox.workshop import Workshop

_MOST_BODY = 16 * 1024 * 1024
_NUMBERS = ("n", "seed")


class Openai:
    """The calls below a prefix of their own, with and without `/v1`, and the images beside them.

    It takes a key, and needs none.
    """

    def __init__(self, workshop: Workshop, prefix: str) -> None:
        self._workshop = workshop
        self._prefix = prefix
        self._media = Media(workshop)

    def routes(self) -> list[Route]:
        """The calls and the images; all other paths are refused."""
        every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        calls = [
            Route(f"{version}{path}", endpoint, methods=[method])
            for version in ("/v1", "")
            for path, endpoint, method in (
                ("/models", self.models, "GET"),
                ("/images/generations", self.generate, "POST"),
                ("/images/edits", self.edit, "POST"),
            )
        ]
        image = Route(
            "/generated/{request_id}/{number:int}.{suffix}", self._media.image, methods=["GET"]
        )
        return [*calls, image, Route("/{path:path}", self.missing, methods=every)]

    async def missing(self, request: Request) -> Response:
        """Any other path."""
        return refuse(404, f"Not found: {request.method} {request.url.path}")

    async def models(self, _: Request) -> Response:
        """The models that it has."""
        data = [
            {"id": name, "object": "model", "created": 0, "owned_by": "kontext"} for name in MODELS
        ]
        return Json({"object": "list", "data": data})

    async def generate(self, request: Request) -> Response:
        """An image from a prompt: JSON."""
        return await self._made(request, await read_object(request, _MOST_BODY, refuse))

    async def edit(self, request: Request) -> Response:
        """An image from images and an instruction: a form with files."""
        body = await read_body(request, _MOST_BODY, refuse)
        payload: dict[str, Any] = {}
        files = []
        for name, field in every_field(request.headers.get("content-type", ""), body):
            if name in ("image", "image[]"):
                files.append(_data_uri(field))
            else:
                payload[name] = _value(name, field.content.decode(errors="replace"))
        if not files:
            raise Declined(refuse(400, "Missing required parameter: 'image'."))
        return await self._made(request, {**payload, "images": files})

    async def _made(self, request: Request, payload: dict[str, Any]) -> Response:
        """Check, accept, wait, answer."""
        model = payload.get("model") or MODELS[0]
        if model not in MODELS:
            raise Declined(refuse(404, f"The model `{model}` does not exist"))
        try:
            parsed("openai", model, payload)
        except NoImage as invalid:
            raise Declined(refuse(400, invalid.failure.message)) from invalid
        prompt = payload["prompt"]
        strike(self._workshop, prompt, refuse)
        job = self._workshop.accept("openai", model, payload)
        return await delivered(self._workshop, request, prompt, await self._reply(request, job))

    async def _reply(self, request: Request, job: Job) -> Response:
        await hold_until_done(request, job)
        try:
            made = await self._workshop.made(
                job, files=f"{origin(request)}{self._prefix}/generated"
            )
        except NoImage as ended:
            failure = ended.failure
            status = 400 if failure.status == 422 else failure.status
            return refuse(status, ": ".join(filter(None, (failure.kind, failure.message))))
        if job.payload.get("response_format") == "b64_json":
            data = [await self._inline(job, number) for number, _ in enumerate(made["images"], 1)]
        else:
            data = [{"url": image["url"]} for image in made["images"]]
        return Json({"created": int(job.born), "data": data})

    async def _inline(self, job: Job, number: int) -> dict[str, str]:
        return {"b64_json": base64.b64encode(await self._workshop.image(job, number)).decode()}


def _data_uri(field: Field) -> str:
    encoded = base64.b64encode(field.content).decode()
    return f"data:{field.media_type or 'application/octet-stream'};base64,{encoded}"


def _value(name: str, text: str) -> str | int:
    """The value of a field of a form, where all are text."""
    return int(text) if name in _NUMBERS and text.isdecimal() else text
