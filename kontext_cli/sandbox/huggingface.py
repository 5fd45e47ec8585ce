"""Hugging Face's router, in front of the emulated fal, Replicate and Together."""

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kontext_cli.sandbox.fal import Fal
from kontext_cli.sandbox.replicate import Replicate
from kontext_cli.sandbox.replies import Declined, Json, answered, key_of, strike
from kontext_cli.sandbox.together import Together
from kontext_cli.sandbox.workshop import Workshop

_MODEL = "black-forest-labs/FLUX.1-Kontext-dev"
_MAPPED = {
    "fal-ai": "fal-ai/flux-kontext/dev",
    "replicate": "black-forest-labs/flux-kontext-dev",
    "together": "black-forest-labs/FLUX.1-kontext-dev",
}
"""The model by the name that each host has for it."""


class _QueueOfFal(Fal):
    """fal as the router reaches it: its replies name its own host."""

    def _base(self, _: Request, /) -> str:
        return "https://queue.fal.run"


def routes(workshop: Workshop, prefix: str) -> list[Route | Mount]:
    """The hosts below their names, and the Hub's answer to who serves the model."""
    fal = _app(_QueueOfFal(workshop, prefix))
    return [
        Route("/api/models/{model:path}", _mapping, methods=["GET"]),
        Route("/api/whoami-v2", _whoami(workshop), methods=["GET"]),
        Mount("/fal-ai", app=_in_queue(_keyed(fal, "Key"))),
        Mount("/replicate", app=_keyed(_app(Replicate(workshop, f"{prefix}/replicate")), "Bearer")),
        Mount("/together", app=_keyed(_app(Together(workshop, f"{prefix}/together")), "Bearer")),
    ]


def _whoami(workshop: Workshop) -> Callable[[Request], Awaitable[Response]]:
    """The Hub's answer to whose token it is."""

    async def answer(request: Request) -> Response:
        if not key_of(request, "Bearer"):
            return _refuse(401, "Invalid username or password.")
        strike(workshop, "", _refuse)
        return Json({"type": "user", "name": "sandbox"})

    return answer


def _refuse(status: int, message: str) -> Response:
    return Json({"error": message}, status)


async def _mapping(request: Request) -> Response:
    """The Hub's page of a model, as far as the official client reads it."""
    model = request.path_params["model"]
    if model != _MODEL:
        return Json({"error": "Repository not found"}, 404)
    hosts = {
        host: {"status": "live", "providerId": mapped, "task": "image-to-image"}
        for host, mapped in _MAPPED.items()
    }
    return Json({"_id": "0", "id": model, "inferenceProviderMapping": hosts})


def _app(dialect: Fal | Replicate | Together) -> Starlette:
    return Starlette(routes=dialect.routes(), exception_handlers={Declined: answered})


def _keyed(app: ASGIApp, scheme: str) -> ASGIApp:
    """The app behind the router's key, in whose place the host gets one under its own scheme."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if not key_of(Request(scope), "Bearer"):
            await _refuse(401, "Invalid username or password.")(scope, receive, send)
            return
        scope = {**scope, "headers": [*scope["headers"]]}
        MutableHeaders(scope=scope)["authorization"] = f"{scheme} routed"
        await app(scope, receive, send)

    return route


def _in_queue(app: ASGIApp) -> ASGIApp:
    """The app, for requests to fal's queue alone: the host that blocks is not emulated."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if Request(scope).query_params.get("_subdomain") != "queue":
            await Json({"error": "only `_subdomain=queue` is emulated"}, 404)(scope, receive, send)
            return
        await app(scope, receive, send)

    return route
