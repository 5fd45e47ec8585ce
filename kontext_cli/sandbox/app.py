"""The emulated providers as one ASGI app, and the files they make."""

import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kontext_cli.sandbox.aimlapi import Aimlapi, Deprecations, Shape
from kontext_cli.sandbox.bfl import Bfl
from kontext_cli.sandbox.chainhub import Chainhub, Pending
from kontext_cli.sandbox.comfyui import Comfyui
from kontext_cli.sandbox.fal import Fal
from kontext_cli.sandbox.faults import Faults
from kontext_cli.sandbox.huggingface import routes as huggingface
from kontext_cli.sandbox.ledger import Ledger, Seen
from kontext_cli.sandbox.media import Media
from kontext_cli.sandbox.openai import Openai
from kontext_cli.sandbox.replicate import Replicate
from kontext_cli.sandbox.replicate_files import ReplicateFiles
from kontext_cli.sandbox.replies import Declined, Json, answered
from kontext_cli.sandbox.shelf import Shelf
from kontext_cli.sandbox.together import Together
from kontext_cli.sandbox.uploads import Uploads
from kontext_cli.sandbox.workshop import Workshop

MAX_BODY = 4 * 1024 * 1024
"""Bytes of a submit; fal has been seen to refuse more than 4 MB."""


class Sandbox:
    """The emulated providers, each under its name: `/fal`, `/aimlapi` and so on.

    Their files are under `/files`, and `/ledger` lists what they accepted.

    `latency` is the seconds a job takes in all, `fault` one of `faults.FAULTS` for every request,
    `folder` a place where jobs outlive the process; `plain` images are small and of one colour.
    """

    def __init__(
        self,
        latency: float = 0.0,
        fault: str | None = None,
        *,
        plain: bool = False,
        chainhub_status: bool = True,
        chainhub_pending: Pending = "detail",
        aimlapi_shape: Shape = "images",
        aimlapi_usage: bool = False,
        aimlapi_deprecations: Deprecations = (),
        max_body: int = MAX_BODY,
        folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.ledger = Ledger()
        workshop = Workshop(
            latency=latency,
            plain=plain,
            max_body=max_body,
            faults=Faults(fault),
            ledger=self.ledger,
            shelf=Shelf(folder),
            clock=clock,
        )
        uploads = Uploads(workshop)
        aimlapi = Aimlapi(
            workshop,
            shape=aimlapi_shape,
            usage=aimlapi_usage,
            deprecations=aimlapi_deprecations,
        )
        chainhub = Chainhub(workshop, status_route=chainhub_status, pending=chainhub_pending)
        routes: list[Route | Mount] = [
            Route("/ledger", self._show_ledger, methods=["GET"]),
            Mount("/fal", routes=[*uploads.asking(), *Fal(workshop, "/fal").routes()]),
            Mount("/aimlapi", routes=aimlapi.routes()),
            Mount("/chainhub", routes=chainhub.routes()),
            Mount("/bfl", routes=Bfl(workshop, "/bfl").routes()),
            Mount(
                "/replicate",
                routes=[
                    *ReplicateFiles(workshop, "/replicate").routes(),
                    *Replicate(workshop, "/replicate").routes(),
                ],
            ),
            Mount("/together", routes=Together(workshop, "/together").routes()),
            Mount("/huggingface", routes=huggingface(workshop, "/huggingface")),
            Mount("/openai", routes=Openai(workshop, "/openai").routes()),
            Mount("/comfyui", routes=Comfyui(workshop).routes()),
            Mount("/files", routes=[*uploads.routes(), *Media(workshop).routes()]),
        ]
        app = Starlette(routes=routes, exception_handlers={Declined: answered})
        self.app = _recorded(app, self.ledger)

    async def _show_ledger(self, _: Request) -> Response:
        return Json(self.ledger.record())


def _recorded(app: ASGIApp, ledger: Ledger) -> ASGIApp:
    """The app, with every request written into the ledger before it is served."""

    async def recording(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = dict(Headers(scope=scope).items())
            query = scope["query_string"].decode("latin-1")
            ledger.see(Seen(scope["method"], scope["path"], query, headers))
        await app(scope, receive, send)

    return recording
