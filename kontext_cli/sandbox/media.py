"""The files that replies point to: open to anyone who has the URL, as at the providers' CDNs."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from kontext_cli.sandbox.faults import Point
from kontext_cli.sandbox.jobs import Job
from kontext_cli.sandbox.replies import cut_short, html
from kontext_cli.sandbox.workshop import Workshop


class Media:
    """The images of jobs, drawn when they are asked for."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop

    def routes(self) -> list[Route]:
        """The one route."""
        return [Route("/{request_id}/{number:int}.{suffix}", self.image, methods=["GET"])]

    async def image(self, request: Request) -> Response:
        """One image of a job, or what a fault makes of it."""
        job = self._workshop.jobs.find(request.path_params["request_id"])
        number, suffix = request.path_params["number"], request.path_params["suffix"]
        return await served(self._workshop, request, job, number, suffix)


async def served(
    workshop: Workshop, request: Request, job: Job | None, number: int, suffix: str
) -> Response:
    """The file of one image of a job, or what a fault makes of it."""
    if job is None or not await workshop.has_made(job, number, suffix):
        return PlainTextResponse("not found", 404)
    data = await workshop.image(job, number)
    media_type = f"image/{suffix}"
    fault = workshop.due(Point.MEDIA, job)
    if fault == "media-redirect":
        return RedirectResponse(request.url.include_query_params(moved=1), 302)
    return _spoiled(fault, data, media_type) or Response(data, media_type=media_type)


def _spoiled(fault: str | None, data: bytes, media_type: str) -> Response | None:
    if fault == "media-503":
        return html(503, "Service Temporarily Unavailable")
    if fault == "media-404":
        return PlainTextResponse("not found", 404)
    if fault == "wrong-media":
        return html(200, "Please enable cookies")
    if fault == "truncated-media":
        return cut_short(data, sent=len(data) // 2, media_type=media_type)
    if fault == "cut-media":
        return Response(data[: len(data) // 2], media_type=media_type)
    return None
